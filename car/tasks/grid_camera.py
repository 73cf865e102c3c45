"""MiniGrid's full view, repainted only where it changed."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from operator import eq, is_
from typing import Any

import numpy as np
from minigrid.core.grid import Grid
from minigrid.core.world_object import WorldObj
from minigrid.minigrid_env import MiniGridEnv

from car.errors import BadTask
from car.frames import Frame
from car.task import Env


class GridCamera:
    """Takes the frames of a MiniGrid environment, equal to ``get_frame(highlight=False, tile_size=tile_size)``.

    A call returns the same read-only array as the call before when the picture is the same, so that identity means
    "unchanged"; otherwise another one. Pictures that were taken lately are kept, and a view that comes again gets the
    array that it had. No array is changed after it was returned.

    Args:
        tile_size: the side of a cell in pixels.
        kept_bytes: what the pictures that are kept may take; 0 keeps the last one only.

    Raises:
        BadTask: the tile size is not positive.
    """

    def __init__(self, tile_size: int = 8, kept_bytes: int = 4 << 20) -> None:
        if tile_size < 1:
            raise BadTask(f"tile_size = {tile_size}: a cell needs at least one pixel.")
        self._tile_size = tile_size
        self._kept_bytes = kept_bytes
        self._grounds = _Grounds()
        self._view: _View | None = None
        self._image: Frame = np.zeros((0, 0, 3), np.uint8)
        self._taken: OrderedDict[_View, Frame] = OrderedDict()

    def __call__(self, env: Env, observation: Any) -> Frame:
        """The frame, uint8 RGB of shape (height * tile_size, width * tile_size, 3), read-only.

        Raises:
            BadTask: the environment is not a MiniGrid environment.
        """
        world: Any = env.unwrapped
        if not isinstance(world, MiniGridEnv):
            raise BadTask(f"GridCamera takes frames of MiniGrid environments; {type(world).__name__} is none.")
        grid = world.grid
        x, y = world.agent_pos
        view = self._grounds.of(grid), int(y) * grid.width + int(x), world.agent_dir
        if view != self._view:
            image = self._taken.get(view)
            if image is None:
                image = self._painted(view, grid)
                self._keep(view, image)
            else:
                self._taken.move_to_end(view)
            self._view, self._image = view, image
        return self._image

    def _keep(self, view: "_View", image: Frame) -> None:
        self._taken[view] = image
        if len(self._taken) * image.nbytes > self._kept_bytes:
            self._taken.popitem(last=False)

    def _painted(self, view: "_View", grid: Grid) -> Frame:
        shape = (grid.height * self._tile_size, grid.width * self._tile_size, 3)
        cells: Iterable[int]
        if self._view is None or self._image.shape != shape:
            image, cells = np.zeros(shape, np.uint8), range(len(grid.grid))
        else:
            image, cells = self._image.copy(), _differing(self._view, view)
        for cell in cells:
            self._paint(image, grid, cell, view[2] if cell == view[1] else None)
        image.setflags(write=False)
        return image

    def _paint(self, image: Frame, grid: Grid, cell: int, heading: int | None) -> None:
        # MiniGrid keeps every tile it ever drew, by what the object encodes to: few kinds, and shared by all cameras.
        y, x = divmod(cell, grid.width)
        tile = Grid.render_tile(grid.grid[cell], heading, highlight=False, tile_size=self._tile_size)
        side = self._tile_size
        image[y * side : (y + 1) * side, x * side : (x + 1) * side] = tile


class _Ground:
    """What each cell's picture depends on but for the agent, row by row; one object for equal looks."""

    def __init__(self, looks: tuple[Any, ...]) -> None:
        self.looks = looks


_View = tuple[_Ground, int, int]
"""The ground, the agent's cell and its heading: all that a picture depends on."""

_MOST_GROUNDS = 64


class _Grounds:
    """Finds the ground of a grid; quickly if no thing has moved and no thing has changed its look.

    MiniGrid itself draws by `encode()` and the agent alone. Most kinds of things leave that to `WorldObj`, which reads
    their kind and their colour; the others are asked.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, tuple[Any, ...]], _Ground] = OrderedDict()
        self._width = 0
        self._things: list[Any] = []
        self._same: Callable[[list[Any], list[Any]], bool] = _identical
        self._plain: list[Any] = []
        self._special: list[Any] = []
        self._kinds: list[str] = []
        self._colours: list[str] = []
        self._codes: list[Any] = []
        self._ground = _Ground(())

    def of(self, grid: Grid) -> _Ground:
        things = grid.grid
        if grid.width == self._width and self._same(things, self._things):
            if self._look_the_same():
                return self._ground
        else:
            self._sort(grid)
        self._note_looks()
        self._ground = self._found(grid)
        return self._ground

    def _look_the_same(self) -> bool:
        # Of all that is done for a step this is the longest; list comprehensions are what Python does fastest.
        return (
            [each.color for each in self._plain] == self._colours
            and [each.type for each in self._plain] == self._kinds
            and [each.encode() for each in self._special] == self._codes
        )

    def _note_looks(self) -> None:
        self._colours = [each.color for each in self._plain]
        self._kinds = [each.type for each in self._plain]
        self._codes = [each.encode() for each in self._special]

    def _sort(self, grid: Grid) -> None:
        self._width, self._things = grid.width, list(grid.grid)
        there = [each for each in self._things if each is not None]
        self._plain = [each for each in there if type(each).encode is WorldObj.encode]
        self._special = [each for each in there if type(each).encode is not WorldObj.encode]
        self._same = _identical if any(map(_compares, _kinds_of(WorldObj))) else eq

    def _found(self, grid: Grid) -> _Ground:
        looks = tuple([None if each is None else each.encode() for each in grid.grid])
        key = grid.width, looks
        ground = self._known.get(key)
        if ground is None:
            ground = self._known[key] = _Ground(looks)
            if len(self._known) > _MOST_GROUNDS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return ground


def _identical(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(map(is_, one, other))


def _kinds_of(kind: type[Any]) -> Iterator[type[Any]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds_of(each)


def _compares(kind: type[Any]) -> bool:
    """Whether things of a kind can be equal without being the same; if none can, equal lists hold the same things."""
    return "__eq__" in vars(kind)


def _differing(old: _View, new: _View) -> Iterable[int]:
    """The cells that look different in two views of grids of one size."""
    cells = {old[1], new[1]}
    if old[0] is not new[0]:
        cells.update(
            cell for cell, (one, other) in enumerate(zip(old[0].looks, new[0].looks, strict=True)) if one != other
        )
    return cells
