"""The true sub-tasks of Taxi, from the environment's state number."""

from collections.abc import Callable
from typing import Any

_IN_TAXI = 4


def _places(world: Any) -> tuple[int, int]:
    """Where the passenger is (0 to 3 a landmark, 4 the taxi) and which landmark is the destination."""
    _, _, passenger, destination = world.decode(int(world.s))
    return int(passenger), int(destination)


def _taken_in(world: Any) -> bool:
    return _places(world)[0] == _IN_TAXI


def _set_down(world: Any) -> bool:
    passenger, destination = _places(world)
    return passenger == destination


TRUTH: dict[str, dict[str, Callable[[Any], bool]]] = {
    "taxi": {"passenger-in-taxi": _taken_in, "passenger-at-destination": _set_down}
}
