"""What checkers have said of one trajectory so far, each of its distinct frames once."""

import numpy as np
from numpy.typing import NDArray

from car.frames import Frames
from car.sandbox import Answers, Crashed, Ran, Refused, TimedOut
from car.trajectory import Trajectory

Failure = Crashed | TimedOut | Refused

NOT_ASKED = -1
"""What `Transcript.done` holds where a checker was not asked, as `Answers.done` does."""


class Transcript:
    """The answers of k checkers about the m distinct frames of a trajectory, these in the order of time.

    An unexpected memory of a checker then shows as it would in training.

    Args:
        trajectory: T+1 frames.
        checkers: k.

    Attributes:
        trajectory: the same.
        times: when each distinct frame is first seen, (m,); the first is 0.
        rows: which distinct frame each frame is, (T+1,).
        done: 1 done, 0 not done, -1 not asked, -2 failed; int8, (m, k).
        progress: in [0, 1], NaN where there is none; (m, k).
        failures: what became of each (distinct frame, checker) that failed.
    """

    def __init__(self, trajectory: Trajectory, checkers: int) -> None:
        pictures, first_times, inverse = np.unique(trajectory.order, return_index=True, return_inverse=True)
        in_time = np.argsort(first_times)
        place = np.empty_like(in_time)
        place[in_time] = np.arange(len(in_time))
        self.trajectory = trajectory
        self.times: NDArray[np.int64] = first_times[in_time]
        self.rows: NDArray[np.int64] = place[inverse]
        self.done = np.full((len(pictures), checkers), NOT_ASKED, np.int8)
        self.progress = np.full((len(pictures), checkers), np.nan)
        self.failures: dict[tuple[int, int], Failure] = {}
        self._pictures: NDArray[np.int64] = pictures[in_time]

    def __len__(self) -> int:
        """The number of distinct frames, m."""
        return len(self.times)

    def frames(self, rows: NDArray[np.int64], out: Frames | None = None) -> Frames:
        """Some of the distinct frames, uint8, (n, H, W, 3), copied to `out` if it is given."""
        taken: Frames = np.take(self.trajectory.pictures, self._pictures[rows], axis=0, out=out, mode="clip")
        return taken

    def enter(self, rows: NDArray[np.int64], answers: Answers, start: int) -> None:
        """Takes down the answers about distinct frames; a checker that was not asked keeps what it has said.

        Args:
            rows: the distinct frames, (n,).
            answers: about these and perhaps others.
            start: the row of the answers that is about the first of them; the others follow it.
        """
        end = start + len(rows)
        said, progress = answers.done[start:end], answers.progress[start:end]
        asked = said != NOT_ASKED
        self.done[rows] = np.where(asked, said, self.done[rows])
        self.progress[rows] = np.where(asked, progress, self.progress[rows])
        for (row, checker), failure in answers.failures.items():
            if start <= row < end:
                self.failures[int(rows[row - start]), checker] = failure

    def strike(self, checker: int) -> None:
        """Takes out whatever one checker has said, as if it had not been asked."""
        self.done[:, checker], self.progress[:, checker] = NOT_ASKED, np.nan
        for row, other in [each for each in self.failures if each[1] == checker]:
            del self.failures[row, other]

    def first_failures(self) -> dict[int, tuple[int, Failure]]:
        """By checker, the first time at which it failed, and how."""
        failures: dict[int, tuple[int, Failure]] = {}
        for (row, checker), failure in sorted(self.failures.items(), key=lambda each: each[0]):
            failures.setdefault(checker, (int(self.times[row]), failure))
        return failures

    def said(self, row: int, checker: int) -> str:
        """What a checker said of a distinct frame, in words."""
        outcome = Answers(self.done, self.progress, self.failures).outcome(row, checker)
        if not isinstance(outcome, Ran):
            return f"{outcome.kind}" if outcome else "nothing"
        return str(outcome.done) if outcome.progress is None else f"{outcome.done} with progress {outcome.progress:g}"
