"""Plays episodes with a trained policy, and watches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from car.film.moment import Moment, Reel
from car.frames import Frame, Frames
from car.milestones import Milestones
from car.rewards import Reward, WithoutEnds
from car.task import Camera, Env, Task
from car.train import Actor, TrainSettings
from car.wrapper.camera import settled
from car.wrapper.scoring import ends_episodes

FILM_SEED = 2_000_000_000
"""Episodes of a film are reset with this seed and those after it; training and evaluation have smaller ones."""

LONGEST = 5_000
"""Steps after which an episode that does not end is filmed no further."""

LARGEST = 640
"""The longer side of a frame in a film, in pixels; frames that are larger are kept scaled down."""


@dataclass(frozen=True)
class Episode:
    """One episode of a film.

    Args:
        seed: what the environment was reset with.
        names: of the sub-tasks.
        moments: those that are shown, the last one at the end.
        stride: how many steps lie between two of them.
    """

    seed: int
    names: tuple[str, ...]
    moments: Sequence[Moment]
    stride: int

    @property
    def last(self) -> Moment:
        """How it ended."""
        return self.moments[-1]


def play(
    policy: Actor, task: Task, reward: Reward | None, settings: TrainSettings, seed: int, longest: int = LONGEST
) -> Episode:
    """Plays one episode; the same seed gives the same one.

    Args:
        policy: that acts.
        task: what to play.
        reward: what credits the milestones; None for none. It is left open.
        settings: how the policy was trained.
        seed: of the episode, and of the actions that are drawn.
        longest: steps after which an episode that does not end is filmed no further.

    Raises:
        BadTask: the environment cannot be made.
        BadFrame: its camera gives no frames, or the reward works on others.
    """
    from car.train.sb3 import make_venv, own_noise, torch_threads

    watching = _Watching(task.make_camera())
    if reward is not None and ends_episodes(reward):
        reward = WithoutEnds(reward)
    told = settings if reward is not None else replace(settings, observe_milestones=False, hierarchical=False)
    venv = make_venv(_Watched.of(task, watching), [[seed]], reward or NoSubTasks(), told)
    try:
        with own_noise(seed), torch_threads(settings.threads):
            return _played(policy, venv, watching, told, seed, longest)
    finally:
        venv.close()


def _played(
    policy: Actor, venv: Any, watching: "_Watching", settings: TrainSettings, seed: int, longest: int
) -> Episode:
    observations = venv.reset()
    first = _milestones_at_reset(venv)
    account = _Account(tuple(first), not settings.hierarchical)
    reel = Reel().add(account.moment(watching.frame, 0, first))
    for step in range(1, longest + 1):
        actions, _ = policy.predict(observations, deterministic=settings.eval_deterministic)
        observations, _, dones, (info,) = venv.step(actions)
        over = bool(dones[0]) or step == longest
        reel.add(account.after(watching.frame, step, info, over))
        if over:
            break
    return Episode(seed, account.names, reel.moments, reel.stride)


class _Account:
    """What an episode has brought so far.

    Args:
        names: of the sub-tasks.
        paid: whether the reward pays for them as `info` says.
    """

    def __init__(self, names: tuple[str, ...], paid: bool) -> None:
        self.names = names
        self._credited: tuple[int | None, ...] = (None,) * len(names)
        self._shaped: float | None = 0.0 if paid and names else None
        self._own = 0.0

    def after(self, frame: Frame, step: int, info: dict[str, Any], over: bool) -> Moment:
        """The moment after a step."""
        self._own += float(info["car/env_reward"])
        if self._shaped is not None:
            self._shaped += float(info["car/shaped"])
        return self.moment(frame, step, info["car/milestones"], info.get("is_success"), over)

    def moment(
        self, frame: Frame, step: int, milestones: dict[str, bool], success: bool | None = None, over: bool = False
    ) -> Moment:
        """The moment at which these milestones are credited."""
        done = (step if milestones[name] else None for name in self.names)
        self._credited = tuple(now if at is None else at for at, now in zip(self._credited, done, strict=True))
        return Moment(frame, step, self._credited, self._shaped, self._own, success, over)


def _milestones_at_reset(venv: Any) -> dict[str, bool]:
    from car.wrapper import DenseVecReward

    while not isinstance(venv, DenseVecReward):
        venv = venv.venv
    milestones: dict[str, bool] = venv.reset_infos[0]["car/milestones"]
    return milestones


class _Watching:
    """A camera that remembers its last frame, at the size at which it is shown.

    Args:
        camera: that takes the frames.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._before: Frame | None = None
        self.frame: Frame = np.zeros((4, 4, 3), np.uint8)
        self.is_current = False

    def __call__(self, env: Env, observation: Any) -> Frame:
        self.is_current = True
        taken = settled(self._camera(env, observation), self._before)
        if taken is not self._before:
            self._before, self.frame = taken, _bounded(taken)
        return taken


class _Onlooker(gym.Wrapper[Any, Any, Any, Any]):
    """Has a frame taken at the steps that the reward does not look at."""

    def __init__(self, env: Env, watching: _Watching) -> None:
        super().__init__(env)
        self._watching = watching

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """The environment's own."""
        self._watching.is_current = False
        observation, *rest = self.env.step(action)
        if not self._watching.is_current:
            self._watching(self.env, observation)
        return observation, *rest


def _bounded(frame: Frame) -> Frame:
    longer = max(frame.shape[:2])
    if longer <= LARGEST:
        return frame
    height, width = (max(1, round(side * LARGEST / longer)) for side in frame.shape[:2])
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


class _Watched(Task):
    """A task with a camera of ours, which sees every step; as data it is that task."""

    _camera: _Watching

    @classmethod
    def of(cls, task: Task, camera: _Watching) -> "_Watched":
        watched = cls(**task.as_dict())
        object.__setattr__(watched, "_camera", camera)
        return watched

    def viewed(self, env: Env) -> Env:
        """The environment as the agent sees it."""
        return super().viewed(_Onlooker(env, self._camera))

    def make_camera(self) -> Camera:
        """The camera, for the only environment that is made."""
        return self._camera


class NoSubTasks:
    """A reward that names nothing and pays nothing, so that frames are taken all the same."""

    name = "no sub-tasks"
    names: tuple[str, ...] = ()
    frame_shape: tuple[int, ...] | None = None

    def signals(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """No signals for each frame, shape (n, 0)."""
        return np.empty((len(frames), 0))

    def episode(self) -> Milestones:
        """No milestones."""
        return Milestones([])

    def close(self) -> None:
        """Nothing runs behind it."""
