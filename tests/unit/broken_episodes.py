"""Shapings with a mistake in them, each of which a check of soundness must find."""

from collections.abc import Sequence

import numpy as np

from car.milestones import Milestones, Shaping

After = Sequence[Sequence[int]]


class KeptAtTermination(Milestones):
    """The potential does not fall to 0 where the episode terminates."""

    def step(self, signals: np.ndarray, terminated: bool, truncated: bool, steps: int = 1) -> float:
        return super().step(signals, False, truncated, steps)


class DroppedAtTruncation(Milestones):
    """The potential falls to 0 where the time is up."""

    def step(self, signals: np.ndarray, terminated: bool, truncated: bool, steps: int = 1) -> float:
        return super().step(signals, terminated or truncated, truncated, steps)


class NeverPunished(Milestones):
    """What a way back costs is not taken."""

    def step(self, signals: np.ndarray, terminated: bool, truncated: bool, steps: int = 1) -> float:
        return max(super().step(signals, terminated, truncated, steps), 0.0)


class PaidForTheBest(Milestones):
    """New progress is paid as a bonus, once."""

    def step(self, signals: np.ndarray, terminated: bool, truncated: bool, steps: int = 1) -> float:
        before = self.milestones.mean()
        super().step(signals, terminated, truncated, steps)
        return float(self.milestones.mean() - before)


class Unordered(Milestones):
    """Nothing has prerequisites."""

    def __init__(self, after: After, shaping: Shaping) -> None:
        super().__init__([[]] * len(after), shaping)


class Forgetful:
    """A sub-task is credited for as long as it is done, and paid each time that it is credited."""

    def __init__(self, after: After) -> None:
        self._after = [list(each) for each in after]
        self._now = [False] * len(self._after)

    @property
    def milestones(self) -> np.ndarray:
        return np.array(self._now, np.float32)

    def start(self, signals: np.ndarray) -> None:
        self._now = self._credited(signals)

    def step(self, signals: np.ndarray, terminated: bool, truncated: bool, steps: int = 1) -> float:
        before, self._now = self._now, self._credited(signals)
        return self._pay(before) / len(self._now)

    def _pay(self, before: list[bool]) -> int:
        return sum(now and not then for then, now in zip(before, self._now, strict=True))

    def _credited(self, signals: np.ndarray) -> list[bool]:
        credited: list[bool] = []
        for index, before in enumerate(self._after):
            credited.append(bool(signals[index] >= 1) and all(credited[each] for each in before))
        return credited


class PaidWhileItHolds(Forgetful):
    """A sub-task is paid on every frame on which it is done."""

    def _pay(self, before: list[bool]) -> int:
        return sum(self._now)
