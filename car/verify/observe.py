"""What checkers say of trajectories: each distinct frame of an episode is asked about once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from car.sandbox import Answers, Crashed, Refused, Session, TimedOut
from car.trajectory import Trajectory

Failure = Crashed | TimedOut | Refused


@dataclass(frozen=True)
class Observation:
    """What k checkers said of the T+1 frames of one trajectory.

    Args:
        trajectory: the trajectory.
        done: what `check` said; False where the checker failed; bool, shape (T+1, k).
        failures: by time and checker, the first time at which each of them failed.
        disagreements: times at which a checker said something else when asked again in another order, by checker.
    """

    trajectory: Trajectory
    done: NDArray[np.bool_]
    failures: dict[int, tuple[int, Failure]] = field(default_factory=dict)
    disagreements: dict[int, int] = field(default_factory=dict)

    def beside(self, other: "Observation") -> "Observation":
        """This observation with the other's checkers, of the same trajectory, after its own."""
        count = self.done.shape[1]
        return Observation(
            trajectory=self.trajectory,
            done=np.concatenate([self.done, other.done], axis=1),
            failures=self.failures | {count + checker: failure for checker, failure in other.failures.items()},
            disagreements=self.disagreements | {count + checker: time for checker, time in other.disagreements.items()},
        )

    def first(self, checker: int) -> int | None:
        """The first time at which a checker said done, or None."""
        times = np.flatnonzero(self.done[:, checker])
        return int(times[0]) if len(times) else None


def observe(
    session: Session,
    trajectories: Sequence[Trajectory],
    again: Session | None = None,
    seed: int = 0,
    on_trajectory: Callable[[Trajectory], None] | None = None,
) -> list[Observation]:
    """Lets the checkers of a session look at every trajectory.

    Args:
        session: the checkers.
        trajectories: what to look at.
        again: the same checkers in fresh workers; each distinct frame is asked about once more there, in shuffled
            order, and a different answer is a disagreement.
        seed: for the shuffle.
        on_trajectory: called after each trajectory.
    """
    order = np.random.default_rng(seed)
    observed = []
    for trajectory in trajectories:
        observed.append(_look(session, trajectory, again, order))
        if on_trajectory:
            on_trajectory(trajectory)
    return observed


def _look(session: Session, trajectory: Trajectory, again: Session | None, order: np.random.Generator) -> Observation:
    pictures, first_times, inverse = np.unique(trajectory.order, return_index=True, return_inverse=True)
    # Asked in the order of time: an unexpected memory of a checker then shows as it would in training.
    in_time = np.argsort(first_times)
    frames = trajectory.pictures[pictures[in_time]]
    place = np.empty_like(in_time)
    place[in_time] = np.arange(len(in_time))
    answers = session.run(trajectory.frame(0), frames)
    seen = place[inverse]
    return Observation(
        trajectory=trajectory,
        done=(answers.done == 1)[seen],
        failures=_first_failures(answers, first_times[in_time]),
        disagreements={}
        if again is None
        else _disagreements(again, trajectory, frames, answers, first_times[in_time], order),
    )


def _first_failures(answers: Answers, times: NDArray[np.int64]) -> dict[int, tuple[int, Failure]]:
    failures: dict[int, tuple[int, Failure]] = {}
    for (row, checker), outcome in sorted(answers.failures.items()):
        failures.setdefault(checker, (int(times[row]), outcome))
    return failures


def _disagreements(
    again: Session,
    trajectory: Trajectory,
    frames: NDArray[np.uint8],
    answers: Answers,
    times: NDArray[np.int64],
    order: np.random.Generator,
) -> dict[int, int]:
    shuffled = order.permutation(len(frames))
    second = again.run(trajectory.frame(0), frames[shuffled])
    back = np.empty_like(shuffled)
    back[shuffled] = np.arange(len(shuffled))
    differs = (second.done[back] != answers.done) | ~np.isclose(second.progress[back], answers.progress, equal_nan=True)
    found = {}
    for checker in range(differs.shape[1]):
        rows = np.flatnonzero(differs[:, checker])
        if len(rows):
            found[checker] = int(times[rows].min())
    return found
