"""How the zygote is started, asked and ended."""

import errno
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from car.errors import SandboxUnavailable
from car.sandbox import orders
from car.sandbox.filters import path_of
from car.sandbox.isolation import Layer

START_SECONDS = 60.0
"""How long the zygote may take to import numpy and cv2, and to fork; no checker is to blame."""

# Nothing from this process's environment, where the keys are, except for what decides how libraries are loaded and
# compute, so that a program answers in a worker as it would here.
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
_INHERITED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "OPENBLAS_CORETYPE")
_NAMESPACES = ("--pid", "--fork", "--kill-child", "--net", "--ipc", "--uts", "--cgroup")


class Gone(Exception):
    """The zygote does not answer any more."""


class Zygote:
    """The clean process from which workers are forked; any thread may ask it.

    Args:
        layers: what the workers are to put on.
        seed: the seed of the workers' hashes.

    Attributes:
        layers: the layers in force, by name, with what is known of each.

    Raises:
        SandboxUnavailable: it could not be started.
    """

    def __init__(self, layers: Collection[Layer], seed: int) -> None:
        self._lock = threading.Lock()
        self._dropped: deque[int] = deque()
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise SandboxUnavailable(f"No process for checkers could be started: {error}.") from error
        self._control = ours
        ours.settimeout(START_SECONDS)
        with theirs:
            try:
                host = os.pidfd_open(os.getpid())
            except (AttributeError, OSError):
                host = -1
            try:
                spaces = _namespaces() if Layer.NAMESPACES in layers else ()
                self._process = _start(spaces, theirs.fileno(), host, layers, seed)
            except OSError as error:
                ours.close()
                raise SandboxUnavailable(f"No process for checkers could be started: {error}.") from error
            finally:
                if host >= 0:
                    os.close(host)
        self._end = weakref.finalize(self, _end, self._process, ours, os.getpid())
        said = self._hello()
        if spaces:
            said[Layer.NAMESPACES] = "processes, network, IPC, host name and cgroups of its own"
        self.layers: Mapping[str, str] = said

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._end.alive and self._process.poll() is None

    def close(self) -> None:
        """Ends it and all workers."""
        self._end()

    def fork(self, files: tuple[int, int, int, int], memory: int, filtered: bool) -> tuple[int, int]:
        """Forks a worker.

        Args:
            files: where it reads requests, where it writes replies, the frames, the mailbox.
            memory: what it may use beyond the interpreter with numpy and cv2, in bytes.
            filtered: whether it puts on the filter of system calls.

        Returns:
            Its number in the zygote's eyes, and its pidfd, or -1.

        Raises:
            Gone: the zygote is.
            OSError: there are too many processes, or too many open files here.
        """
        message = orders.REQUEST.pack(orders.FORK if filtered else orders.FORK_UNFILTERED, 0, memory)
        number, code, files_back = self._ask(message, files)
        if number == 0:
            raise OSError(code, os.strerror(code))
        if not files_back and Layer.NAMESPACES in self.layers:
            # The number alone would be that of a stranger here.
            self.end(number)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return number, files_back[0] if files_back else -1

    def end(self, number: int, wait: bool = True) -> int:
        """Kills a worker; returns how it ended, which may have been before, as `os.waitpid` has it.

        Args:
            number: the worker's, in the zygote's eyes.
            wait: False if the zygote must not be waited for, as in a finalizer, which may interrupt another request of
                this very thread; if it is busy, the worker is ended with the next request.

        Raises:
            Gone: the zygote is, and its workers with it.
        """
        if not self._lock.acquire(blocking=wait):
            self._dropped.append(number)
            return 0
        try:
            return self._exchange(orders.REQUEST.pack(orders.END, number, 0), ())[1]
        finally:
            self._lock.release()

    def _ask(self, message: bytes, files: tuple[int, ...]) -> tuple[int, int, list[int]]:
        with self._lock:
            while self._dropped:
                self._exchange(orders.REQUEST.pack(orders.END, self._dropped.popleft(), 0), ())
            return self._exchange(message, files)

    def _exchange(self, message: bytes, files: tuple[int, ...]) -> tuple[int, int, list[int]]:
        try:
            socket.send_fds(self._control, [message], files)
            reply, back, _, _ = socket.recv_fds(self._control, orders.REPLY.size, 1)
        except OSError as error:
            self.close()
            raise Gone from error
        except BaseException:  # Ctrl-C: the reply that is still to come would be taken for that of the next request
            self.close()
            raise
        for file in back:
            os.set_inheritable(file, False)
        if len(reply) != orders.REPLY.size:
            self.close()
            raise Gone
        return *orders.REPLY.unpack(reply), back

    def _hello(self) -> dict[str, str]:
        said = b""
        try:
            while len(said) < orders.HELLO_BYTES and (more := self._control.recv(orders.HELLO_BYTES)):
                said += more
            hello: dict[str, Any] = json.loads(said)
        except (OSError, ValueError) as error:
            self.close()
            raise SandboxUnavailable(
                f"A process for checkers could not start (exit code {self._process.wait()}); "
                "see whether `python -I -c 'import numpy, cv2'` works with this Python."
            ) from error
        if "layers" not in hello:
            self.close()
            raise SandboxUnavailable(
                f"A process for checkers could not start ({hello.get('error')}): close what is not needed, or raise "
                "the limits of open files and processes (ulimit -n, ulimit -u)."
            )
        layers: dict[str, str] = hello["layers"]
        return layers


def _start(
    spaces: tuple[str, ...], control: int, host: int, layers: Collection[Layer], seed: int
) -> subprocess.Popen[bytes]:
    if not sys.executable:
        raise OSError("the path of the Python interpreter is unknown")
    calls = path_of(platform.machine()) or ""
    # Not -I, which would not let the seed of the hashes through; nothing else is in the environment.
    python = [sys.executable, "-P", "-s", "-B", str(Path(__file__).resolve().with_name("zygote.py"))]
    return subprocess.Popen(
        [*spaces, *python, str(control), str(host), ",".join(layers), str(calls), str(os.getpid())],
        env={
            **_ENVIRONMENT,
            "PYTHONHASHSEED": str(seed),
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        },
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=[file for file in (control, host) if file >= 0],
    )


def _namespaces() -> tuple[str, ...]:
    """The command before the command that gives it namespaces of its own; empty where the system has none."""
    unshare = shutil.which("unshare", path=_ENVIRONMENT["PATH"])
    if sys.platform != "linux" or unshare is None:
        return ()
    command = (unshare, *(() if os.geteuid() == 0 else ("--user",)), *_NAMESPACES)
    tried = subprocess.run(
        [*command, "true"],
        env=_ENVIRONMENT,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return command if tried.returncode == 0 else ()


def _end(process: subprocess.Popen[bytes], control: socket.socket, owner: int) -> None:
    control.close()
    # A process forked from the owner has the same object, but the zygote is not its to end.
    if os.getpid() != owner:
        return
    try:
        # It leaves when the socket does, and its workers with it.
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


_ALL: dict[tuple[int, frozenset[Layer], int], Zygote] = {}
_IN_FORCE: dict[tuple[int, frozenset[Layer]], frozenset[str]] = {}
"""The layers of this process's first zygote, which are measured; one that starts later must have the same."""
_LOCKS: dict[int, threading.Lock] = {}


def lock_of_process() -> threading.Lock:
    """This process's lock; that of the process which forked it may be held for ever."""
    return _LOCKS.setdefault(os.getpid(), threading.Lock())


def zygote_for(layers: Collection[Layer], seed: int) -> Zygote:
    """This process's zygote for these layers and this seed, started when it is first needed.

    Raises:
        SandboxUnavailable: it could not be started.
    """
    # One that was inherited by a fork belongs to another process, and is only kept.
    key = os.getpid(), frozenset(layers), seed
    with lock_of_process():
        known = _ALL.get(key)
        if known is None or not known.alive:
            if known:
                known.close()
            known = _ALL[key] = Zygote(layers, seed)
            before = _IN_FORCE.setdefault(key[:2], frozenset(known.layers))
            if before != frozenset(known.layers):
                known.close()
                raise SandboxUnavailable(
                    f"Programs cannot be isolated any more as they were before: {', '.join(sorted(before))} were in "
                    f"force, and now {', '.join(sorted(known.layers)) or 'nothing'}; see what `car doctor` says."
                )
        return known
