"""What checkers say of trajectories: each distinct frame of an episode is asked about once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from car.checker import Checker
from car.frames import Frames
from car.sandbox import Answers, Crashed, Limits, Ran, Refused, Sandbox, Session, TimedOut
from car.sandbox.isolation import Isolation
from car.trajectory import Trajectory

Failure = Crashed | TimedOut | Refused


@dataclass(frozen=True)
class Disagreement:
    """A frame about which a checker said something else when asked again, in another process and another order.

    Args:
        time: the frame's index.
        first: what it said first, in words.
        second: what it said then.
    """

    time: int
    first: str
    second: str


@dataclass(frozen=True)
class Observation:
    """What k checkers said of the T+1 frames of one trajectory.

    Args:
        trajectory: the trajectory.
        done: what `check` said; False where the checker failed; bool, shape (T+1, k).
        failures: by time and checker, the first time at which each of them failed.
        disagreements: by checker, the first frame about which it said something else when asked again.
        isolation: how well the checkers were isolated; None if that was not measured.
    """

    trajectory: Trajectory
    done: NDArray[np.bool_]
    failures: dict[int, tuple[int, Failure]] = field(default_factory=dict)
    disagreements: dict[int, Disagreement] = field(default_factory=dict)
    isolation: Isolation | None = None

    def beside(self, other: "Observation") -> "Observation":
        """This observation with the other's checkers, of the same trajectory, after its own."""
        count = self.done.shape[1]
        return Observation(
            trajectory=self.trajectory,
            done=np.concatenate([self.done, other.done], axis=1),
            failures=self.failures | {count + checker: failure for checker, failure in other.failures.items()},
            disagreements=self.disagreements
            | {count + checker: found for checker, found in other.disagreements.items()},
            isolation=weakest((self.isolation, other.isolation)),
        )

    def first(self, checker: int) -> int | None:
        """The first time at which a checker said done, or None."""
        times = np.flatnonzero(self.done[:, checker])
        return int(times[0]) if len(times) else None


@contextmanager
def twice(
    sandbox: Sandbox, checkers: Sequence[Checker], limits: Limits = Limits()
) -> Iterator[tuple[Session, Session]]:
    """Two sessions of the same checkers for `observe`, the second with other hashes, so that sets come in other orders.

    Raises:
        SandboxUnavailable: this machine cannot isolate as well as is asked for.
    """
    with sandbox.open(checkers, limits) as first, sandbox.open(checkers, limits, seed=1) as second:
        yield first, second


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
    found: list[dict[int, Disagreement]] = [{} for _ in trajectories]
    if again is not None:
        shuffle = np.random.default_rng(seed)
        # In another order of episodes too: what a checker keeps from one episode to the next then shows.
        for number in shuffle.permutation(len(trajectories)).tolist():
            found[number] = look.again_at(number, again, shuffle, seen[number])
            if on_trajectory:
                on_trajectory(trajectories[number])
    return [each.observed(other, session.isolation) for each, other in zip(seen, found, strict=True)]


@dataclass(frozen=True)
class _Seen:
    """What the checkers said of one trajectory, frame by distinct frame."""

    trajectory: Trajectory
    answers: Answers
    times: NDArray[np.int64]
    rows: NDArray[np.int64]
    failures: dict[int, tuple[int, Failure]]

    def observed(self, disagreements: dict[int, Disagreement], isolation: Isolation) -> Observation:
        done = (self.answers.done == 1)[self.rows]
        return Observation(self.trajectory, done, self.failures, disagreements, isolation)


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

    def again_at(
        self, number: int, again: Session, shuffle: np.random.Generator, seen: _Seen
    ) -> dict[int, Disagreement]:
        """By checker, the first frame about which another order of the frames changed the answer."""
        frames, times, _ = _distinct(seen.trajectory)
        order = shuffle.permutation(len(frames))
        second = again.run(seen.trajectory.frame(0), frames[order], self._asked(len(frames)))
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        differs = second.done[back] != seen.answers.done
        differs |= ~np.isclose(second.progress[back], seen.answers.progress, equal_nan=True)
        differs &= self._sound
        first = {
            checker: int(np.argmax(differs[:, checker])) for checker in np.flatnonzero(differs.any(axis=0)).tolist()
        }
        return {
            checker: Disagreement(
                int(times[row]), _said(seen.answers, row, checker), _said(second, int(back[row]), checker)
            )
            for checker, row in first.items()
        }

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


def _said(answers: Answers, row: int, checker: int) -> str:
    outcome = answers.outcome(row, checker)
    if not isinstance(outcome, Ran):
        return f"{outcome.kind}" if outcome else "nothing"
    return str(outcome.done) if outcome.progress is None else f"{outcome.done} with progress {outcome.progress:g}"


def weakest(measured: Iterable[Isolation | None]) -> Isolation | None:
    """The lowest of several isolations; None if one of them was not measured."""
    every = list(measured)
    known = [each for each in every if each is not None]
    return min(known, key=lambda each: each.level) if known and len(known) == len(every) else None


def _first_failures(answers: Answers, times: NDArray[np.int64]) -> dict[int, tuple[int, Failure]]:
    failures: dict[int, tuple[int, Failure]] = {}
    for (row, checker), outcome in sorted(answers.failures.items()):
        failures.setdefault(checker, (int(times[row]), outcome))
    return failures
