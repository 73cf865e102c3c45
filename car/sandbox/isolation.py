"""How well a worker is isolated: what a hostile program was seen to be able to do there, not what was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

REQUIRED = 2
"""The level below which nothing runs unless a person types the lower level."""

MEANING = (
    "nothing holds a hostile program: it can read or write files, use the network, start processes or eat memory",
    "files, network, processes and memory are closed, but it can still look around or send signals",
    "everything that was tried is stopped",
    "everything that was tried is stopped, most of it a second time, without the filter of system calls",
)
"""What each level means, from 0."""


class Layer(StrEnum):
    """One of the things that a worker is held by."""

    USER = "user"
    LIMITS = "limits"
    LANDLOCK = "landlock"
    FILTER = "filter"
    NAMESPACES = "namespaces"


@dataclass(frozen=True)
class Isolation:
    """What a canary, a hostile program in a worker made like the real ones, was able to do.

    Args:
        level: 0 to 3, see `MEANING`.
        could: the harms that the canary did; empty at level 2 and 3.
        layers: the layers that were put in place, by name, with what is known of each, e.g. the Landlock ABI. A layer
            that this system does not offer is missing.
    """

    level: int
    could: tuple[str, ...]
    layers: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return {"level": self.level, "could": list(self.could), "layers": dict(self.layers)}

    def __str__(self) -> str:
        harms = f" A hostile program could {', '.join(self.could)}." if self.could else ""
        return f"isolation level {self.level} of 3: {MEANING[self.level]}.{harms}"


def isolation_from(fields: dict[str, Any]) -> Isolation:
    """The isolation that `as_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is not such a dict.
    """
    level = int(fields["level"])
    if not 0 <= level < len(MEANING):
        raise ValueError(f"isolation level {level}")
    return Isolation(level, tuple(map(str, fields["could"])), {str(k): str(v) for k, v in fields["layers"].items()})
