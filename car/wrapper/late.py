"""Steps that are scored later than they were made, many at a time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from car.frames import Frame
from car.wrapper.scoring import Scored, Scorer

_MOST_STEPS = 32
_HELD_BYTES = 64 << 20
_FURTHEST = 16


class Move(NamedTuple):
    """One step of n environments, as `Scorer.step` takes it.

    Args:
        frames: the frame of each environment, None where it was not looked at.
        ends: for each environment, whether the step terminated and whether it truncated the episode.
        fresh: for environments that were reset, the first frame of the new episode.
    """

    frames: Sequence[Frame | None]
    ends: Sequence[tuple[bool, bool]]
    fresh: Mapping[int, Frame]


class LateScorer:
    """Scores the steps of n environments some time after they were made; the scores are those of the scorer.

    The reward is asked ahead, in one call about the frames of several steps. When the steps are then scored one after
    the other, it remembers. That is less work than a call for each step, because what is done over and over again is
    fast, and what other work lies between is slow.

    A frame is asked about what its episode needs as far as that is known by then. Where a sub-task is credited in
    between, some was asked in vain. So the longer nothing was credited in an episode, the further ahead it is asked.

    Args:
        scorer: which has started; its reward `KnowsFrames`.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._moves: list[Move] = []
        self._held = 0
        self._milestones = [b""] * scorer.count
        self._quiet = np.zeros(scorer.count, np.intp)

    @property
    def full(self) -> bool:
        """Whether it is time to settle: what is held takes more room, the more steps there are."""
        return len(self._moves) >= _MOST_STEPS or self._held >= _HELD_BYTES

    def add(self, move: Move) -> None:
        """Takes a step, to be scored later."""
        self._moves.append(move)
        self._held += sum(frame.nbytes for frame in move.frames if frame is not None)

    def forget(self) -> None:
        """Drops the steps that were not scored yet."""
        self._moves, self._held = [], 0
        self._quiet[:] = 0

    def settle(self) -> Iterator[tuple[list[Scored], Collection[int]]]:
        """Scores all steps that were taken since, in their order.

        Returns:
            For each step the scores, and the environments in which it ended an episode and a new one began.

        Raises:
            BadFrame: as `Scorer.step`.
        """
        moves, self._moves, self._held = self._moves, [], 0
        asked_to = [0] * self._scorer.count
        for time, move in enumerate(moves):
            if min(asked_to) <= time:
                self._look_ahead(moves, time, asked_to)
            scored = self._scorer.step(*move)
            self._note_changes(scored, move, time, asked_to)
            yield scored, move.fresh.keys()

    def _look_ahead(self, moves: Sequence[Move], time: int, asked_to: list[int]) -> None:
        rows: list[tuple[int, Frame]] = []
        for index, quiet in enumerate(self._quiet.tolist()):
            last: Frame | None = None
            stop = min(len(moves), time + min(_FURTHEST, 1 + quiet // 2))
            if asked_to[index] > time and any(moves[asked_to[index] - 1].ends[index]):
                # What lies behind is another episode, with another first frame.
                continue
            for at in range(max(time, asked_to[index]), stop):
                frame = moves[at].frames[index]
                if frame is not None and frame is not last:
                    rows.append((index, frame))
                    last = frame
                asked_to[index] = at + 1
                if any(moves[at].ends[index]):
                    break
        self._scorer.foresee(rows)

    def _note_changes(self, scored: Sequence[Scored], move: Move, time: int, asked_to: list[int]) -> None:
        """What was asked ahead is worth nothing where an episode has gone on to other sub-tasks, or ended."""
        self._quiet += 1
        for index, each in enumerate(scored):
            milestones = each.milestones.tobytes()
            if milestones != self._milestones[index] or index in move.fresh:
                self._milestones[index] = milestones
                self._quiet[index], asked_to[index] = 0, time + 1
