"""The reward that reads the truth: what a bundle is measured against. For the benchmark only.

Nobody but an evaluation may know `car.truth`. Training reaches these by name (``car.bench.oracle:oracle``), as it does
any reward of a user's own, so that no module that trains imports them.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from car.errors import BadTask, UnknownName
from car.frames import Frame, Frames
from car.milestones import Milestones, Shaping
from car.task import Env, Task
from car.tasks import all_tasks
from car.truth import Predicate, truth_for

CAMERA = "car.bench.oracle:TruthCamera"
_SIDE = 4  # the smallest side that a frame may have


def seen_by_oracle(task: Task) -> Task:
    """The task with the camera that `oracle` and `naive` need."""
    return replace(task, camera=CAMERA)


def oracle(task: Task, shaping: Shaping) -> "OracleReward":
    """Every true sub-task in order, the last one included.

    Raises:
        UnknownName: there is no ground truth for the task.
        BadTask: the task has another camera than `seen_by_oracle` gives.
    """
    return OracleReward(_names(task), shaping)


def naive(task: Task, shaping: Shaping) -> "OracleReward":
    """Every true sub-task but the last one, which pays only what the environment itself pays for it.

    The others pay as much as the whole chain of `oracle`. That is what one writes first, and an agent can do best by it
    if it takes the sub-tasks and then idles.

    Raises:
        UnknownName: there is no ground truth for the task.
        BadTask: the task has another camera than `seen_by_oracle` gives, or a single sub-task.
    """
    names = _names(task)
    if len(names) < 2:
        raise BadTask(f"The task {task.name!r} has one sub-task, so nothing is left to pay without the last one.")
    return OracleReward(names, shaping, len(names) - 1)


def _names(task: Task) -> list[str]:
    if task.camera != CAMERA:
        raise BadTask(f"The oracle of {task.name!r} sees no pictures; train with the task of seen_by_oracle().")
    return [each.name for each in truth_for(task.name)]


class TruthCamera:
    """Takes, in place of a picture, a row of squares: white for each predicate that is true now, else black.

    It returns the same read-only array for as long as nothing changes, as `car.tasks.grid_camera.GridCamera` does.
    """

    def __init__(self) -> None:
        self._predicates: list[Predicate] = []
        self._bits: list[bool] = []
        self._frame: Frame = np.zeros((0, 0, 3), np.uint8)

    def __call__(self, env: Env, observation: object) -> Frame:
        """The truths as a frame, uint8 (4, 4 k, 3).

        Raises:
            UnknownName: the environment is not that of a built-in task with a ground truth.
        """
        if not self._predicates:
            self._predicates = _truth_of(env)
        bits = [each.holds(env) for each in self._predicates]
        if bits != self._bits:
            self._bits = bits
            self._frame = np.kron(np.array(bits, np.uint8)[None, :, None], np.full((_SIDE, _SIDE, 3), 255, np.uint8))
            self._frame.setflags(write=False)
        return self._frame


def _truth_of(env: Env) -> list[Predicate]:
    spec = env.unwrapped.spec
    env_id = spec.id if spec else "unregistered"
    tasks = {task.env_id: name for name, task in all_tasks().items()}
    if env_id not in tasks:
        raise UnknownName("ground truth for the environment", env_id, sorted(tasks))
    return truth_for(tasks[env_id])


class OracleReward:
    """A `car.rewards.Reward` over the frames of `TruthCamera`: k truths, each credited after all before it.

    Args:
        names: of the truths.
        shaping: what milestones pay.
        paid: how many of them, from the first on, are milestones; None is all.
    """

    def __init__(self, names: Sequence[str], shaping: Shaping, paid: int | None = None) -> None:
        self.name = "oracle" if paid is None else "naive"
        self.names = tuple(names[:paid])
        self.frame_shape = (_SIDE, _SIDE * len(names), 3)
        self._shaping = shaping
        self._after = [range(index) for index in range(len(self.names))]

    def signals(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """1 for each truth, else 0, NaN where not asked, (n, k).

        Args:
            initial: not looked at.
            frames: of `TruthCamera`, (n, 4, 4 k, 3).
            ask: which are asked, (n, k).
        """
        true = frames[:, 0, : _SIDE * len(self.names) : _SIDE, 0] > 0
        return np.where(ask, true.astype(np.float64), np.nan)

    def episode(self) -> Milestones:
        """The milestones of a new episode."""
        return Milestones(self._after, self._shaping)

    def close(self) -> None:
        """Nothing runs behind it."""
