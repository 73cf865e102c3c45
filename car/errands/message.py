"""How an error goes from one process to another."""

from collections.abc import Iterator, Mapping
from typing import Any

from car.errors import CarError


def error_line(error: CarError) -> dict[str, Any]:
    """An error as a line that a process writes."""
    return {"error": str(error), "kind": type(error).__name__}


def error_in(fields: Mapping[str, Any]) -> CarError:
    """The error that such a line holds; of a kind that is not known here, a plain `CarError`."""
    kinds = {each.__name__: each for each in _kinds(CarError)}
    kind = kinds.get(fields["kind"], CarError)
    # Not all kinds are made from a message.
    error = kind.__new__(kind)
    Exception.__init__(error, fields["error"])
    return error


def _kinds(kind: type[CarError]) -> Iterator[type[CarError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)
