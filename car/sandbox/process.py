"""The sandbox that runs each checker in a process of its own.

All workers of a session are asked before any is waited for, so that checkers run side by side on the cores.
"""

import os
import select
import threading
import weakref
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache, partial
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from car.checker import Checker
from car.errors import BadFrame, SandboxUnavailable, UserError
from car.frames import Frames, as_frame
from car.sandbox import Answers, Limits, worker
from car.sandbox.canary import measured, too_weak
from car.sandbox.channel import FrameStore, Sheet
from car.sandbox.child import Build, Child, not_started
from car.sandbox.chunk import Chunk
from car.sandbox.isolation import MEANING, REQUIRED, Isolation, Layer
from car.sandbox.openings import Openings
from car.sandbox.placement import Placement
from car.sandbox.runner import Runner

_Done = TypeVar("_Done")


class ProcessSandbox:
    """Runs every checker in its own process, with nothing of this one: no environment, files, keys or labels.

    Args:
        at_least: the lowest level of isolation to run at, 0 to 3, by default 2; less is for a person to decide.
        layers: what the workers put on, as far as this system offers it; all, except to find out what each is worth.
    """

    def __init__(self, at_least: int | None = None, layers: Collection[Layer] = tuple(Layer)) -> None:
        self._at_least = REQUIRED if at_least is None else at_least
        if not 0 <= self._at_least < len(MEANING):
            raise UserError(f"Isolation level {at_least}: there are the levels 0 to {len(MEANING) - 1}.")
        self._layers = frozenset(layers)

    @property
    def isolation(self) -> Isolation:
        """How well workers are isolated here, as a canary has found out; looked at once in a process.

        Raises:
            SandboxUnavailable: no worker can be started here.
        """
        if os.name != "posix":
            raise SandboxUnavailable("Programs cannot be isolated on this system: use Docker, or WSL2 on Windows.")
        return measured(self._layers, self._start)

    def open(self, checkers: Sequence[Checker], limits: Limits = Limits(), seed: int = 0) -> "ProcessSession":
        """Starts a worker for each checker, all at the same time.

        Args:
            checkers: the programs.
            limits: what each may use.
            seed: of the workers' hashes.

        Raises:
            SandboxUnavailable: no process can be started here that imports numpy and cv2, or its isolation is worse
                than is asked for.
        """
        if not 0 <= seed < 1 << 32:
            raise UserError(f"seed = {seed}; the seed of hashes is a number from 0 to {(1 << 32) - 1}.")
        isolation = self.isolation
        if isolation.level < self._at_least:
            raise SandboxUnavailable(too_weak(isolation, self._at_least))
        return ProcessSession(checkers, limits, Build(self._layers, seed), isolation)

    def _start(self, checkers: Sequence[Checker], limits: Limits, *, filtered: bool) -> "ProcessSession":
        return ProcessSession(checkers, limits, Build(self._layers, 0, filtered), Isolation(0, (), {}))


class ProcessSession:
    """Live checkers, a worker process each. For one thread at a time.

    Args:
        checkers: the programs; one that cannot be loaded fails at every row.
        limits: what each may use.
        build: how the workers are made.
        isolation: what is known of the workers' isolation.

    Raises:
        SandboxUnavailable: a worker could not be started.
    """

    def __init__(
        self,
        checkers: Sequence[Checker],
        limits: Limits,
        build: Build,
        isolation: Isolation,
    ) -> None:
        self.checkers = tuple(checkers)
        self.isolation = isolation
        self._owner = os.getpid()
        self._placement = Placement(alone=len(self.checkers) == 1)
        try:
            self._store = store = FrameStore()
        except OSError as error:
            raise SandboxUnavailable(not_started(error)) from error
        self._openings = Openings(1)
        self._form: tuple[object, ...] = ()
        # Short enough to notice an overrun early, long enough to cost nothing.
        self._tick = max(1, int(min(limits.frame_seconds, limits.load_seconds, 2.0) / 8 * 1000))
        self._runners = [
            Runner(column, checker.source, limits, partial(_launch, self._placement, store, limits.memory_mb, build))
            for column, checker in enumerate(self.checkers)
        ]
        self._asking: dict[str, int] = {}
        self._end = weakref.finalize(self, _end, self._runners, store, os.getpid())
        try:
            self.renew()
        except BaseException:  # also Ctrl-C: no process may stay behind
            self.close()
            raise

    def run(
        self, initial: Frames, frames: Frames, ask: NDArray[np.bool_] | None = None, explain: bool = False
    ) -> Answers:
        """Asks the checkers about a batch of frames; see `car.sandbox.Session`.

        Args:
            initial: the first frame of the episode of each row, (n, H, W, 3), or (H, W, 3) for all rows.
            frames: the frames to judge, (n, H, W, 3).
            ask: which checker is asked about which row, (n, k); None asks all.
            explain: also call `explain` where a checker has it.

        Raises:
            BadFrame: not uint8 RGB, or first frames of another size or number than the frames.
            SandboxUnavailable: a worker that died could not be started again, the session is closed, or it belongs to
                another process or is busy in another thread.
        """
        return self._alone(self._run, initial, frames, ask, explain)

    def _run(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_] | None, explain: bool) -> Answers:
        self._check_form(initial, frames)
        asked = None if ask is None else _check_ask(ask, len(frames), len(self._runners))
        sheet = Sheet(len(frames), len(self._runners))
        if not len(frames) or not self._runners:
            return sheet.answers()
        for runner in self._runners:
            runner.begin_batch()
        rows = _all_rows(len(frames)) if asked is None else np.flatnonzero(asked.any(axis=1))
        what = worker.EXPLAIN if explain else worker.ASK
        for start in range(0, len(rows), self._store.rows):
            part = rows if len(rows) <= self._store.rows else rows[start : start + self._store.rows]
            self._run_chunk(self._chunk(initial, frames, part, what, sheet), None if asked is None else asked[part])
        return sheet.answers()

    def renew(self) -> None:
        """Replaces every worker by a fresh one, all at the same time.

        Raises:
            SandboxUnavailable: a worker could not be started, or the session is closed.
        """
        self._alone(self._renew)

    def _renew(self) -> None:
        for runner in self._runners:
            if runner.failure is None:
                runner.start()
        self._wait([runner for runner in self._runners if not runner.started], starting=True)

    def close(self) -> None:
        """Ends all workers; may be called more than once."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _alone(self, do: Callable[..., _Done], *what: Any) -> _Done:
        """Does something while nobody else asks, and leaves nothing half done."""
        if os.getpid() != self._owner:
            raise SandboxUnavailable("This session belongs to the process that opened it; open another one here.")
        if not self._end.alive:
            raise SandboxUnavailable("This session is closed; open a new one.")
        # No lock: one that an interrupt leaves locked would stay so, while its own thread may always go on.
        thread = threading.get_ident()
        if self._asking.setdefault("thread", thread) != thread:
            raise SandboxUnavailable("This session is busy in another thread; open one for each thread.")
        try:
            return do(*what)
        except (BadFrame, ValueError):  # nothing was begun
            raise
        except BaseException:  # also Ctrl-C: what workers are in the middle of would be taken for the next answer
            self._begin_anew()
            raise
        finally:
            self._asking.clear()

    def _begin_anew(self) -> None:
        self._form, self._store.shape = (), ()
        for runner in self._runners:
            runner.stop()
            runner.end_chunk()

    def _check_form(self, initial: Frames, frames: Frames) -> None:
        try:
            form: tuple[object, ...] = initial.shape, initial.dtype, frames.shape, frames.dtype
        except AttributeError:
            form = ()
        if not form or form != self._form:
            _check_frames(initial, frames)
            if self._store.fit(frames.shape[1:]):
                self._openings = Openings(self._store.openings)
                self._forget(list(range(worker.MOST_ROWS)))
            self._form = form

    def _forget(self, numbers: list[int]) -> None:
        if numbers:
            for runner in self._runners:
                runner.forget(numbers)

    def _chunk(self, initial: Frames, frames: Frames, rows: NDArray[np.intp], what: int, sheet: Sheet) -> Chunk:
        self._store.put(frames, rows)
        if initial.ndim == 3:
            firsts = initial[None]
            numbers, new = self._openings.number(firsts, initial)
            if len(rows) > 1:
                firsts, numbers = (
                    np.broadcast_to(initial, (len(rows), *initial.shape)),
                    np.broadcast_to(numbers, len(rows)),
                )
        else:
            firsts = initial if len(rows) == len(initial) else initial[rows]
            numbers, new = self._openings.number(firsts)
        self._forget(new)
        return Chunk(self._store, rows, firsts, numbers, what, sheet)

    def _run_chunk(self, chunk: Chunk, asked: NDArray[np.bool_] | None) -> None:
        every = _all_rows(len(chunk.rows))
        try:
            processors = self._placement.take()
            for runner in self._runners:
                runner.ask(chunk, every if asked is None else _chosen(asked[:, runner.column], every), processors)
            self._wait_once()
            self._wait([runner for runner in self._runners if not runner.finished])
        finally:
            self._placement.let_go()
            self._placement.note_end()
            # After Ctrl-C or an error: a worker that still computes would answer the next question with this one.
            for runner in self._runners:
                runner.end_chunk()

    def _wait_once(self) -> None:
        """Takes the answers in turn as long as all goes well, which is quicker than to wait for all at once."""
        for runner in self._runners:
            if not runner.finished:
                if not runner.wait(self._tick):
                    return
                runner.on_reply()

    def _wait(self, runners: list[Runner], starting: bool = False) -> None:
        """Serves these runners until each has started, or finished its rows."""
        if not runners:
            return
        poll, waiting = select.poll(), {runner.replies: runner for runner in runners}
        for file in waiting:
            poll.register(file, select.POLLIN)
        while waiting:
            ready = {file for file, _ in poll.poll(self._tick)}
            for file in ready or list(waiting):
                runner = waiting[file]
                runner.on_reply() if ready else runner.on_silence()
                settled = runner.started if starting else runner.finished
                if settled or runner.replies != file:
                    poll.unregister(file)
                    del waiting[file]
                if not settled and runner.replies != file:
                    poll.register(runner.replies, select.POLLIN)
                    waiting[runner.replies] = runner


def _launch(placement: Placement, store: FrameStore, memory_mb: int, build: Build) -> Child:
    # A process inherits the processors of the thread that starts it, for good.
    placement.let_go()
    return Child(store, memory_mb, build)


@lru_cache(maxsize=64)
def _all_rows(count: int) -> NDArray[np.intp]:
    """0 to count - 1; the same object each time, by which rows are known to be those of the call before."""
    rows = np.arange(count)
    rows.flags.writeable = False
    return rows


def _chosen(asked: NDArray[np.bool_], every: NDArray[np.intp]) -> NDArray[np.intp]:
    return every if asked.all() else np.flatnonzero(asked)


def _check_frames(initial: Frames, frames: Frames) -> None:
    if not isinstance(frames, np.ndarray) or frames.ndim != 4:
        said = f"have shape {frames.shape}" if isinstance(frames, np.ndarray) else f"are a {type(frames).__name__}"
        raise BadFrame(f"The frames {said}; they must be a uint8 RGB array of shape (n, H, W, 3).")
    if not isinstance(initial, np.ndarray) or initial.ndim not in (3, 4):
        raise BadFrame("The first frame must be a uint8 RGB array of shape (H, W, 3), or (n, H, W, 3) for n frames.")
    if initial.dtype != np.uint8 or initial.shape not in (frames.shape, frames.shape[1:]):
        raise BadFrame(
            f"The first frame has dtype {initial.dtype} and shape {initial.shape}; for frames of shape "
            f"{frames.shape} it must be uint8 of shape {frames.shape[1:]} or {frames.shape}."
        )
    as_frame(frames[0] if len(frames) else np.empty(frames.shape[1:], frames.dtype), "frames' first row")


def _check_ask(ask: NDArray[np.bool_], rows: int, columns: int) -> NDArray[np.bool_] | None:
    """The mask; None if it asks everything."""
    asked = np.asarray(ask)
    if asked.shape != (rows, columns) or asked.dtype != np.bool_:
        raise ValueError(f"ask has dtype {asked.dtype}, shape {asked.shape}; it must be bool, ({rows}, {columns}).")
    return None if asked.all() else asked


def _end(runners: list[Runner], store: FrameStore, owner: int) -> None:
    # A process forked from the owner has the same objects, but the workers are not its to end.
    if os.getpid() == owner:
        for runner in runners:
            runner.stop(wait=False)
    store.close()
