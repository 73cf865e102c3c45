"""The true sub-tasks of the continuous mountain car, from its position on the track."""

from collections.abc import Callable
from typing import Any

_UP_ON_THE_LEFT = -0.75
"""Higher than the car ever begins, and high enough to reach the flag from there at full force."""


def _swung_left(world: Any) -> bool:
    return bool(world.state[0] <= _UP_ON_THE_LEFT)


def _at_the_flag(world: Any) -> bool:
    return bool(world.state[0] >= world.goal_position)


TRUTH: dict[str, dict[str, Callable[[Any], bool]]] = {
    "mountaincar-continuous": {"car-up-on-the-left": _swung_left, "car-at-the-flag": _at_the_flag}
}
