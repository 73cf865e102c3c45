"""One checker through as many worker processes as it takes: starting, asking, and what happens when it fails."""

import select
import struct
from collections.abc import Callable
from enum import IntEnum, auto
from os import urandom

import numpy as np
from numpy.typing import NDArray

from car.errors import SandboxUnavailable
from car.sandbox import Crashed, Kind, Limits, Ran, Refused, TimedOut, worker
from car.sandbox.channel import Mailbox
from car.sandbox.child import Child, End
from car.sandbox.chunk import Chunk
from car.sandbox.deadline import Deadline
from car.sandbox.launch import START_SECONDS

_BROKE = "broke the protocol"
_LEFT = "its process stopped listening after the program was loaded, each time it was started again"
_IDLE_SECONDS = 1.0
"""How long after the last request an honest worker surely sleeps."""
_NONCES = 256
_SPARES = 2
"""How often in a batch a process that died for a reason outside the checker is replaced without taking a life."""

Failure = Crashed | TimedOut | Refused


class State(IntEnum):
    """What a runner's process does."""

    GONE = auto()
    STARTING = auto()
    LOADING = auto()
    IDLE = auto()
    BUSY = auto()


class Runner:
    """Keeps one checker answering.

    Args:
        column: the number of the checker.
        source: its program.
        limits: what it may use.
        launch: starts a worker process.
    """

    def __init__(self, column: int, source: str, limits: Limits, launch: Callable[[], Child]) -> None:
        self.column = column
        self.failure: Failure | None = None
        self._source = source.encode("utf-8", "replace")
        self._limits = limits
        self._launch = launch
        self._child: Child | None = None
        self._state = State.GONE
        self._known = np.zeros(worker.MOST_ROWS, np.bool_)
        self._settled: tuple[object, object] = (None, None)
        self._poll = select.poll()
        self._nonces: list[int] = []
        self._nonce = self._seen = 0
        starting = Deadline(START_SECONDS, 1.0)
        loading = Deadline(limits.load_seconds, limits.patience)
        answering = Deadline(limits.frame_seconds, limits.patience)
        self._deadlines = {State.STARTING: starting, State.LOADING: loading, State.BUSY: answering}
        self._chunk: Chunk | None = None
        self._todo: NDArray[np.intp] = np.empty(0, np.intp)
        self._lives = self._spares = 0
        self._retried = -1
        self._given_up: Failure | None = None

    @property
    def replies(self) -> int:
        """The descriptor on which the worker answers; -1 if there is none."""
        return self._child.replies if self._child else -1

    @property
    def started(self) -> bool:
        """Whether the process is ready to load the program, or needs none."""
        return self._state is not State.STARTING

    @property
    def finished(self) -> bool:
        """Whether every row of the present chunk has its outcome."""
        return not len(self._todo)

    def start(self) -> None:
        """Starts a process and lets it load the program, unless the program cannot be loaded."""
        if len(self._source) > worker.SOURCE_BYTES:
            self._fail_for_good(Refused("load", f"The program is longer than {worker.SOURCE_BYTES} bytes."))
            return
        self.stop()
        self._child = self._launch()
        self.forget(slice(None))
        self._poll = select.poll()
        self._poll.register(self._child.replies, select.POLLIN)
        self._child.mailbox.put_source(self._source)
        # A process that is gone already shows when its answer is waited for.
        self._request(len(self._source), (0, 0), worker.LOAD)
        self._enter(State.STARTING)

    def stop(self, wait: bool = True) -> End:
        """Ends the process; says how it ended, if that can be known, or may be waited for."""
        self._state = State.GONE
        child, self._child = self._child, None
        return child.end(wait) if child else End(Kind.EXITED, "")

    def forget(self, numbers: list[int] | slice) -> None:
        """Takes note that these numbers mean other first frames than before."""
        self._known[numbers] = False
        self._settled = None, None

    def wait(self, milliseconds: int) -> bool:
        """Whether the worker has something to say, after at most this time."""
        return bool(self._poll.poll(milliseconds))

    def begin_batch(self) -> None:
        """Gives the checker its lives for a batch."""
        self._lives, self._spares = self._limits.lives, _SPARES
        self._retried = -1
        self._given_up = None

    def ask(self, chunk: Chunk, slots: NDArray[np.intp], processors: set[int]) -> None:
        """Starts answering the frames in these slots of the chunk."""
        self._chunk, self._todo = chunk, slots
        if self._child:
            self._child.place(processors)
        if self.finished:
            # Nothing asked: a worker that was sent an empty request would be ended as still busy with it.
            return
        if failure := self.failure or self._given_up:
            self._fill(failure)
        elif self._state is State.GONE:
            self.start()
        elif self._state is State.IDLE:
            self._ask_idle()

    def _ask_idle(self) -> None:
        if self._deadlines[State.BUSY].age > _IDLE_SECONDS and self._live.runs():
            # It has answered long ago, and computes all the same: its time is up.
            self.stop()
            self._blame(TimedOut("check", self._limits.frame_seconds))
        else:
            self._send()

    def end_chunk(self) -> None:
        """Lets go of the chunk; a process that is still in the middle of it is ended."""
        self._chunk, self._todo = None, self._todo[:0]
        if self._state is State.BUSY:
            self.stop()

    def on_reply(self) -> None:
        """Goes on after the worker said something.

        Raises:
            SandboxUnavailable: it ended before the checker was loaded, which is not the checker's doing.
        """
        ping = self._live.read_ping()
        if ping != self._nonce:
            self._died(broke=ping is not None)
        elif self._state is State.STARTING:
            self._enter(State.LOADING)
        elif self._state is State.LOADING:
            self._loaded()
        else:
            self._answered()

    def on_silence(self) -> None:
        """Ends the worker if it has said nothing for too long.

        Raises:
            SandboxUnavailable: it did not start in time.
        """
        deadline = self._deadlines[self._state]
        if self._state is State.BUSY and (seen := self._live.mailbox.answered(len(self._todo))) > self._seen:
            self._seen = seen
            deadline.restart()
        if deadline.passed(self._live):
            # This process may have been held up itself, and the answer be there.
            if self.wait(0):
                self.on_reply()
            else:
                self._overran(deadline.seconds)

    @property
    def _live(self) -> Child:
        assert self._child is not None  # noqa: S101 - asked only where there is a process
        return self._child

    @property
    def _present(self) -> Chunk:
        assert self._chunk is not None  # noqa: S101 - asked only where there are rows to answer
        return self._chunk

    def _enter(self, state: State) -> None:
        self._state, self._seen = state, 0
        if (deadline := self._deadlines.get(state)) is not None:
            deadline.restart()

    def _request(self, count: int, shape: tuple[int, ...], what: int) -> bool:
        self._nonce = self._nonces.pop() if self._nonces else self._new_nonce()
        return self._live.send(self._nonce, count, shape, what)

    def _new_nonce(self) -> int:
        # Many at a time: a call of the system for each would be a twentieth of what an answer costs.
        self._nonces = list(struct.unpack(f"<{_NONCES}Q", urandom(8 * _NONCES)))
        return self._nonces.pop()

    def _send(self) -> None:
        chunk, slots = self._present, self._todo
        self._put_rows(chunk, slots)
        self._live.mailbox.expect(len(slots))
        # Before it is sent: whoever interrupts in between must find a worker that is to be ended.
        self._enter(State.BUSY)
        if not self._request(len(slots), chunk.store.shape, chunk.what):
            # It died, or was killed with the zygote, while nothing was asked: no row is to blame.
            self.stop()
            if self._may_restart():
                self.start()
            else:
                self._give_up(Crashed("load", _LEFT, kind=Kind.EXITED))

    def _put_rows(self, chunk: Chunk, slots: NDArray[np.intp]) -> None:
        before, numbers_before = self._settled
        if before is slots and numbers_before is chunk.numbers:
            # In training, the rows of a step are those of the step before. A worker that changed them meanwhile has
            # only misled itself.
            return
        numbers = chunk.numbers[slots]
        openings = self._openings(chunk, slots, numbers)
        self._live.mailbox.put_rows(slots, numbers, openings)
        self._settled = (slots, chunk.numbers) if openings is worker.KNOWN else (None, None)

    def _openings(self, chunk: Chunk, slots: NDArray[np.intp], numbers: NDArray[np.uint32]) -> NDArray[np.uint32] | int:
        """The slots of the first frames that the worker does not know; also puts these there."""
        known = self._known[numbers]
        if known.all():
            return worker.KNOWN
        fresh = slots[~known]
        # The worker looks at the first row of each number only.
        _, first = np.unique(numbers[~known], return_index=True)
        for slot in fresh[first].tolist():
            chunk.store.put_opening(slot, chunk.initial[slot])
        openings = np.full(len(slots), worker.KNOWN, np.uint32)
        openings[~known] = fresh
        self._known[numbers] = True
        return openings

    def _loaded(self) -> None:
        mailbox = self._live.mailbox
        outcome = mailbox.outcome(0, worker.RECORD.unpack(mailbox.records(1)))
        if isinstance(outcome, Ran):
            self._enter(State.IDLE)
            if not self.finished:
                self._send()
        else:
            self.stop()
            self._fail_for_good(outcome or Crashed("load", _BROKE, kind=Kind.BROKE_PROTOCOL))

    def _answered(self) -> None:
        self._accept(self._live.mailbox)
        if self.finished:
            self._enter(State.IDLE)
        else:
            self.stop()
            self._blame(Crashed("check", _BROKE, kind=Kind.BROKE_PROTOCOL))

    def _accept(self, mailbox: Mailbox) -> None:
        """Enters what the worker wrote; the rest is still to do."""
        chunk, todo = self._present, self._todo
        rows = chunk.rows if len(todo) == len(chunk.rows) else chunk.rows[todo]
        self._todo = todo[chunk.sheet.accept(self.column, rows, mailbox) :]

    def _died(self, broke: bool) -> None:
        state, mailbox = self._state, self._live.mailbox
        end = self.stop()
        if state is State.STARTING:
            raise SandboxUnavailable(end.before_loading())
        if broke:
            end = End(Kind.BROKE_PROTOCOL, _BROKE)
        if state is State.LOADING:
            self._fail_for_good(Crashed("load", end.cause, kind=end.kind))
        elif broke:
            # Whether it wrote its records before or after, they are not worth more than its nonce.
            self._blame(Crashed("check", end.cause, kind=end.kind))
        else:
            self._lost(mailbox, Crashed(mailbox.where(), end.cause, kind=end.kind), end.by_another)

    def _overran(self, limit: float) -> None:
        state, mailbox = self._state, self._live.mailbox
        self.stop()
        if state is State.STARTING:
            raise SandboxUnavailable(f"A process for a checker did not start within {limit:.0f} seconds.")
        if state is State.LOADING:
            self._fail_for_good(TimedOut("load", limit))
        else:
            self._lost(mailbox, TimedOut("check", limit))

    def _lost(self, mailbox: Mailbox, outcome: Failure, by_another: bool = False) -> None:
        self._accept(mailbox)
        if self.finished:
            return
        row = int(self._present.rows[self._todo[0]])
        # Another process, or a system short of memory, may have killed it: the row gets a second chance, but only one.
        if by_another and row != self._retried and self._may_restart():
            self._retried = row
            self.start()
        else:
            self._blame(outcome)

    def _may_restart(self) -> bool:
        """Takes a spare, then a life, for a process that no row is blamed for; False if none is left."""
        if self._spares:
            self._spares -= 1
        elif self._lives:
            self._lives -= 1
        else:
            return False
        return True

    def _blame(self, outcome: Failure) -> None:
        """Gives the first unanswered row the outcome that ended the process, and goes on with the next."""
        first, self._todo = self._todo[:1], self._todo[1:]
        self._present.sheet.fail(self.column, self._present.rows[first], outcome)
        if self._lives == 0:
            self._give_up(outcome)
            return
        self._lives -= 1
        if not self.finished:
            self.start()

    def _give_up(self, outcome: Failure) -> None:
        self._given_up = outcome
        self._fill(outcome)

    def _fail_for_good(self, outcome: Failure) -> None:
        self.failure = outcome
        self._fill(outcome)

    def _fill(self, outcome: Failure) -> None:
        if not self.finished:
            self._present.sheet.fail(self.column, self._present.rows[self._todo], outcome)
            self._todo = self._todo[:0]
