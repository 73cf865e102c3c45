"""The true sub-task of the cart and pole, from its state."""

from collections.abc import Callable
from typing import Any


def _pole_upright(world: Any) -> bool:
    return bool(world.upright)


TRUTH: dict[str, dict[str, Callable[[Any], bool]]] = {"cartpole-upright": {"pole-upright": _pole_upright}}
"""One state that is to be kept: it holds from the first frame on, so that no sub-task leads up to it."""
