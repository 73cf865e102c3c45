"""What a film shows: the moments of an episode, so many that it does not get long."""

from dataclasses import dataclass
from typing import Self

from car.frames import Frame

MOST = 120
"""The moments that are shown of an episode, the last one apart; of longer episodes every second, fourth, ... one is."""


@dataclass(frozen=True)
class Moment:
    """What is to be seen at one step of an episode.

    Args:
        frame: the environment's frame.
        step: how many steps have been taken.
        credited: for each sub-task the step at which it was credited, or None.
        shaped: what the reward has paid for sub-tasks so far; None where it pays nothing of its own.
        own: the sum of the environment's own reward so far.
        success: at the episode's end, whether it succeeded by the environment's own account; before it, None.
        over: whether this is the last moment of the episode.
    """

    frame: Frame
    step: int
    credited: tuple[int | None, ...] = ()
    shaped: float | None = None
    own: float = 0.0
    success: bool | None = None
    over: bool = False


class Reel:
    """Keeps the moments of an episode that are shown, evenly spaced, however long it becomes.

    Args:
        most: how many are kept, the last one apart.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most, self._stride = most, 1
        self._kept: list[Moment] = []
        self._last: Moment | None = None

    def add(self, moment: Moment) -> Self:
        """Takes the next moment; the first one has step 0."""
        self._last = moment
        if moment.step % self._stride == 0:
            self._kept.append(moment)
        if len(self._kept) > self._most:
            self._stride *= 2
            self._kept = self._kept[::2]
        return self

    @property
    def moments(self) -> list[Moment]:
        """Those that are shown; the last moment is always among them."""
        ends = [] if self._last is None or self._kept[-1] is self._last else [self._last]
        return [*self._kept, *ends]

    @property
    def stride(self) -> int:
        """How many steps lie between two moments."""
        return self._stride
