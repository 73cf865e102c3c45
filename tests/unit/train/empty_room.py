"""The smallest task that can be learnt, and a live reward for it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from car.frames import Frames
from car.milestones import Milestones, Shaping
from car.task import Task
from car.train.settings import TrainSettings

EMPTY_ROOM = Task(
    name="empty-room",
    env_id="MiniGrid-Empty-5x5-v0",
    env_kwargs={"max_steps": 20},
    camera="car.tasks.grid_camera:GridCamera",
    agent_view="car.tasks.grid_view:symbolic",
)
PENDULUM = Task(name="pendulum", env_id="Pendulum-v1", success="info:upright")

QUICK = TrainSettings(
    steps=128, envs=2, n_steps=32, batch=32, epochs=1, eval_every=64, eval_episodes=2, learning_rate=1e-3
)


class Solver:
    """Walks from the corner of the empty room to the other one: two steps, a turn, two steps."""

    ROUTE = (2, 2, 1, 2, 2)

    def __init__(self) -> None:
        self.time = 0
        self.shapes: set[tuple[int, ...]] = set()

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> Any:
        self.shapes.add(observation.shape[1:])
        action = self.ROUTE[self.time % len(self.ROUTE)]
        self.time += 1
        return np.full(len(observation), action), None


class Loafer:
    """Drops what it does not have, for ever."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> Any:
        return np.full(len(observation), 4), None


class HalfWay:
    """A live reward with two sub-tasks: the picture changed, and it changed in the lower half."""

    name = "half-way"
    names = ("moved", "moved-down")
    frame_shape = None

    def __init__(self) -> None:
        self.failures = {("moved", "check: it was never sure"): 3}
        self.asked = 0
        self.closed = False

    def signals(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_]) -> NDArray[np.float64]:
        self.asked += len(frames)
        changed = initial != frames
        half = frames.shape[1] // 2
        answers = np.stack([changed.any((1, 2, 3)), changed[:, half:].any((1, 2, 3))], axis=1).astype(np.float64)
        answers[~ask] = np.nan
        return answers

    def episode(self) -> Milestones:
        return Milestones([[], [0]], Shaping("bonus"))

    def close(self) -> None:
        self.closed = True


def half_way(task: Task, shaping: Shaping) -> HalfWay:
    """A maker of it."""
    return HalfWay()
