"""What checkers say of trajectories: each distinct frame of an episode is asked about once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from car.frames import Frames
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

    A checker that fails is not asked about the trajectories after that one: it is rejected as it is, and one that
    never answers would cost its time limit on every frame.

    Args:
        session: the checkers.
        trajectories: what to look at.
        again: the same checkers in fresh workers; each distinct frame is asked about once more there, in shuffled
            order, and a different answer is a disagreement.
        seed: for the shuffle.
        on_trajectory: called after each trajectory.
    """
    look = _Look(session, trajectories)
    seen = []
    for number in range(len(trajectories)):
        seen.append(look.at(number))
        if on_trajectory and again is None:
            on_trajectory(trajectories[number])
    found: list[dict[int, int]] = [{} for _ in trajectories]
    if again is not None:
        shuffle = np.random.default_rng(seed)
        # In another order of episodes too: what a checker keeps from one episode to the next then shows.
        for number in shuffle.permutation(len(trajectories)).tolist():
            found[number] = look.again_at(number, again, shuffle, seen[number])
            if on_trajectory:
                on_trajectory(trajectories[number])
    return [each.observed(other) for each, other in zip(seen, found, strict=True)]


@dataclass(frozen=True)
class _Seen:
    """What the checkers said of one trajectory, frame by distinct frame."""

    trajectory: Trajectory
    answers: Answers
    times: NDArray[np.int64]
    rows: NDArray[np.int64]
    failures: dict[int, tuple[int, Failure]]

    def observed(self, disagreements: dict[int, int]) -> Observation:
        done = (self.answers.done == 1)[self.rows]
        return Observation(self.trajectory, done, self.failures, disagreements)


class _Look:
    def __init__(self, session: Session, trajectories: Sequence[Trajectory]) -> None:
        self._session, self._trajectories = session, trajectories
        self._sound = np.ones(len(session.checkers), np.bool_)

    def at(self, number: int) -> _Seen:
        trajectory = self._trajectories[number]
        frames, times, rows = _distinct(trajectory)
        answers = self._session.run(trajectory.frame(0), frames, self._asked(len(frames)))
        failures = _first_failures(answers, times)
        self._sound[list(failures)] = False
        return _Seen(trajectory, answers, times, rows, failures)

    def again_at(self, number: int, again: Session, shuffle: np.random.Generator, seen: _Seen) -> dict[int, int]:
        """The first time, by checker, at which another order of the frames changed an answer."""
        frames, times, _ = _distinct(seen.trajectory)
        order = shuffle.permutation(len(frames))
        second = again.run(seen.trajectory.frame(0), frames[order], self._asked(len(frames)))
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        differs = second.done[back] != seen.answers.done
        differs |= ~np.isclose(second.progress[back], seen.answers.progress, equal_nan=True)
        differs &= self._sound
        rows = {checker: np.flatnonzero(differs[:, checker]) for checker in range(differs.shape[1])}
        return {checker: int(times[where].min()) for checker, where in rows.items() if len(where)}

    def _asked(self, rows: int) -> NDArray[np.bool_]:
        return np.tile(self._sound, (rows, 1))


def _distinct(trajectory: Trajectory) -> tuple[Frames, NDArray[np.int64], NDArray[np.int64]]:
    """The distinct frames in the order of time, when each is first seen, and which of them each frame is."""
    pictures, first_times, inverse = np.unique(trajectory.order, return_index=True, return_inverse=True)
    # Asked in the order of time: an unexpected memory of a checker then shows as it would in training.
    in_time = np.argsort(first_times)
    place = np.empty_like(in_time)
    place[in_time] = np.arange(len(in_time))
    return trajectory.pictures[pictures[in_time]], first_times[in_time], place[inverse]


def _first_failures(answers: Answers, times: NDArray[np.int64]) -> dict[int, tuple[int, Failure]]:
    failures: dict[int, tuple[int, Failure]] = {}
    for (row, checker), outcome in sorted(answers.failures.items()):
        failures.setdefault(checker, (int(times[row]), outcome))
    return failures
