"""Asking the checkers of a session about many trajectories, in batches that keep all workers busy."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from car.checker import Checker
from car.frames import Frames
from car.sandbox import Session
from car.trajectory import Trajectory
from car.verify.frontier import Frontier
from car.verify.transcript import NOT_ASKED, Transcript

Part = tuple[Transcript, NDArray[np.int64], NDArray[np.bool_]]
"""Distinct frames of a trajectory, (n,), in the order in which to ask about them, and whom to ask, (n, k)."""

_BATCH_BYTES = 4 << 20
_ALONE = 3
"""So many trajectories are asked about one by one before it goes on in large batches.

A sandbox lets its workers run side by side once it has seen that their answers take time, and a program that is wrong
at once costs little.
"""
_TOGETHER, _AHEAD = 32, 8
"""So many episodes are on their way at the same time, each so many distinct frames ahead of what is known.

All episodes at once would all need the first sub-task, and only one worker would have work.
"""


class Inquiry:
    """What the checkers of a session say of trajectories.

    Args:
        session: k live checkers.
        trajectories: what to ask about.

    Attributes:
        transcripts: the answers so far, one for each trajectory.
        sound: which checkers have not failed, (k,); others are not asked any more.
    """

    def __init__(self, session: Session, trajectories: Sequence[Trajectory]) -> None:
        self._session = session
        self.transcripts = [Transcript(each, len(session.checkers)) for each in trajectories]
        self.sound = np.ones(len(session.checkers), np.bool_)

    def ask_everything(self) -> None:
        """Asks every checker about every distinct frame, the trajectories in turn, until it fails.

        It is not asked about the trajectories after that one: it is rejected as it is, and one that never answers would
        cost its time limit on every frame.
        """
        self._ask_in_turn(self.transcripts)

    def ask_what_matters(self) -> None:
        """Asks every checker about all frames of experts, and of random episodes about those that training would ask.

        If a checker fails, everything is asked after all: what is said of it must name the first frame.
        """
        kinds = [each.trajectory.who for each in self.transcripts]
        experts = kinds.count("expert")
        self._ask_in_turn(self.transcripts[:experts])
        randoms = self.transcripts[experts:]
        if "expert" in kinds[experts:] or not self.sound.all():
            self._ask_in_turn(randoms)
        elif not self._follow(randoms):
            self.transcripts[experts:] = [Transcript(each.trajectory, len(self.sound)) for each in randoms]
            self._ask_in_turn(self.transcripts[experts:])

    def ask_as(self, other: "Inquiry", shuffle: np.random.Generator) -> Iterator[Transcript]:
        """Asks what another inquiry has asked of its sound checkers, in another order of episodes and of frames.

        Another order of episodes too: what a checker keeps from one episode to the next then shows.

        Yields:
            The transcripts of the other inquiry, each after its trajectory was asked about.
        """
        order = shuffle.permutation(len(self.transcripts)).tolist()
        parts: list[Part] = []
        for number in order:
            asked = (other.transcripts[number].done != NOT_ASKED) & other.sound
            rows = shuffle.permutation(len(asked))
            rows = rows[asked[rows].any(axis=1)]
            parts.append((self.transcripts[number], rows, asked[rows]))
        numbers = iter(order)
        for batch in _batches(parts):
            self._run(batch)
            for number in islice(numbers, len(batch)):
                yield other.transcripts[number]

    def _ask_in_turn(self, transcripts: Sequence[Transcript]) -> None:
        for batch in _batches((each, np.arange(len(each)), each.done == NOT_ASKED) for each in transcripts):
            self._run(batch)
            self._leave_out_failed(batch)

    def _leave_out_failed(self, batch: Sequence[Part]) -> None:
        for transcript, _, _ in batch:
            for checker in np.flatnonzero(~self.sound).tolist():
                transcript.strike(checker)
            self.sound[[checker for _, checker in transcript.failures]] = False

    def _follow(self, transcripts: Sequence[Transcript]) -> bool:
        """Asks what training would ask, a little of several episodes at a time; False as soon as a checker fails."""
        after = _known_prerequisites(self._session.checkers)
        waiting = (Frontier(each, after) for each in transcripts)
        active = list(islice(waiting, _TOGETHER))
        while active:
            parts = [(each.transcript, *_chosen(each.ask(_AHEAD))) for each in active]
            active = [each for each, (_, rows, _) in zip(active, parts, strict=True) if len(rows)]
            for batch in _batches((part for part in parts if len(part[1])), alone=0):
                self._run(batch)
                if any(transcript.failures for transcript, _, _ in batch):
                    return False
            active += islice(waiting, _TOGETHER - len(active))
        return True

    def _run(self, parts: Sequence[Part]) -> None:
        ask = np.concatenate([ask for _, _, ask in parts]) & self.sound
        if not ask.any():
            return
        answers = self._session.run(*_pictures(parts), ask)
        start = 0
        for transcript, rows, _ in parts:
            transcript.enter(rows, answers, start)
            start += len(rows)


def _chosen(ask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    rows = np.flatnonzero(ask.any(axis=1))
    return rows, ask[rows]


def _pictures(parts: Sequence[Part]) -> tuple[Frames, Frames]:
    """The first frames of the episodes and the frames to ask about, as `Session.run` takes them."""
    if len(parts) == 1:
        transcript, rows, _ = parts[0]
        return transcript.trajectory.frame(0), transcript.frames(rows)
    shape = sum(len(rows) for _, rows, _ in parts), *parts[0][0].trajectory.frame(0).shape
    initial, frames = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
    start = 0
    for transcript, rows, _ in parts:
        place = slice(start, start := start + len(rows))
        initial[place] = transcript.trajectory.frame(0)
        transcript.frames(rows, frames[place])
    return initial, frames


def _batches(parts: Iterable[Part], alone: int = _ALONE) -> Iterator[list[Part]]:
    """The parts in groups of at most `_BATCH_BYTES`, or of one, each with frames of one size; the first few alone."""
    batch: list[Part] = []
    done = size = 0
    for part in parts:
        frame = part[0].trajectory.frame(0)
        more = len(part[1]) * frame.nbytes
        fits = done >= alone and size + more <= _BATCH_BYTES
        if batch and not (fits and frame.shape == batch[0][0].trajectory.frame(0).shape):
            yield batch
            done, size, batch = done + 1, 0, []
        batch.append(part)
        size += more
    if batch:
        yield batch


def _known_prerequisites(checkers: Sequence[Checker]) -> list[list[int] | None]:
    """For each checker the indices of those before it; None if one of these is not there, and may be judged apart."""
    places = {each.subtask.name: place for place, each in enumerate(checkers)}
    return [
        [places[name] for name in each.subtask.after] if all(name in places for name in each.subtask.after) else None
        for each in checkers
    ]
