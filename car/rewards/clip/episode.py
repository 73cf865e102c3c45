"""What a running episode gets for its CLIP scores."""

import numpy as np
from numpy.typing import NDArray

from car.milestones import Shaping

_ALL = np.ones(1, np.bool_)


class ClipEpisode:
    """The memory of one episode: the score of the frame before.

    With the shaping ``bonus`` each step pays ``scale`` times the score of its frame, as the papers have it: that a
    frame goes on being good goes on paying. With ``potential`` a step pays ``scale * (gamma * score' - score)``, so
    that no loop pays; see `car.milestones` for the ends of episodes, and for frames that are not looked at.

    Args:
        shaping: how scores pay.
        ends: whether the episode is over where the score is 1.
    """

    def __init__(self, shaping: Shaping, ends: bool) -> None:
        self._shaping, self._ends = shaping, ends
        self._before = 0.0
        self.over = False

    @property
    def wanted(self) -> NDArray[np.bool_]:
        """Every frame is scored, (1,)."""
        return _ALL.copy()

    @property
    def milestones(self) -> NDArray[np.float32]:
        """Nothing is ever credited, (1,)."""
        return np.zeros(1, np.float32)

    def also_wanted(self, signals: NDArray[np.float64]) -> NDArray[np.bool_]:
        """No score opens another one, (1,)."""
        return _ALL.copy()

    def start(self, signals: NDArray[np.float64]) -> None:
        """Takes the score of the first frame, (1,)."""
        self._before = float(signals[0])

    def step(self, signals: NDArray[np.float64], terminated: bool, truncated: bool, steps: int = 1) -> float:
        """What a step pays, from the score of the frame after it, (1,)."""
        score = float(signals[0])
        self.over = self._ends and score >= 1.0
        if self._shaping.kind == "bonus":
            return self._shaping.scale * score
        gamma, before = self._shaping.gamma, self._before
        self._before = 0.0 if terminated or self.over else score
        return self._shaping.scale * (gamma * self._before - gamma ** (1 - steps) * before)
