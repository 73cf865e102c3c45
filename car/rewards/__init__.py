"""Anything that scores frames: a bundle of checkers, or CLIP."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from car.errors import BadTask
from car.frames import Frame, Frames
from car.milestones import Shaping
from car.rewards.clip_kinds import is_clip
from car.task import Task, resolve


class Episode(Protocol):
    """What has been credited in one running episode; made new at every reset.

    A frame is judged in one or more rounds, because a signal can make another one necessary on the same frame (a
    sub-task that is done opens the one behind it)::

        signals = ask(frame, episode.wanted)                    # NaN where not asked
        while (more := episode.also_wanted(signals)) holds signals that were not asked yet:
            signals[more] = ask(frame, more)
        episode.start(signals)                                  # the first frame, or
        reward = episode.step(signals, terminated, truncated)   # every later one
    """

    @property
    def wanted(self) -> NDArray[np.bool_]:
        """Which of the k signals the first round about the next frame needs, shape (k,)."""
        ...

    @property
    def milestones(self) -> NDArray[np.float32]:
        """What has been credited so far, shape (k,); a new array at each call.

        1 for each of the k signals that is credited. Else 0, or below 1 what else the pay depends on, so that a learner
        that sees it can know.
        """
        ...

    def also_wanted(self, signals: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which signals the present frame needs once those given are known, shape (k,); changes nothing.

        As long as none of them is 1, which is done, it needs no others than before.
        """
        ...

    def start(self, signals: NDArray[np.float64]) -> None:
        """Takes the signals of the episode's first frame, shape (k,), NaN where not asked."""
        ...

    def step(self, signals: NDArray[np.float64], terminated: bool, truncated: bool, steps: int = 1) -> float:
        """The reward of one step from the signals of the frame after it, shape (k,), NaN where not asked.

        Args:
            signals: of the frame.
            terminated: the environment reached an end of its own.
            truncated: the episode was cut.
            steps: how many steps lie between the last frame that was looked at and this one; it is given where that is
                more than one.
        """
        ...


class Reward(Protocol):
    """Scores frames; shared by all environments of a process and without per-episode state."""

    @property
    def name(self) -> str:
        """What to call it, e.g. the folder of a bundle."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """What each of the k signals stands for."""
        ...

    @property
    def frame_shape(self) -> tuple[int, ...] | None:
        """The shape (H, W, 3) of the frames that it was made for; None if any will do."""
        ...

    def signals(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """k signals for each of n frames: 1 is done, less is progress, NaN was not asked.

        Args:
            initial: first frame of each row's episode, (n, H, W, 3).
            frames: the frames to score, (n, H, W, 3).
            ask: which signals each row still needs, (n, k).
        """
        ...

    def episode(self) -> Episode:
        """Per-episode state, new at every reset."""
        ...

    def close(self) -> None:
        """Ends whatever runs behind it."""
        ...


@runtime_checkable
class KnowsFrames(Protocol):
    """What a `Reward` can offer on top, if it remembers what it said: `signals` for frames that need not be stacked.

    A read-only array that is no view is never drawn over. So the same object is the same picture, and need not be
    looked at again.
    """

    def signals_of(
        self, initial: Sequence[Frame], frames: Sequence[Frame], ask: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """What `Reward.signals` says of the same frames, stacked; NaN where it may say something else the next time.

        While a frame stays the same, and what is asked of it, an answer that is no NaN is not asked for again.

        Args:
            initial: first frame of each row's episode, n of (H, W, 3).
            frames: the frames to score, n of (H, W, 3).
            ask: which signals each row still needs, (n, k).
        """
        ...

    def foresee(self, initial: Sequence[Frame], frames: Sequence[Frame], ask: NDArray[np.bool_]) -> None:
        """Takes note that this will be asked, so that `signals_of` has the answers; changes no answer.

        Args:
            initial: first frame of each row's episode, n of (H, W, 3).
            frames: the frames, n of (H, W, 3).
            ask: which signals each row will probably need, (n, k).
        """
        ...


@runtime_checkable
class EndsEpisodes(Protocol):
    """What a `Reward` can have on top, if its episodes say when they are over; their `over` is true then."""

    @property
    def ends_episodes(self) -> bool:
        """Whether any of them may end an episode."""
        ...


class WithoutEnds:
    """A reward whose episodes end no episode: where a policy is looked at, the environment alone says when it is over.

    Args:
        reward: the reward itself, which this one does not close.
    """

    ends_episodes = False

    def __init__(self, reward: Reward) -> None:
        self._reward = reward
        self.name, self.names, self.frame_shape = reward.name, reward.names, reward.frame_shape

    def signals(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The reward's own, (n, k)."""
        return self._reward.signals(initial, frames, ask)

    def episode(self) -> Episode:
        """The reward's own."""
        return self._reward.episode()

    def close(self) -> None:
        """The reward is left open."""


RewardMaker = Callable[[Task, Shaping], Reward]
"""Makes the reward for a task; milestones, if it has any, should pay as the shaping says."""

_WHAT_A_REWARD_HAS = ("name", "names", "frame_shape", "signals", "episode", "close")


def is_made(reward: object) -> bool:
    """Whether this names a `RewardMaker`, ``module:attribute``, or a CLIP reward, and not a folder."""
    # A CLIP reward first: its line may be longer than a path can be.
    return is_clip(reward) or (isinstance(reward, str) and ":" in reward and not Path(reward).exists())


def made_reward(reference: str, task: Task, shaping: Shaping) -> Reward:
    """The reward that a `RewardMaker` makes; a module in the current folder is found too.

    Args:
        reference: ``module:attribute`` of the maker, or a CLIP reward in one line.
        task: what the reward is for.
        shaping: what milestones shall pay.

    Raises:
        BadTask: there is no such maker, or what it made is no reward.
        UserError: a CLIP reward that cannot be made.
    """
    if is_clip(reference):
        from car.rewards.clip.reward import open_clip_reward

        return open_clip_reward(reference, task, shaping)
    maker: Any = resolve(reference)
    if not callable(maker):
        raise BadTask(f"The reward {reference!r} is no function; it is {maker!r:.100}.")
    reward: Reward = maker(task, shaping)
    if lacking := [each for each in _WHAT_A_REWARD_HAS if not hasattr(reward, each)]:
        raise BadTask(
            f"The reward that {reference!r} made, {reward!r:.100}, has no {lacking[0]!r}; see car.rewards.Reward."
        )
    return reward
