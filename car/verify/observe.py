"""What checkers say of trajectories: each distinct frame of an episode is asked about once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from car.checker import Checker
from car.sandbox import Limits, Sandbox, Session
from car.sandbox.isolation import Isolation
from car.trajectory import Trajectory
from car.verify.inquiry import Inquiry
from car.verify.transcript import NOT_ASKED, Failure, Transcript

__all__ = ["Disagreement", "Failure", "Observation", "observe", "twice", "weakest"]


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
        done: what `check` said; False where the checker failed or was not asked; bool, shape (T+1, k).
        failures: by time and checker, the first time at which each of them failed.
        disagreements: by checker, the first frame about which it said something else when asked again.
        isolation: how well the checkers were isolated; None if that was not measured.
        asked: whether it was asked, bool, shape (T+1, k); by default everywhere.
    """

    trajectory: Trajectory
    done: NDArray[np.bool_]
    failures: dict[int, tuple[int, Failure]] = field(default_factory=dict)
    disagreements: dict[int, Disagreement] = field(default_factory=dict)
    isolation: Isolation | None = None
    asked: NDArray[np.bool_] = field(default_factory=lambda: np.ones((1, 1), np.bool_))

    def __post_init__(self) -> None:
        object.__setattr__(self, "asked", np.broadcast_to(self.asked, self.done.shape))

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
            asked=np.concatenate([self.asked, other.asked], axis=1),
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
    thorough: bool = True,
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
        thorough: False asks, of a random episode, only about its first frame and about those frames on which training
            would ask: for each sub-task from where those before it are credited until it is credited itself. When it
            is credited stays the same. What is missed are failures and disagreements on the other frames. Needs all
            checkers of the chain in the session: one that comes after another that is not there is asked about all.
    """
    first = Inquiry(session, trajectories)
    if thorough:
        first.ask_everything()
    else:
        first.ask_what_matters()
    second = None
    if again is not None:
        second = Inquiry(again, trajectories)
        heard = second.ask_as(first, np.random.default_rng(seed))
    else:
        heard = iter(first.transcripts)
    for transcript in heard:
        if on_trajectory:
            on_trajectory(transcript.trajectory)
    return [
        _observed(each, second.transcripts[number] if second else None, first.sound, session.isolation)
        for number, each in enumerate(first.transcripts)
    ]


def _observed(
    first: Transcript, second: Transcript | None, sound: NDArray[np.bool_], isolation: Isolation
) -> Observation:
    return Observation(
        trajectory=first.trajectory,
        done=(first.done == 1)[first.rows],
        failures=first.first_failures(),
        disagreements=_disagreements(first, second, sound) if second else {},
        isolation=isolation,
        asked=(first.done != NOT_ASKED)[first.rows],
    )


def _disagreements(first: Transcript, second: Transcript, sound: NDArray[np.bool_]) -> dict[int, Disagreement]:
    """By checker that never failed, the first frame about which another order of the frames changed the answer."""
    differs = (second.done != first.done) | ~np.isclose(second.progress, first.progress, equal_nan=True)
    differs &= sound
    rows = {checker: int(np.argmax(differs[:, checker])) for checker in np.flatnonzero(differs.any(axis=0)).tolist()}
    return {
        checker: Disagreement(int(first.times[row]), first.said(row, checker), second.said(row, checker))
        for checker, row in rows.items()
    }


def weakest(measured: Iterable[Isolation | None]) -> Isolation | None:
    """The lowest of several isolations; None if one of them was not measured."""
    every = list(measured)
    known = [each for each in every if each is not None]
    return min(known, key=lambda each: each.level) if known and len(known) == len(every) else None
