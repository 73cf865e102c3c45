"""Anything that scores frames: a bundle of checkers, or CLIP."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from car.frames import Frames


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
        """What has been credited so far, 1 or 0 for each of the k signals, shape (k,); a new array at each call."""
        ...

    def also_wanted(self, signals: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which signals the present frame needs once those given are known, shape (k,); changes nothing."""
        ...

    def start(self, signals: NDArray[np.float64]) -> None:
        """Takes the signals of the episode's first frame, shape (k,), NaN where not asked."""
        ...

    def step(self, signals: NDArray[np.float64], terminated: bool, truncated: bool) -> float:
        """The reward of one step from the signals of the frame after it, shape (k,), NaN where not asked."""
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
