"""Anything that scores frames: a bundle of checkers, or CLIP."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from car.frames import Frames


class Episode(Protocol):
    """What has been credited in one running episode; made new at every reset."""

    @property
    def wanted(self) -> NDArray[np.bool_]:
        """Which of the k signals the next step needs, shape (k,)."""
        ...

    @property
    def milestones(self) -> NDArray[np.float32]:
        """What has been credited so far, 1 or 0 for each of the k signals, shape (k,)."""
        ...

    def start(self, signals: NDArray[np.float64]) -> None:
        """Takes the signals of the episode's first frame, shape (k,)."""
        ...

    def step(self, signals: NDArray[np.float64], terminated: bool, truncated: bool) -> float:
        """The reward of one step from the signals of the frame after it, shape (k,)."""
        ...


class Reward(Protocol):
    """Scores frames; shared by all environments of a process and without per-episode state."""

    name: str

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
