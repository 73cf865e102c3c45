"""The clean process from which workers are forked; started by its path, and imports only what lies beside it.

It is exec'd with an environment of a few fixed lines, loads what checkers may use, shuts itself off from files and the
network, and then forks a worker whenever the host asks for one. Programs, frames and answers never come here: what a
worker needs is handed to it as descriptors that the zygote only passes on.
"""

import fcntl
import gc
import importlib
import json
import mmap
import os
import random
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from car.sandbox import cage, orders, worker
else:
    # Through the package, all of ours would come along.
    sys.path.insert(0, str(Path(__file__).parent))
    import cage
    import orders
    import worker

    sys.path.pop(0)


def _prepare() -> None:
    for name in (*worker.MODULES, *worker.INNER):
        importlib.import_module(name)
    cv2.setNumThreads(0)
    cv2.ocl.setUseOpenCL(False)
    # What is made at the first use, and would else be made anew in every worker.
    np.linalg.svd(np.eye(3))
    np.random.default_rng(0).random()
    cv2.connectedComponentsWithStats(cv2.inRange(np.zeros((8, 8, 3), np.uint8), (0, 0, 0), (9, 9, 9)))
    with suppress(SyntaxError):
        compile("ä = 1", "<names>", "exec")


class Zygote:
    """Forks workers and ends them.

    Args:
        control: the socket to the host.
        host: the host's pidfd, or -1; readable once the host is gone.
        wanted: the layers that a worker is to put on.
        calls: the file with the filter of system calls, or "" if there is none for this machine.
    """

    def __init__(self, control: socket.socket, host: int, wanted: list[str], calls: str) -> None:
        self._control, self._host = control, host
        self._filter: cage.Filter | None = None
        self._user = False
        self._limits = False
        self.layers: dict[str, str] = {}
        self._mapped = cage.mapped() + 2 * worker.HALF_BYTES + worker.MAILBOX_BYTES
        cage.forbid_new_privileges()
        if cage.FILTER in wanted:
            self._try_filter(calls)
        if cage.USER in wanted and self._works(cage.leave_root):
            self._user, self.layers[cage.USER] = True, "another one, without rights"
        if cage.LIMITS in wanted and self._works(lambda: cage.limit(self._mapped + (1 << 30))):
            self._limits, self.layers[cage.LIMITS] = (
                True,
                "files, processes and memory, as far as this system counts them",
            )
        if cage.LANDLOCK in wanted:
            with suppress(OSError):
                self.layers[cage.LANDLOCK] = cage.shut_files()

    def _try_filter(self, path: str) -> None:
        try:
            loaded = cage.Filter(path)
        except OSError:
            return
        if self._works(loaded.load):
            self._filter, self.layers[cage.FILTER] = loaded, loaded.said

    @staticmethod
    def _works(put_on: Callable[[], None]) -> bool:
        """Whether a layer can be put on here, found out by a process that does it and ends."""
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                put_on()
                os._exit(0)
            os._exit(1)
        return os.waitpid(child, 0)[1] == 0

    def serve(self) -> None:
        """Does what the host asks for until the host is gone."""
        self._control.sendall(json.dumps({"layers": self.layers}).encode().ljust(orders.HELLO_BYTES))
        poll = select.poll()
        for file in (self._control.fileno(), self._host):
            if file >= 0:
                poll.register(file, select.POLLIN)
        while {file for file, _ in poll.poll()} == {self._control.fileno()}:
            message, files, _, _ = socket.recv_fds(self._control, orders.REQUEST.size, orders.FILES)
            if len(message) != orders.REQUEST.size:
                return
            what, number, memory = orders.REQUEST.unpack(message)
            if what == orders.END:
                self._end(number)
            else:
                self._fork(files, memory, filtered=what == orders.FORK)

    def _fork(self, files: list[int], memory: int, filtered: bool) -> None:
        host = os.getpid()
        try:
            child = os.fork()
        except OSError as error:
            self._control.sendall(orders.REPLY.pack(0, error.errno or 0))
            return
        finally:
            if os.getpid() == host:
                for file in files:
                    os.close(file)
        if child == 0:
            self._become_worker(files, memory, host, filtered)
        # Until it is waited for, its number belongs to nobody else.
        try:
            process = [os.pidfd_open(child)]
        except (AttributeError, OSError):
            process = []
        socket.send_fds(self._control, [orders.REPLY.pack(child, 0)], process)
        for file in process:
            os.close(file)

    def _end(self, number: int) -> None:
        for kill in (os.killpg, os.kill):
            with suppress(OSError):
                kill(number, signal.SIGKILL)
        self._control.sendall(orders.REPLY.pack(*os.waitpid(number, 0)))

    def _become_worker(self, files: list[int], memory: int, parent: int, filtered: bool) -> None:
        """Never returns."""
        try:
            frames, mailbox = self._take(files)
            self._put_on_layers(mailbox, memory, parent, self._filter if filtered else None)
        except BaseException:  # whatever it was, no program may run in this process
            os._exit(orders.NOT_CAGED)
        try:
            worker.main(frames, mailbox)
        finally:
            os._exit(1)

    def _take(self, files: list[int]) -> tuple[mmap.mmap, mmap.mmap]:
        """Maps the memory, puts the pipes where they belong, and closes everything else."""
        os.setsid()
        frames = mmap.mmap(files[2], 2 * worker.HALF_BYTES, access=mmap.ACCESS_READ)
        mailbox = mmap.mmap(files[3], worker.MAILBOX_BYTES)
        # First above both places, so that neither is overwritten before it is moved.
        above = [fcntl.fcntl(file, fcntl.F_DUPFD, worker.REPLIES + 1) for file in files[:2]]
        for file, place in zip(above, (worker.REQUESTS, worker.REPLIES), strict=True):
            os.dup2(file, place)
        # Also what the mappings hold: with a descriptor, a file without seals could be cut off under the host's feet.
        os.closerange(worker.REPLIES + 1, min(os.sysconf("SC_OPEN_MAX"), 1 << 16))
        return frames, mailbox

    def _put_on_layers(self, mailbox: mmap.mmap, memory: int, parent: int, calls: "cage.Filter | None") -> None:
        # Forked workers would else all draw the same numbers.
        random.seed()
        np.random.seed()
        if self._user:
            cage.leave_root()
        cage.tie_to(parent)
        if calls:
            self._kept = cage.note_violations(lambda call: worker.CALL.pack_into(mailbox, worker.CALL_AT, call + 1))
        if self._limits:
            cage.limit(self._mapped + memory)
        if calls:
            calls.load()


def main() -> None:
    """Prepares this process and serves the host.

    The arguments: the socket to the host, the host's pidfd or -1, the layers, separated by commas, the file with the
    filter of system calls, and the host's number, for people who look at the list of processes.
    """
    # What the host may have set for itself; children must be there to be waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    control, host, layers, calls = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    _prepare()
    cage.offer_to_the_short_of_memory()
    host_side = socket.socket(fileno=control)
    try:
        zygote = Zygote(host_side, host, layers.split(","), calls)
    except OSError as error:
        host_side.sendall(json.dumps({"error": str(error)}).encode().ljust(orders.HELLO_BYTES))
        return
    gc.collect()
    gc.freeze()
    zygote.serve()


if __name__ == "__main__":
    main()
