"""What hostile programs are let loose on: a room of files, listeners, a victim; and the witness who looks on."""

import ctypes
import hashlib
import os
import resource
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

KEY = "CAR_TEST_API_KEY"
"""The variable of the environment that holds the secret."""

_libc = ctypes.CDLL(None, use_errno=True)


class Room:
    """A folder that everyone may read and write, made anew for each program.

    Args:
        secret: what lies in it.
    """

    def __init__(self, secret: str) -> None:
        # Not below pytest's own folder, which only its user can enter: the file modes are not to be what stops anyone.
        self.path = Path(tempfile.mkdtemp(prefix="room-", dir="/tmp"))
        self.path.chmod(0o777)
        self._secret = secret
        self.size = 4096 + secrets.randbelow(4096)
        self._before: dict[str, Any] = {}

    def reset(self) -> None:
        """Makes the contents anew."""
        self.remove()
        self.path.mkdir()
        text = self._secret.encode()
        picture = np.frombuffer(text[: len(text) // 3 * 3] + bytes(-len(text) % 3), np.uint8)[:39].reshape(1, -1, 3)
        contents = {
            "secret": text.ljust(self.size),
            "private": text,
            "page": b"whole\n",
            "storage.yml": b'%YAML 1.2\n---\nword: "' + text + b'"\n',
            "picture.png": cv2.imencode(".png", picture)[1].tobytes(),
        }
        for name, content in contents.items():
            (self.path / name).write_bytes(content)
            (self.path / name).chmod(0o600 if name == "private" else 0o666)
        for folder in ("folder", f"folder/{self._secret}", "empty"):
            (self.path / folder).mkdir()
            (self.path / folder).chmod(0o777)
        (self.path / "link").symlink_to(self._secret)
        self.path.chmod(0o777)
        self._before = self._look()

    def changed(self) -> bool:
        """Whether anything is other than `reset` made it."""
        return self._look() != self._before

    def remove(self) -> None:
        """Takes everything away, unless something is mounted there: what is deleted must be ours.

        Raises:
            RuntimeError: something is mounted below the room.
        """
        # Not os.path.ismount: it does not see a folder that is bound to another one of the same disk.
        mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        if any(Path(each).is_relative_to(self.path) for each in mounted):
            raise RuntimeError(f"Something is mounted below {self.path}: unmount it; nothing was deleted.")
        for folder in ("folder", "empty", ""):
            for path in (self.path / folder).iterdir() if (self.path / folder).is_dir() else ():
                if path.is_symlink() or not path.is_dir():
                    path.unlink()
                elif path.parent != self.path:
                    path.rmdir()
        for folder in ("folder", "empty", "new", ""):
            with suppress(FileNotFoundError):
                (self.path / folder).rmdir()

    def _look(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path in sorted(self.path.rglob("*")):
            about = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            marks = os.listxattr(path, follow_symlinks=False)
            found[str(path)] = (about.st_mode, about.st_uid, about.st_size, about.st_mtime_ns, content, marks)
        return found


class Listeners:
    """Sockets on which nobody should knock: TCP and UDP on this machine, and local ones with a path and without.

    Args:
        folder: where the ones with a path lie.
        token: the name of the one without.
    """

    def __init__(self, folder: Path, token: str) -> None:
        self.tcp, self.udp = socket.create_server(("127.0.0.1", 0)), socket.socket(type=socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.path = folder.with_name(f"{folder.name}-listeners")
        self.path.mkdir()
        self.path.chmod(0o777)
        self.stream, self.datagram, self.abstract = (
            socket.socket(socket.AF_UNIX, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_STREAM)
        )
        for each, address in ((self.stream, "stream"), (self.datagram, "datagram")):
            each.bind(str(self.path / address))
            (self.path / address).chmod(0o777)
        self.abstract.bind(f"\0{token}")
        self.stream.listen()
        self.abstract.listen()
        for each in self._all():
            each.setblocking(False)

    def contacted(self) -> bool:
        """Whether someone came since the last time."""
        knocks = [self._knocked(each) for each in self._all()]
        return any(knocks)

    def close(self) -> None:
        """Closes them."""
        for each in self._all():
            each.close()
        for each in self.path.iterdir():
            each.unlink()
        self.path.rmdir()

    def _all(self) -> tuple[socket.socket, ...]:
        return self.tcp, self.udp, self.stream, self.datagram, self.abstract

    def _knocked(self, each: socket.socket) -> bool:
        came = False
        with suppress(BlockingIOError):
            while True:
                if each.type == socket.SOCK_STREAM:
                    each.accept()[0].close()
                else:
                    each.recv(99)
                came = True
        return came


_VICTIM = """
import ctypes, os, signal
memory = ctypes.create_string_buffer(os.environ["CAR_TEST_API_KEY"].encode())
print(ctypes.addressof(memory), flush=True)
signal.pause()
"""


class Victim:
    """A process beside the sandbox that does nothing, with the secret in its environment and memory.

    Args:
        secret: the secret.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._start()

    def harmed(self) -> bool:
        """Whether it is other than it was."""
        return self._process.poll() is not None or self._look() != self._before

    def reset(self) -> None:
        """Starts another one if it was harmed."""
        if self.harmed():
            self.end()
            self._start()

    def end(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.communicate()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _VICTIM],
            env={KEY: self._secret},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.pid, self.address = self._process.pid, int(self._process.stdout.readline())
        os.setpriority(os.PRIO_PROCESS, self.pid, 5)
        self._before = self._look()

    def _look(self) -> tuple[Any, ...]:
        state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        with Path(f"/proc/{self.pid}/mem").open("rb", buffering=0) as memory:
            memory.seek(self.address)
            text = memory.read(len(self._secret))
        return (
            state in "SRDI",
            text,
            os.getpriority(os.PRIO_PROCESS, self.pid),
            resource.prlimit(self.pid, resource.RLIMIT_NOFILE),
            os.sched_getaffinity(self.pid),
            os.sched_getscheduler(self.pid),
            _libc.syscall(252 if os.uname().machine == "x86_64" else 31, 1, self.pid),
        )


class World:
    """Everything that a hostile program can be told the place of."""

    def __init__(self) -> None:
        self.secret, self.token = f"planted-{secrets.token_hex(16)}", f"hx{secrets.token_hex(5)}"
        self.room = Room(self.secret)
        self.listeners = Listeners(self.room.path, self.token)
        self.victim = Victim(self.secret)
        self.memory = ctypes.create_string_buffer(self.secret.encode())
        self.bystander = 0
        os.environ[KEY] = self.secret

    def reset(self) -> None:
        """As if no program had been here."""
        self.room.reset()
        self.victim.reset()
        self.listeners.contacted()
        self.sweep()

    def filled(self, source: str) -> str:
        """The source with its places named."""
        return Template(source).safe_substitute(self._places())

    def litter(self) -> list[Path]:
        """Files with our mark."""
        return [path for folder in ("/tmp", "/dev/shm", "/var/tmp") for path in Path(folder).glob(f"*{self.token}*")]

    def survivors(self) -> list[int]:
        """Processes with our mark."""
        found = []
        for comm in Path("/proc").glob("[0-9]*/comm"):
            with suppress(OSError):
                if comm.read_text().strip() == self.token:
                    found.append(int(comm.parent.name))
        return found

    def sweep(self) -> None:
        """Takes away what has our mark."""
        for path in self.litter():
            path.unlink()
        for pid in self.survivors():
            os.kill(pid, signal.SIGKILL)

    def _places(self) -> Mapping[str, object]:
        return {
            "room": self.room.path,
            "tcp": self.listeners.tcp.getsockname()[1],
            "udp": self.listeners.udp.getsockname()[1],
            "locals": self.listeners.path,
            "token": self.token,
            "victim": self.victim.pid,
            "address": self.victim.address,
            "host": os.getpid(),
            "memory": ctypes.addressof(self.memory),
            "bystander": self.bystander,
            "length": len(self.secret),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sweep()
        os.environ.pop(KEY, None)
        self.victim.end()
        self.listeners.close()
        self.room.remove()


@dataclass(frozen=True)
class Witness:
    """What was seen of one program, from outside.

    Args:
        world: where it was.
        done: what it answered, (n,): 1 done, 0 not done, -2 failed.
        facts: what it told about each row.
        texts: causes and reasons of its failures, and its facts.
        elapsed: how long the host waited for it, in seconds.
        grew: by how much the host's memory grew, in bytes.
        output: what came out of the host's standard output and error.
        honest: whether honest checkers answered rightly beside it and after it.
        libraries: whether the host's numpy and cv2 still work.
        survivors: processes with our mark after the session was closed.
        disagreed: whether two sessions disagreed about a picture.
    """

    world: World
    done: NDArray[np.int8]
    facts: tuple[Mapping[str, Any], ...] = ()
    texts: tuple[str, ...] = ()
    elapsed: float = 0.0
    grew: int = 0
    output: str = ""
    honest: bool = True
    libraries: bool = True
    survivors: tuple[int, ...] = ()
    disagreed: bool = False

    @property
    def proof(self) -> str:
        """What the program brought as its proof; empty if it brought nothing."""
        return next((str(each["proof"]) for each in reversed(self.facts) if each.get("proof")), "")

    @property
    def everything(self) -> str:
        """All that it said."""
        return " ".join((*self.texts, *(str(each) for each in self.facts), self.output))


def libraries_work() -> bool:
    """Whether numpy and cv2 of this process are what they were."""
    picture = np.full((4, 4, 3), 9, np.uint8)
    calls: tuple[Callable[[], bool], ...] = (
        lambda: float(np.mean(picture)) == 9.0,
        lambda: bool(cv2.inRange(picture, (9,) * 3, (9,) * 3).all()),
        lambda: len([1, 2]) == 2 and isinstance(3, int),
    )
    return all(each() for each in calls)
