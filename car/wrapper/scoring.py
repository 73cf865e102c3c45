"""The running episodes of n environments, scored against one reward in one call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from car.errors import BadFrame, UnknownName
from car.frames import Frame, Frames
from car.milestones import Shaping
from car.rewards import Episode, Reward
from car.rewards.code import CodeReward, open_reward
from car.task import Task

ENV_REWARDS = ("add", "replace")


@dataclass(frozen=True)
class Scored:
    """What the reward says of one step of one environment.

    Args:
        shaped: what it pays.
        milestones: 1 or 0 for each signal, after the step and before any reset, float32 (k,).
    """

    shaped: float
    milestones: NDArray[np.float32]


@dataclass(frozen=True)
class _Running:
    """An episode that has begun, and its first frame."""

    episode: Episode
    initial: Frame


class Scorer:
    """Keeps the episodes of n environments.

    Each step is one call of the reward for all of them, the first frames of new episodes included. Another call comes
    only where a sub-task that is done opens one behind it.

    Args:
        reward: what scores the frames.
        count: n.
    """

    def __init__(self, reward: Reward, count: int) -> None:
        self.reward = reward
        self.count = count
        self._running: list[_Running] = []
        self._shape = reward.frame_shape
        self._initial: Frames | None = None

    @property
    def started(self) -> bool:
        """Whether `start` was called."""
        return bool(self._running)

    def milestones(self) -> NDArray[np.float32]:
        """Those of the n running episodes, float32 (n, k)."""
        return np.stack([each.episode.milestones for each in self._running])

    def start(self, frames: Sequence[Frame]) -> None:
        """Begins an episode in each environment, with its first frame.

        Raises:
            BadFrame: a frame of another size than those that the reward was made for.
        """
        begun = [self._begin(frame) for frame in frames]
        batch = _batch(frames)
        signals = self._judge(begun, batch, batch)
        for each, row in zip(begun, signals, strict=True):
            each.episode.start(row)
        self._running, self._initial = begun, None

    def step(
        self, frames: Sequence[Frame], ends: Sequence[tuple[bool, bool]], fresh: Mapping[int, Frame]
    ) -> list[Scored]:
        """Scores the frames after a step, and begins the next episode where one ended.

        Args:
            frames: the frame of each environment after the step, before any reset.
            ends: for each environment, whether the step terminated and whether it truncated the episode.
            fresh: for environments that were reset in this step, the first frame of the new episode.

        Raises:
            BadFrame: a frame of another size than those that the reward was made for.
        """
        for frame in frames:
            self._check(frame)
        begun = {index: self._begin(frame) for index, frame in fresh.items()}
        signals = self._judge(
            [*self._running, *begun.values()], self._initials(begun), _batch([*frames, *fresh.values()])
        )
        scored = []
        for each, row, (terminated, truncated) in zip(self._running, signals[: self.count], ends, strict=True):
            shaped = each.episode.step(row, terminated, truncated)
            scored.append(Scored(shaped, each.episode.milestones))
        for (index, each), row in zip(begun.items(), signals[self.count :], strict=True):
            each.episode.start(row)
            self._running[index], self._initial = each, None
        return scored

    def _begin(self, frame: Frame) -> _Running:
        self._shape = self._shape or frame.shape
        self._check(frame)
        return _Running(self.reward.episode(), frame)

    def _check(self, frame: Frame) -> None:
        if self._shape is not None and frame.shape != tuple(self._shape):
            raise BadFrame(
                f"The frame is {_size(frame.shape)}, but the reward {self.reward.name!r} works on frames of "
                f"{_size(self._shape)}; take them in the same way."
            )

    def _initials(self, begun: Mapping[int, _Running]) -> Frames:
        """The first frames; one object for as long as no episode ends, so that it need not be hashed again."""
        if self._initial is None:
            self._initial = _batch([each.initial for each in self._running])
        if not begun:
            return self._initial
        return _batch([*self._initial, *(each.initial for each in begun.values())])

    def _judge(self, running: Sequence[_Running], initial: Frames, frames: Frames) -> NDArray[np.float64]:
        """The signals that each episode needs of its frame, (n, k); NaN where not asked."""
        wanted = np.stack([each.episode.wanted for each in running])
        signals, asked = np.full(wanted.shape, np.nan), np.zeros_like(wanted)
        while wanted.any():
            answers = self.reward.signals(initial, frames, wanted)
            signals[wanted] = answers[wanted]
            asked |= wanted
            more = [each.episode.also_wanted(row) for each, row in zip(running, signals, strict=True)]
            wanted = np.stack(more) & ~asked
        return signals


def _batch(frames: Sequence[Frame]) -> Frames:
    batch = np.stack(frames)
    batch.setflags(write=False)
    return batch


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]} x {shape[0]} pixels"


def opened(
    reward: Reward | str | Path,
    shaping: str,
    env_reward: str,
    gamma: float,
    scale: float,
    allow_unreviewed: bool,
    isolation: int | None = None,
) -> Reward:
    """The reward that a wrapper was given, opened if it is a bundle's path.

    Raises:
        UnknownName: there is no such shaping or use of the environment's reward.
        BadBundle: missing, damaged, changed, or not approved.
        SandboxUnavailable: this machine cannot isolate programs as well as is asked for.
    """
    if env_reward not in ENV_REWARDS:
        raise UnknownName("env_reward", env_reward, list(ENV_REWARDS))
    goal = scale if env_reward == "replace" and shaping == "potential" else 0.0
    settings = Shaping(shaping, gamma, scale, goal)
    if not isinstance(reward, str | Path):
        return reward
    return open_reward(reward, settings, allow_unreviewed, isolation=isolation)


def task_of(reward: Reward) -> Task | None:
    """The task that a reward was made for, if it knows one."""
    return reward.task if isinstance(reward, CodeReward) else None


def facts(names: Sequence[str], milestones: NDArray[np.float32]) -> dict[str, object]:
    """What `info` says of the milestones."""
    reached = [bool(each) for each in milestones]
    return {"car/milestones": dict(zip(names, reached, strict=True)), "car/credited": sum(reached)}
