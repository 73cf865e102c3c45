"""The running episodes of n environments, scored against one reward in one call."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from car.errors import BadFrame, UnknownName, UserError
from car.frames import Frame
from car.milestones import Shaping
from car.rewards import EndsEpisodes, Episode, KnowsFrames, Reward
from car.rewards.clip import GatedReward, is_clip, open_clip_reward
from car.rewards.code import CodeReward, open_reward
from car.task import Task

_LARGEST_FACTOR = 1000
ENV_REWARDS = ("add", "replace")


class Scored(NamedTuple):
    """What the reward says of one step of one environment.

    Args:
        shaped: what it pays.
        milestones: as in `Episode`, after the step and before any reset, float32 (k,); 1 is credited.
        over: whether the reward ends the episode here.
    """

    shaped: float
    milestones: NDArray[np.float32]
    over: bool = False


class _Running:
    """An episode that has begun.

    Args:
        episode: what is credited.
        initial: its first frame.

    Attributes:
        frame: the last frame that was looked at.
        asked: the signals that were asked of that frame, as bytes; None if some of them are not sure.
        signals: what was said.
        since: how many steps ago that was.
    """

    __slots__ = ("asked", "episode", "frame", "initial", "signals", "since")

    def __init__(self, episode: Episode, initial: Frame) -> None:
        self.episode = episode
        self.initial = self.frame = initial
        self.asked: bytes | None = None
        self.signals: NDArray[np.float64] = np.empty(0)
        self.since = 0


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
        self._knows_frames = isinstance(reward, KnowsFrames)
        self._ask = reward.signals_of if isinstance(reward, KnowsFrames) else partial(_stacked, reward)
        self._ends = ends_episodes(reward)
        self._running: list[_Running] = []
        self._shape = reward.frame_shape

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
        self._judge(begun)
        _start(begun)
        self._running = begun

    def restart(self, fresh: Mapping[int, Frame]) -> None:
        """Begins an episode in some environments, with its first frame; the others go on.

        Raises:
            BadFrame: a frame of another size than those that the reward was made for.
        """
        begun = {index: self._begin(frame) for index, frame in fresh.items()}
        self._judge(list(begun.values()))
        _start(begun.values())
        self._replace(begun)

    def step(
        self, frames: Sequence[Frame | None], ends: Sequence[tuple[bool, bool]], fresh: Mapping[int, Frame]
    ) -> list[Scored]:
        """Scores the frames after a step, and begins the next episode where one ended.

        Args:
            frames: the frame of each environment after the step, before any reset; None where it was not looked at,
                which pays nothing and must not be at the end of an episode.
            ends: for each environment, whether the step terminated and whether it truncated the episode.
            fresh: for environments that were reset in this step, the first frame of the new episode.

        Raises:
            BadFrame: a frame of another size than those that the reward was made for, or none at the end.
        """
        unsure = [
            each
            for each, frame in zip(self._running, frames, strict=True)
            if frame is not None and not self._is_known(each, frame)
        ]
        begun = {index: self._begin(frame) for index, frame in fresh.items()}
        self._judge([*unsure, *begun.values()])
        scored = [
            _unseen(each, *end) if frame is None else _paid(each, *end, self._ends)
            for each, frame, end in zip(self._running, frames, ends, strict=True)
        ]
        _start(begun.values())
        self._replace(begun)
        return scored

    def foresee(self, rows: Iterable[tuple[int, Frame]]) -> None:
        """Asks the reward ahead about frames of running episodes, so that it remembers when they are scored.

        Args:
            rows: the environment and the frame, which is asked about what the environment's episode needs now.
        """
        if not isinstance(self.reward, KnowsFrames):
            return
        asked = {(index, id(frame)): (self._running[index], frame) for index, frame in rows}
        if asked:
            running, frames = zip(*asked.values(), strict=True)
            ask = np.array([each.episode.wanted for each in running])
            self.reward.foresee([each.initial for each in running], frames, ask)

    def _is_known(self, running: _Running, frame: Frame) -> bool:
        """Takes the frame; says whether it, and what is to be asked of it, is that of the look before."""
        if frame is running.frame:
            return self._knows_frames and running.asked == running.episode.wanted.tobytes()
        self._check(frame)
        running.frame = frame
        return False

    def _replace(self, begun: Mapping[int, _Running]) -> None:
        for index, each in begun.items():
            self._running[index] = each

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

    def _judge(self, running: Sequence[_Running]) -> None:
        """Asks for the signals that each episode needs of its frame, (k,); NaN where not asked."""
        if not running:
            return
        asked = np.array([each.episode.wanted for each in running])
        signals = self._asked(running, asked)
        if (signals >= 1.0).any():
            signals, asked = self._pursued(running, signals, asked)
        sure = (np.isnan(signals) != asked).all(axis=1).tolist()
        for each, row, ask, is_sure in zip(running, signals, asked, sure, strict=True):
            each.signals = row
            each.asked = ask.tobytes() if is_sure else None

    def _pursued(
        self, running: Sequence[_Running], signals: NDArray[np.float64], asked: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The signals, and which were asked, once all is asked that those which are done have opened."""
        wanted = asked
        while wanted.any():
            more = [each.episode.also_wanted(row) for each, row in zip(running, signals, strict=True)]
            wanted = np.array(more) & ~asked
            signals = np.where(wanted, self._asked(running, wanted), signals)
            asked = asked | wanted
        return signals, asked

    def _asked(self, running: Sequence[_Running], ask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """What the reward says, (n, k), NaN where not asked."""
        rows = np.flatnonzero(ask.any(axis=1)).tolist()
        if len(rows) == len(running):
            return self._ask([each.initial for each in running], [each.frame for each in running], ask)
        signals = np.full(ask.shape, np.nan)
        if rows:
            some = [running[row] for row in rows]
            signals[rows] = self._ask([each.initial for each in some], [each.frame for each in some], ask[rows])
        return signals


def _paid(running: _Running, terminated: bool, truncated: bool, ends: bool) -> Scored:
    episode, steps = running.episode, running.since + 1
    running.since = 0
    if steps == 1:
        shaped = episode.step(running.signals, terminated, truncated)
    else:
        shaped = episode.step(running.signals, terminated, truncated, steps)
    return Scored(shaped, episode.milestones, ends and getattr(episode, "over", False))


def _unseen(running: _Running, terminated: bool, truncated: bool) -> Scored:
    if terminated or truncated:
        raise BadFrame(
            "An episode has ended without a frame: put the FrameTap around the wrapper that ends episodes, such as a "
            "time limit."
        )
    running.since += 1
    return Scored(0.0, running.episode.milestones)


def _start(begun: Iterable[_Running]) -> None:
    for each in begun:
        each.episode.start(each.signals)


def _stacked(
    reward: Reward, initial: Sequence[Frame], frames: Sequence[Frame], ask: NDArray[np.bool_]
) -> NDArray[np.float64]:
    return np.where(ask, reward.signals(np.stack(initial), np.stack(frames), ask), np.nan)


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
    monotone_progress: bool = False,
    every: int = 1,
) -> Reward:
    """The reward that a wrapper was given, opened if it is a bundle's path.

    Raises:
        UnknownName: there is no such shaping or use of the environment's reward.
        UserError: monotone progress with ``bonus``, or a number out of its range; too few looks for such a discount.
        BadBundle: missing, damaged, changed, or not approved.
        SandboxUnavailable: this machine cannot isolate programs as well as is asked for.
    """
    settings = shaping_for(shaping, env_reward, gamma, scale, monotone_progress)
    if shaping == "potential" and (every - 1) * -math.log(gamma) > math.log(_LARGEST_FACTOR):
        raise UserError(
            f"With gamma {gamma} and every {every}, what `potential` takes back at a look is multiplied by more than "
            f"{_LARGEST_FACTOR}; look more often, or choose the shaping `bonus`."
        )
    if not isinstance(reward, str | Path):
        return reward
    if is_clip(reward):
        return open_clip_reward(str(reward), None, settings, allow_unreviewed, isolation)
    return open_reward(reward, settings, allow_unreviewed, isolation=isolation)


def ends_episodes(reward: Reward) -> bool:
    """Whether the reward may end an episode."""
    return isinstance(reward, EndsEpisodes) and reward.ends_episodes


def shaping_for(kind: str, env_reward: str, gamma: float, scale: float, monotone_progress: bool = False) -> Shaping:
    """What milestones pay, given what happens to the environment's own reward.

    Raises:
        UnknownName: there is no such shaping or use of the environment's reward.
        UserError: monotone progress with ``bonus``, or a number out of its range.
    """
    if env_reward not in ENV_REWARDS:
        raise UnknownName("env_reward", env_reward, list(ENV_REWARDS))
    goal = scale if env_reward == "replace" and kind == "potential" else 0.0
    return Shaping(kind, gamma, scale, goal, monotone_progress)


def task_of(reward: Reward) -> Task | None:
    """The task that a reward was made for, if it knows one."""
    return reward.task if isinstance(reward, CodeReward | GatedReward) else None


def facts(names: Sequence[str], milestones: NDArray[np.float32]) -> dict[str, object]:
    """What `info` says of the milestones."""
    reached, count = _reached(tuple(names), milestones.tobytes())
    return {"car/milestones": dict(reached), "car/credited": count}


@lru_cache(maxsize=1024)
def _reached(names: tuple[str, ...], milestones: bytes) -> tuple[dict[str, bool], int]:
    reached = [each >= 1.0 for each in np.frombuffer(milestones, np.float32).tolist()]
    return dict(zip(names, reached, strict=True)), sum(reached)
