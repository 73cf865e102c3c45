"""A reward around an environment: `DenseReward` and `DenseVectorReward` for Gymnasium, `DenseVecReward` for SB3.

`DenseVecReward` is imported at first use, because Stable-Baselines3 and torch come with it.
"""

from typing import TYPE_CHECKING, Any

from car.wrapper.camera import FrameTap
from car.wrapper.single import DenseReward
from car.wrapper.vector import DenseVectorReward

if TYPE_CHECKING:
    from car.wrapper.vector_sb3 import DenseVecReward

__all__ = ["DenseReward", "DenseVecReward", "DenseVectorReward", "FrameTap"]


def __getattr__(name: str) -> Any:
    if name != "DenseVecReward":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from car.wrapper.vector_sb3 import DenseVecReward

    return DenseVecReward
