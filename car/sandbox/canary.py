"""A canary: hostile programs of our own, run in workers made like the real ones, to see what these can do.

That the kernel says it took a filter proves nothing (inside a container there is always one), so nothing is believed
that was not tried. Each harm is tried by a program of its own, because the first forbidden system call ends it.
"""

import os
import stat
import tempfile
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from car.checker import Checker, SubTask
from car.errors import SandboxUnavailable
from car.sandbox import Crashed, Kind, Limits, Outcome, Ran, Session
from car.sandbox.child import not_started
from car.sandbox.isolation import Isolation, Layer
from car.sandbox.launch import zygote_for

_LIMITS = Limits(load_seconds=20.0, frame_seconds=5.0, memory_mb=256, lives=0)
_CONTENT = "what a file holds"
_FRAME = np.zeros((1, 8, 8, 3), np.uint8)


@dataclass(frozen=True)
class Probe:
    """One harm that is tried.

    Args:
        harm: what a hostile program could do if this succeeds, in words.
        serious: whether a machine on which it succeeds holds nothing.
        body: of the function `check`; returns True if the harm was done. It knows `folder`, `host` and `libc`.
        trace: a file in the folder that is there, or is gone, only if the harm was done; "" if there is none.
    """

    harm: str
    serious: bool
    body: str
    trace: str = ""


PROBES = (
    Probe("read files", True, "return open(folder + '/secret').read() == " + repr(_CONTENT)),
    Probe("write files", True, "return open(folder + '/written', 'w').write('1') == 1", "written"),
    Probe("remove files", True, "os.unlink(folder + '/precious')\nreturn True", "precious"),
    Probe("use the network", True, "return libc.socket(2, 2, 0) >= 0"),
    Probe("start processes", True, "child = libc.fork()\nif child == 0: os._exit(0)\nreturn child > 0"),
    Probe("take memory", True, "return len(np.zeros(1 << 30, np.uint8)) > 0"),
    Probe("see which files exist", False, "return os.stat(folder + '/secret').st_size > 0"),
    Probe("send signals to this program", False, "os.kill(host, 0)\nreturn True"),
    Probe("send signals to what started it", False, "os.kill(os.getppid(), 0)\nreturn True"),
    Probe("reach interfaces of the kernel", False, "return libc.shmctl(libc.shmget(0, 4096, 0o1600), 0, None) == 0"),
)
_HONEST = Probe("", False, "return True")


class Start(Protocol):
    """Starts a session of programs in workers as they are made here, or without the filter of system calls."""

    def __call__(self, checkers: Sequence[Checker], limits: Limits, *, filtered: bool) -> Session: ...


_KNOWN: dict[tuple[int, frozenset[Layer]], Isolation] = {}
_LOCKS: dict[int, threading.Lock] = {}


def measured(layers: Collection[Layer], start: Start) -> Isolation:
    """The isolation of workers that put on these layers; looked at once in a process.

    Raises:
        SandboxUnavailable: no worker can be started here, or not even an honest program runs.
    """
    key = os.getpid(), frozenset(layers)
    # The lock of a process that forked this one may be held for ever.
    with _LOCKS.setdefault(os.getpid(), threading.Lock()):
        if key not in _KNOWN:
            try:
                _KNOWN[key] = _measure(zygote_for(layers, 0).layers, start)
            except OSError as error:
                raise SandboxUnavailable(not_started(error)) from error
        return _KNOWN[key]


def too_weak(isolation: Isolation, at_least: int) -> str:
    """Why nothing runs at this isolation, and the way out."""
    missing = [each for each in (Layer.FILTER, Layer.LIMITS, Layer.LANDLOCK) if each not in isolation.layers]
    lacks = f" ({', '.join(missing)} not in force)" if missing else ""
    return (
        f"Generated programs would run at isolation level {isolation.level} of 3{lacks}, where they could "
        f"{', '.join(isolation.could) or 'do nothing that was tried'}, and level {at_least} is required: use a Linux "
        "with seccomp and Landlock on x86-64 or arm64, for instance in Docker, a virtual machine or WSL2, or accept "
        f"the risk with `--isolation {isolation.level}`, in Python `ProcessSandbox(at_least={isolation.level})`."
    )


def _measure(layers: Mapping[str, str], start: Start) -> Isolation:
    could = _tried(PROBES, start, filtered=True)
    if any(each.serious for each in could):
        level = 0
    elif could:
        level = 1
    else:
        serious = [each for each in PROBES if each.serious]
        level = 2 if _tried(serious, start, filtered=False) else 3
    return Isolation(level, tuple(each.harm for each in could), dict(layers))


def _tried(probes: Sequence[Probe], start: Start, filtered: bool) -> list[Probe]:
    """The probes that did their harm, or that something else than a layer has stopped."""
    with tempfile.TemporaryDirectory(prefix="car-canary-", dir=_open_to_all(), ignore_cleanup_errors=True) as name:
        folder = Path(name)
        _lay_out(folder)
        checkers = [_program(each, folder) for each in (_HONEST, *probes)]
        with start(checkers, _LIMITS, filtered=filtered) as session:
            answers = session.run(_FRAME[0], _FRAME)
        outcomes = [answers.outcome(0, column) for column in range(len(checkers))]
        if not isinstance(outcomes[0], Ran):
            raise SandboxUnavailable(f"Not even an honest program runs in the sandbox here: {outcomes[0]}.")
        pairs = list(zip(probes, outcomes[1:], strict=True))
        return [probe for probe, outcome in pairs if not _was_stopped(outcome) or _left_a_trace(probe, folder)]


def _was_stopped(outcome: Outcome | None) -> bool:
    """Whether a layer stopped the probe: a time-out or an accident proves nothing."""
    if isinstance(outcome, Ran):
        return not outcome.done
    if not isinstance(outcome, Crashed) or outcome.where != "check":
        return False
    by_system = outcome.cause.startswith(("PermissionError", "OSError", "ProcessLookupError"))
    return outcome.kind in (Kind.VIOLATION, Kind.OUT_OF_MEMORY) or by_system


def _open_to_all() -> str:
    """A temporary folder that every user may enter, so that the user whom a worker becomes is not why it fails.

    Raises:
        SandboxUnavailable: there is none.
    """
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):  # noqa: S108 - what is made there has a name of its own
        path = Path(place).resolve()
        if os.access(path, os.W_OK) and all(each.stat().st_mode & stat.S_IXOTH for each in (path, *path.parents)):
            return str(path)
    raise SandboxUnavailable("No temporary folder can be entered by every user: set TMPDIR to one that can.")


def _lay_out(folder: Path) -> None:
    for name in ("secret", "precious"):
        (folder / name).write_text(_CONTENT, encoding="ascii")
        (folder / name).chmod(0o666)
    # Last: in a folder that is open, somebody else could put a link in a file's place before it is written.
    folder.chmod(0o777)


def _left_a_trace(probe: Probe, folder: Path) -> bool:
    if not probe.trace:
        return False
    there = (folder / probe.trace).exists()
    return not there if probe.trace == "precious" else there


def _program(probe: Probe, folder: Path) -> Checker:
    body = "\n    ".join(probe.body.splitlines())
    source = (
        "import ctypes, os\nimport numpy as np\n"
        f"libc = ctypes.CDLL(None)\nfolder, host = {str(folder)!r}, {os.getpid()}\n\n"
        f"def check(found, current):\n    {body}\n"
    )
    return Checker(SubTask("canary", "A canary."), source)
