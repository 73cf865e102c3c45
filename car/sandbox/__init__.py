"""Where checkers run: never in this process.

A `Sandbox` opens a `Session` with one live worker for each checker. A session takes batches of frames and answers with
arrays; what a checker did wrong is a value, an `Outcome`, because it goes back to the VLM as feedback. Only broken
machinery raises.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from car.checker import Checker
from car.frames import Frames
from car.sandbox.isolation import Isolation


class Kind(StrEnum):
    """What became of a checker on one frame."""

    RAN = "ran"
    RAISED = "raised"
    KILLED = "killed by a signal"
    OUT_OF_MEMORY = "out of memory"
    VIOLATION = "violation"
    EXITED = "exited"
    BROKE_PROTOCOL = "broke the protocol"
    TIMED_OUT = "timed out"
    WRONG_TYPE = "wrong type"
    REFUSED = "refused"


@dataclass(frozen=True)
class Ran:
    """The checker answered.

    Args:
        done: what `check` said.
        progress: what `progress` said, in [0, 1]; None if the checker has none.
        facts: what `explain` said; only when it was asked for.
    """

    done: bool
    progress: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """``ran``."""
        return Kind.RAN


@dataclass(frozen=True)
class Crashed:
    """The checker raised, exited, was killed, ran out of memory or tried what no checker may.

    Args:
        where: ``load``, ``identify``, ``check``, ``progress`` or ``explain``.
        cause: one line, e.g. ``ZeroDivisionError: division by zero``, ``killed by SIGSEGV`` or, for a violation, which
            system call was tried.
        line: the line of the checker's source, from 1, if known.
        kind: which of these it was.
    """

    where: str
    cause: str
    line: int | None = None
    kind: Kind = Kind.RAISED


@dataclass(frozen=True)
class TimedOut:
    """The checker did not answer within its limit.

    Args:
        where: ``load`` or ``check`` (which covers `identify`, `progress` and `explain`).
        seconds: the limit, in seconds of processor time.
    """

    where: str
    seconds: float

    @property
    def kind(self) -> Kind:
        """``timed out``."""
        return Kind.TIMED_OUT


@dataclass(frozen=True)
class Refused:
    """The checker answered with something that is not an answer, e.g. 1 for True or a progress of 3.

    Args:
        where: the function whose answer it was.
        reason: what was answered and what is accepted.
    """

    where: str
    reason: str

    @property
    def kind(self) -> Kind:
        """``refused`` if the program has not the form of a checker, ``wrong type`` if an answer has not."""
        return Kind.REFUSED if self.where == "load" else Kind.WRONG_TYPE


Outcome = Ran | Crashed | TimedOut | Refused
"""What a checker did with one frame."""


@dataclass(frozen=True)
class Limits:
    """What one checker may use.

    Args:
        load_seconds: processor time until the program is loaded, in seconds.
        frame_seconds: processor time for one frame, in seconds, `identify` included where it runs. A loaded machine
            thus fails no honest checker.
        patience: how many times as long it may take by the wall clock; a checker that sleeps gets no such extension.
        memory_mb: address space beyond the interpreter with numpy and cv2, in MiB.
        lives: how often a worker that died is replaced within one batch before the rest of the batch is given up.
    """

    load_seconds: float = 20.0
    frame_seconds: float = 2.0
    patience: float = 10.0
    memory_mb: int = 1024
    lives: int = 3


@dataclass(frozen=True)
class Answers:
    """What k checkers said of n frames.

    Args:
        done: 1 done, 0 not done, -1 not asked, -2 failed; int8, shape (n, k).
        progress: in [0, 1]; NaN where there is none; float64, shape (n, k).
        failures: the Outcome of each (row, checker) that failed.
        facts: what `explain` said for each (row, checker), if it was asked for.
    """

    done: NDArray[np.int8]
    progress: NDArray[np.float64]
    failures: Mapping[tuple[int, int], Crashed | TimedOut | Refused]
    facts: Mapping[tuple[int, int], Mapping[str, Any]] = field(default_factory=dict)

    def outcome(self, row: int, checker: int) -> Outcome | None:
        """The Outcome of one checker on one frame; None if it was not asked."""
        said = int(self.done[row, checker])
        if said == -1:
            return None
        if said == -2:
            return self.failures[row, checker]
        progress = float(self.progress[row, checker])
        return Ran(bool(said), None if np.isnan(progress) else progress, self.facts.get((row, checker), {}))


class Session(Protocol):
    """Live checkers, a worker process each; a context manager that ends them."""

    @property
    def checkers(self) -> Sequence[Checker]:
        """The checkers, in the order of the answers' columns."""
        ...

    @property
    def isolation(self) -> Isolation:
        """How well the workers are isolated, as measured."""
        ...

    def run(
        self, initial: Frames, frames: Frames, ask: NDArray[np.bool_] | None = None, explain: bool = False
    ) -> Answers:
        """Asks the checkers about a batch of frames.

        Args:
            initial: the first frame of the episode of each row: (n, H, W, 3), or (H, W, 3) for all rows. `identify`
                runs once for each distinct first frame, as long as it is remembered.
            frames: the frames to judge, (n, H, W, 3).
            ask: which checker is asked about which row, (n, k); None asks all.
            explain: also call `explain` where a checker has it.
        """
        ...

    def renew(self) -> None:
        """Replaces every worker by a fresh one; what a checker remembered against the rules is gone."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Sandbox(Protocol):
    """A way of running checkers outside this process."""

    def open(self, checkers: Sequence[Checker], limits: Limits = Limits(), seed: int = 0) -> Session:
        """Starts a worker for each checker.

        Args:
            checkers: the programs.
            limits: what each may use.
            seed: of the workers' hashes, PYTHONHASHSEED: under another seed, sets of texts come in another order.

        Raises:
            SandboxUnavailable: this machine cannot isolate as well as is asked for. A checker that cannot be loaded
                raises nothing: every answer of it is a failure.
        """
        ...
