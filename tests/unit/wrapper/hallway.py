"""A tiny environment that draws its state, and a reward that reads it from a table."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from car.errors import UserError
from car.milestones import Milestones, Shaping

CELLS = 6


class Corridor(gym.Env):
    """Cells 0 to 5; starts in one of the first three; reaching the last terminates with reward 1, time truncates.

    Red is the present cell times 10, green the cell of the start times 10.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012

    def __init__(
        self, view: str = "vector", max_steps: int = 8, render_mode: str | None = "rgb_array", side: int = 8
    ) -> None:
        self.render_mode = render_mode
        self.view, self.max_steps, self.side = view, max_steps, side
        self.action_space = spaces.Discrete(2)
        vector = spaces.Box(0.0, 1.0, (2,), np.float32)
        self.observation_space: Any = {
            "vector": vector,
            "picture": spaces.Box(0, 255, (side, side, 3), np.uint8),
            "planes": spaces.Box(0, 10, (3, side, side), np.float32),
            "dict": spaces.Dict({"here": vector, "picture": spaces.Box(0, 255, (side, side, 3), np.uint8)}),
            "cell": spaces.Discrete(CELLS),
        }[view]

    def _observation(self) -> Any:
        vector = np.array([self.cell / CELLS, self.time / self.max_steps], np.float32)
        return {
            "vector": vector,
            "picture": self.render(),
            "planes": np.full((3, self.side, self.side), self.cell, np.float32),
            "dict": {"here": vector, "picture": self.render()},
            "cell": self.cell,
        }[self.view]

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.start = self.cell = int(self.np_random.integers(3))
        self.time = 0
        return self._observation(), {"start": self.start}

    def step(self, action: int) -> Any:
        self.cell = max(0, min(CELLS - 1, self.cell + (1 if action else -1)))
        self.time += 1
        there = self.cell == CELLS - 1
        return self._observation(), float(there), there, self.time >= self.max_steps, {"time": self.time}

    def render(self) -> Any:
        if self.render_mode is None:
            return None
        picture = np.zeros((self.side, self.side, 3), np.uint8)
        picture[..., 0], picture[..., 1] = 10 * self.cell, 10 * self.start
        return picture


class TableReward:
    """Signals from a table (start, cell, k); counts its calls."""

    name = "table"

    def __init__(
        self,
        table: np.ndarray,
        after: Sequence[Sequence[int]],
        shaping: Shaping = Shaping(),
        frame_shape: tuple[int, ...] | None = None,
    ) -> None:
        self.table = table
        self.names = tuple(f"task-{index}" for index in range(table.shape[2]))
        self.frame_shape = frame_shape
        self.calls: list[int] = []
        self.closed = 0
        self._after, self._shaping = after, shaping

    def signals(self, initial: np.ndarray, frames: np.ndarray, ask: np.ndarray) -> np.ndarray:
        if (initial[..., 0] != initial[..., 1]).any():
            raise UserError("The first frame given is not the first frame of an episode.")
        if (initial[..., 1] != frames[..., 1]).any():
            raise UserError("The first frame given is that of another episode.")
        self.calls.append(len(frames))
        starts, cells = initial[:, 0, 0, 0] // 10, frames[:, 0, 0, 0] // 10
        return np.where(ask, self.table[starts, cells], np.nan)

    def episode(self) -> Milestones:
        return Milestones(self._after, self._shaping)

    def close(self) -> None:
        self.closed += 1


def chain(shaping: Shaping = Shaping(), **kwargs: Any) -> TableReward:
    """Reach cell 3, then 4, then 5; progress on the way."""
    cells = np.arange(CELLS)[:, None]
    table = np.clip(cells / np.array([3, 4, 5]), 0, 1)
    return TableReward(np.stack([table] * 3), [[], [0], [1]], shaping, **kwargs)
