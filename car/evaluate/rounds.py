"""Which episode is played next, and when it is enough."""

from collections.abc import Callable
from dataclasses import dataclass

from car.evaluate.episodes import Fresh, FreshEpisode
from car.record.labelled import KINDS

MATCHING = 10
"""Episodes of each kind that are played before the others, to find the counterparts with."""

MOST = 500
"""A small task has fewer pairs than are wanted: after so many episodes of each kind it is enough."""


@dataclass(frozen=True)
class Progress:
    """How far an evaluation is, told after each episode.

    Args:
        kind: the episode's kind.
        measured: whether the figures are measured on it; else it is one to find the counterparts with.
        pairs: distinct (first frame, frame) pairs that are measured so far.
        wanted: how many there will be at least.
    """

    kind: str
    measured: bool
    pairs: int
    wanted: int


class Rounds:
    """Plays until there are enough pairs and enough episodes of each kind.

    Args:
        fresh: what plays them.
        wanted: at least so many distinct pairs, unless `MOST` episodes of each kind have fewer.
        least: at least so many episodes of each kind.
        tell: called after each episode.
    """

    def __init__(self, fresh: Fresh, wanted: int, least: int, tell: Callable[[Progress], None] | None = None) -> None:
        self._fresh, self._wanted, self._least, self._tell = fresh, wanted, least, tell
        self._seen: set[int] = set()
        self._new = dict.fromkeys(KINDS, 0)
        self._count = dict.fromkeys(KINDS, 0)

    @property
    def pairs(self) -> int:
        """Distinct pairs that are measured so far."""
        return len(self._seen)

    def matching(self) -> list[FreshEpisode]:
        """Episodes to find the counterparts with; nothing is measured on them."""
        episodes = []
        for kind in KINDS * MATCHING:
            episodes.append(self._fresh.play(kind))
            self._told(kind, measured=False)
        return episodes

    def measured(self) -> list[FreshEpisode]:
        """The episodes on which the figures are measured.

        Each next one is of the kind that has brought the fewest new pairs so far, so that random episodes, which are
        long, do not outweigh the others.
        """
        episodes = []
        while (kind := self._next()) is not None:
            episodes.append(self._fresh.play(kind))
            new = set(episodes[-1].pairs.tolist()) - self._seen
            self._seen |= new
            self._new[kind] += len(new)
            self._count[kind] += 1
            self._told(kind, measured=True)
        return episodes

    def _next(self) -> str | None:
        most = self._least if self.pairs >= self._wanted else MOST
        possible = [kind for kind in KINDS if self._count[kind] < most]
        return min(possible, key=lambda kind: self._new[kind]) if possible else None

    def _told(self, kind: str, measured: bool) -> None:
        if self._tell is not None:
            self._tell(Progress(kind, measured, self.pairs, self._wanted))
