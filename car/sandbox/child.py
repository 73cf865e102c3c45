"""One worker process as the host sees it: two pipes, a mailbox, its processor time and its end."""

import os
import platform
import signal
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from car.errors import SandboxUnavailable
from car.sandbox import Kind, orders, worker
from car.sandbox.channel import FrameStore, Mailbox, printable
from car.sandbox.filters import name_of
from car.sandbox.isolation import Layer
from car.sandbox.launch import Gone, zygote_for
from car.sandbox.placement import place

_MOST_CALLS = 4096
_TRIES = 2
"""A zygote that was killed from outside is started once more."""


@dataclass(frozen=True)
class End:
    """How a worker ended.

    Args:
        kind: exited, killed by a signal, or a violation.
        cause: the same in words.
        by_another: whether somebody else may have killed it.
        caged: False if it could not put on a layer, before any program was there.
    """

    kind: Kind
    cause: str
    by_another: bool = False
    caged: bool = True

    def before_loading(self) -> str:
        """What it means that the worker ended before any program was loaded, in a sentence."""
        if not self.caged:
            return (
                "A process for a checker could not be isolated as the ones before it, so it was ended; "
                "see what `car doctor` says of the sandbox."
            )
        return f"A process for a checker could not start ({self.cause}); see what `car doctor` says of the sandbox."


@dataclass(frozen=True)
class Build:
    """How workers are made.

    Args:
        layers: what they put on, as far as the system offers it.
        seed: of their hashes.
        filtered: False leaves the filter of system calls out, for the canary alone.
    """

    layers: frozenset[Layer]
    seed: int = 0
    filtered: bool = True


class Child:
    """A worker process.

    Args:
        store: the frames that it may read.
        memory_mb: what it may use beyond the interpreter with numpy and cv2, in MiB.
        build: how it is made.

    Raises:
        SandboxUnavailable: the process could not be started.
    """

    def __init__(self, store: FrameStore, memory_mb: int, build: Build) -> None:
        with ExitStack() as theirs, ExitStack() as ours:
            try:
                self.mailbox = Mailbox()
                theirs.callback(self.mailbox.memory.close_file)
                read_requests, self._requests = _pipe(theirs, ours)
                self.replies, write_replies = _pipe(ours, theirs)
                os.set_blocking(self._requests, False)
                files = (read_requests, write_replies, store.memory.file, self.mailbox.memory.file)
                self._fork(files, memory_mb << 20, build)
            except OSError as error:
                raise SandboxUnavailable(not_started(error)) from error
            if self._process >= 0:
                ours.callback(os.close, self._process)
            self._files = ours.pop_all()
        self._pid = _pid_of(self._process, self._number)
        self._processors: set[int] | None = None

    def _fork(self, files: tuple[int, int, int, int], memory: int, build: Build) -> None:
        for _ in range(_TRIES):
            self._zygote = zygote_for(build.layers, build.seed)
            try:
                self._number, self._process = self._zygote.fork(files, memory, build.filtered)
            except Gone:
                self._zygote.close()
            else:
                return
        raise SandboxUnavailable("The process from which checkers are forked ended twice at once; try again.")

    def place(self, processors: set[int]) -> None:
        """Lets it run on these processors."""
        if processors != self._processors and self._pid > 0:
            place(self._pid, processors)
            self._processors = processors

    def send(self, nonce: int, count: int, shape: tuple[int, ...], what: int) -> bool:
        """Sends a request; False if the worker is gone or does not read."""
        try:
            message = worker.REQUEST.pack(nonce, count, shape[0], shape[1], what)
            return os.write(self._requests, message) == len(message)
        except (BrokenPipeError, BlockingIOError):
            return False

    def read_ping(self) -> int | None:
        """The nonce that a worker with something to read sent back; -1 for anything else, None if it is gone."""
        ping = os.read(self.replies, worker.PING.size)
        if not ping:
            return None
        return int(worker.PING.unpack(ping)[0]) if len(ping) == worker.PING.size else -1

    def processor_seconds(self) -> float | None:
        """The processor time that it has used; None if that cannot be known here."""
        if self._pid <= 0:
            return None
        try:
            # The clock of another process, as clock_getcpuclockid has it.
            return time.clock_gettime((~self._pid << 3) | 2)
        except OSError:
            return None

    def sleeps(self) -> bool:
        """Whether it waits for something, so that more time would not help it."""
        return self._state() == b"S"

    def runs(self) -> bool:
        """Whether it computes at this moment."""
        return self._state() == b"R"

    def _state(self) -> bytes:
        """The letter that the system has for what it does; "?" where that cannot be known."""
        try:
            stat = Path(f"/proc/{self._pid}/stat").read_bytes()
        except OSError:
            return b"?"
        return stat.rpartition(b")")[2].split()[0]

    def end(self, wait: bool = True) -> End:
        """Kills the worker and its process group; says how it ended, which may have been before.

        Args:
            wait: False if that must not take time; how it ended is then not known.
        """
        if self._process >= 0:
            with suppress(OSError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)
        self._files.close()
        try:
            status = self._zygote.end(self._number, wait)
        except Gone:
            return End(Kind.KILLED, "killed by SIGKILL", by_another=True)
        code = os.waitstatus_to_exitcode(status)
        return self._ended_by(-code) if code < 0 else self._exited(code)

    def _exited(self, code: int) -> End:
        call = self.mailbox.call()
        if code == worker.VIOLATION and call is not None and call < _MOST_CALLS:
            name = name_of(platform.machine(), call).removeprefix("system call ")
            return End(Kind.VIOLATION, f"made the system call {name}, which no checker may make")
        return End(Kind.EXITED, f"exited with code {code}", caged=code != orders.NOT_CAGED)

    @staticmethod
    def _ended_by(number: int) -> End:
        if number == signal.SIGSYS:
            return End(Kind.VIOLATION, "made a system call that no checker may make")
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = printable(f"signal {number}")
        return End(Kind.KILLED, f"killed by {name}", by_another=number == signal.SIGKILL)


def not_started(error: OSError) -> str:
    """Why no process could be started, and what helps."""
    return (
        f"No process for a checker could be started ({error.strerror or error}): close what is not needed, or raise "
        "the limits of open files and processes (ulimit -n, ulimit -u) and the room in the temporary folder."
    )


def _pipe(readers: ExitStack, writers: ExitStack) -> tuple[int, int]:
    read, write = os.pipe()
    readers.callback(os.close, read)
    writers.callback(os.close, write)
    return read, write


def _pid_of(process: int, number: int) -> int:
    """The number by which this process knows another, or -1; the zygote may see other numbers than we do."""
    if process < 0:
        return number
    try:
        lines = Path(f"/proc/self/fdinfo/{process}").read_text(encoding="ascii").splitlines()
    except OSError:
        return -1
    return next((int(line.partition(":")[2]) for line in lines if line.startswith("Pid:")), -1)
