"""Fresh episodes: what was really the case at each step, and what the checkers said of its frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from car.bundle import Bundle
from car.errors import BadFrame
from car.frames import digest
from car.record import Stage
from car.record.labelled import Holds, play_labelled
from car.sandbox import Session
from car.trajectory import Trajectory

FRESH_SEEDS = 2_000_000_000
"""Fresh episode i of ``--seed s`` has the seed 2,000,000,000 + s + i. Recording stays near 1,000,000, training below
1,000,000,000, and the evaluation of agents begins there."""

_GIVE_UP = 5


@dataclass(frozen=True, eq=False)
class FreshEpisode:
    """One episode of T steps with m true predicates and k checkers.

    Args:
        kind: one of `KINDS`.
        seed: what the environment was reset with.
        pairs: the number of each (first frame, frame); equal pairs have one number in all episodes; int64 (T+1,).
        truth: what held, bool (T+1, m).
        done: what `check` said, False where it gave no answer, bool (T+1, k).
        answered: where it gave an answer, bool (T+1, k).
    """

    kind: str
    seed: int
    pairs: NDArray[np.int64]
    truth: NDArray[np.bool_]
    done: NDArray[np.bool_]
    answered: NDArray[np.bool_]


class Fresh:
    """Plays fresh episodes of a bundle's task, one seed after another, and has its checkers look at them.

    Only what was said and what held is kept, not the pictures: those of thousands of frames may need gigabytes.

    Args:
        bundle: whose task is played.
        holds: what is really the case.
        session: the bundle's checkers.
        stage: where the task is played.
        seed: the first episode's seed, less `FRESH_SEEDS`.
        slips: the share of random actions in a mixed episode.
    """

    def __init__(
        self, bundle: Bundle, holds: Holds, session: Session, stage: Stage, seed: int = 0, slips: float = 0.2
    ) -> None:
        self._bundle, self._holds, self._session, self._stage = bundle, holds, session, stage
        self._slips = slips
        self._known = {sha for part in bundle.manifest["trajectories"].values() for sha in part}
        self._numbers: dict[tuple[str, str], int] = {}
        self._failed = np.zeros(len(bundle.checkers), np.int64)
        self.next_seed = FRESH_SEEDS + seed
        self.skipped = 0

    def play(self, kind: str) -> FreshEpisode:
        """The next episode; one that the bundle was made or judged with is skipped and counted.

        Raises:
            BadFrame: frames of another size than those that the bundle was verified on.
            BadTask: the environment cannot be made, or the task has no expert.
        """
        while True:
            seed, self.next_seed = self.next_seed, self.next_seed + 1
            played = play_labelled(self._stage, self._bundle.task, kind, seed, self._holds, self._slips)
            if played.trajectory.sha256() not in self._known:
                return self._judged(kind, seed, played.trajectory, played.truth)
            self.skipped += 1

    def _judged(self, kind: str, seed: int, trajectory: Trajectory, truth: NDArray[np.bool_]) -> FreshEpisode:
        self._check_size(trajectory)
        # An album counts its pictures in the order in which they were first seen, so row i is picture i.
        asked = np.tile(self._failed < _GIVE_UP, (len(trajectory.pictures), 1))
        answers = self._session.run(trajectory.frame(0), trajectory.pictures, asked)
        self._failed += (answers.done == -2).any(axis=0)
        names = [digest(picture) for picture in trajectory.pictures]
        pairs = [self._numbers.setdefault((names[0], name), len(self._numbers)) for name in names]
        return FreshEpisode(
            kind=kind,
            seed=seed,
            pairs=np.array(pairs, np.int64)[trajectory.order],
            truth=truth,
            done=(answers.done == 1)[trajectory.order],
            answered=(answers.done >= 0)[trajectory.order],
        )

    def _check_size(self, trajectory: Trajectory) -> None:
        height, width, _ = self._bundle.frame_shape
        if trajectory.size != (width, height):
            raise BadFrame(
                f"The task {self._bundle.task.name!r} gives frames of {trajectory.size[0]} x {trajectory.size[1]} "
                f"pixels here, but the bundle {self._bundle.path} is for frames of {width} x {height}."
            )
