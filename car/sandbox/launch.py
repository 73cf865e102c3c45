"""How a worker process is started and ended. What cages it from inside is `cage` in worker.py."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from car.errors import SandboxUnavailable
from car.sandbox import worker
from car.sandbox.channel import FrameStore, Mailbox, printable

# Nothing from this process's environment, where the keys are, except for where shared libraries lie.
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    # Without these, OpenCV's large temporaries are mapped and unmapped at every call, which is 1.4 times slower.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(512 << 20),
}
_INHERITED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class Child:
    """A worker process: two pipes, a mailbox, and its end.

    Args:
        store: the frames that it may read.
        memory_mb: what it may use beyond the interpreter with numpy and cv2, in MiB.

    Raises:
        SandboxUnavailable: the process could not be started.
    """

    def __init__(self, store: FrameStore, memory_mb: int) -> None:
        self.mailbox = Mailbox()
        with ExitStack() as theirs, ExitStack() as ours:
            theirs.callback(self.mailbox.memory.close_file)
            try:
                read_requests, self._requests = _pipe(theirs, ours)
                self.replies, write_replies = _pipe(ours, theirs)
                files = (read_requests, write_replies, store.memory.file, self.mailbox.memory.file)
                self._process = _start(files, memory_mb << 20)
            except OSError as error:
                raise SandboxUnavailable(f"No process for a checker could be started: {error}.") from error
            os.set_blocking(self._requests, False)
            self._files = ours.pop_all()

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

    def end(self) -> str:
        """Kills the worker and its process group; says how it ended, which may have been before."""
        # Before it is waited for, so that its number cannot belong to another process yet.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._files.close()
        code = self._process.wait()
        return f"exited with code {code}" if code >= 0 else f"killed by {_signal_name(-code)}"


def _pipe(readers: ExitStack, writers: ExitStack) -> tuple[int, int]:
    read, write = os.pipe()
    readers.callback(os.close, read)
    writers.callback(os.close, write)
    return read, write


def _start(files: tuple[int, ...], memory: int) -> subprocess.Popen[bytes]:
    if not sys.executable:
        raise OSError("the path of the Python interpreter is unknown")
    arguments = [sys.executable, "-I", "-B", str(Path(worker.__file__).resolve())]
    return subprocess.Popen(
        [*arguments, *map(str, files), str(memory), str(os.getpid())],
        env={**_ENVIRONMENT, **{name: os.environ[name] for name in _INHERITED if name in os.environ}},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=files,
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return printable(f"signal {number}")
