"""MiniGrid's full view, repainted only where it changed."""

from typing import Any

import numpy as np
from minigrid.core.grid import Grid
from minigrid.minigrid_env import MiniGridEnv

from car.errors import BadTask
from car.frames import Frame
from car.task import Env


class GridCamera:
    """Takes the frames of a MiniGrid environment, equal to ``get_frame(highlight=False, tile_size=tile_size)``.

    A call returns the same read-only array as the call before when the picture is the same, so that identity means
    "unchanged"; otherwise a new one. No array is changed after it was returned.

    Args:
        tile_size: the side of a cell in pixels.

    Raises:
        BadTask: the tile size is not positive.
    """

    def __init__(self, tile_size: int = 8) -> None:
        if tile_size < 1:
            raise BadTask(f"tile_size = {tile_size}: a cell needs at least one pixel.")
        self._tile_size = tile_size
        self._looks: list[Any] = []
        self._image: Frame = np.zeros((0, 0, 3), np.uint8)

    def __call__(self, env: Env, observation: Any) -> Frame:
        """The frame, uint8 RGB of shape (height * tile_size, width * tile_size, 3), read-only.

        Raises:
            BadTask: the environment is not a MiniGrid environment.
        """
        world = env.unwrapped
        if not isinstance(world, MiniGridEnv):
            raise BadTask(f"GridCamera takes frames of MiniGrid environments; {type(world).__name__} is none.")
        looks = _looks(world)
        if looks != self._looks or self._image.shape != self._shape(world.grid):
            self._image = self._painted(world, looks)
            self._looks = looks
        return self._image

    def _shape(self, grid: Grid) -> tuple[int, int, int]:
        return (grid.height * self._tile_size, grid.width * self._tile_size, 3)

    def _painted(self, world: Any, looks: list[Any]) -> Frame:
        if self._image.shape == self._shape(world.grid):
            image, before = self._image.copy(), self._looks
        else:
            image, before = np.zeros(self._shape(world.grid), np.uint8), [_NEVER] * len(looks)
        for cell, (new, old) in enumerate(zip(looks, before, strict=True)):
            if new != old:
                self._paint(image, world, cell)
        image.setflags(write=False)
        return image

    def _paint(self, image: Frame, world: Any, cell: int) -> None:
        # MiniGrid keeps every tile it ever drew, by what the object encodes to: few kinds, and shared by all cameras.
        y, x = divmod(cell, world.grid.width)
        heading = world.agent_dir if cell == _agent_cell(world) else None
        tile = Grid.render_tile(world.grid.grid[cell], heading, highlight=False, tile_size=self._tile_size)
        side = self._tile_size
        image[y * side : (y + 1) * side, x * side : (x + 1) * side] = tile


_NEVER = object()


def _looks(world: Any) -> list[Any]:
    """What each cell's picture depends on, row by row; MiniGrid itself draws by `encode()` and the agent alone."""
    looks = [None if thing is None else thing.encode() for thing in world.grid.grid]
    agent = _agent_cell(world)
    looks[agent] = (looks[agent], world.agent_dir)
    return looks


def _agent_cell(world: Any) -> int:
    x, y = world.agent_pos
    return int(y) * int(world.grid.width) + int(x)
