"""Who is told what happens to errands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from car.errors import CarError

OnSaid = Callable[[int, Mapping[str, Any]], None]
"""Called with the index of an errand and an object that its process has said."""

OnEnd = Callable[[int, CarError | None], None]
"""Called with the index of an errand that has ended, and what went wrong; what it raises stops all others."""


@dataclass(frozen=True)
class Listener:
    """Who is told; see `car.errands.run` for the three."""

    said: OnSaid
    ended: OnEnd
    stopping: Callable[[], None]
