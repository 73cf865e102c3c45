"""Cameras for files that stand alone: the same frames as those of the built-in cameras, without their packages."""

from typing import Any

from car.errors import BadFrame
from car.frames import Frame, as_frame
from car.task import Env


class Rendered:
    """The environment's own picture."""

    def __call__(self, env: Env, observation: Any) -> Frame:
        """The frame.

        Raises:
            BadFrame: the environment was made without ``render_mode="rgb_array"``.
        """
        return as_frame(env.render(), "rendered frame")


class GridView:
    """MiniGrid's full view with cells of 8 x 8 pixels."""

    def __call__(self, env: Env, observation: Any) -> Frame:
        """The frame.

        Raises:
            BadFrame: the environment is not one of MiniGrid.
        """
        world: Any = env.unwrapped
        if not hasattr(world, "get_frame"):
            raise BadFrame(f"{type(world).__name__} is no environment of MiniGrid; pass a camera that suits it.")
        return as_frame(world.get_frame(highlight=False, tile_size=8))
