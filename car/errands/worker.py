"""What a machine of a Ray cluster does with an errand: carries it out in a process of its own, and sends what comes.

Nothing that lies on this machine is used but the packages: the errand's files come along and go back, so that it can go
on elsewhere when this machine is lost.
"""

import contextlib
import importlib.metadata
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from car.errands.errand import Errand
from car.errands.message import error_line
from car.errands.parcel import Parcel, Sender
from car.errands.process import Process
from car.errors import CarError, UserError

_LOOK_SECONDS = 0.5
_PREFIX = "car-errand-"


@dataclass(frozen=True)
class Begun:
    """The errand is on a machine.

    Args:
        host: the name of the machine.
        version: of this package there.
    """

    host: str
    version: str


@dataclass(frozen=True)
class Ended:
    """The errand is over; its files were sent before.

    Args:
        error: what went wrong, as a line that a process says; None if nothing did.
    """

    error: Mapping[str, Any] | None


Item = Begun | Parcel | Mapping[str, Any] | Ended
"""What comes from a machine: that it has begun, files, what the process said, and that it has ended."""


def version() -> str:
    """The version of this package on this machine."""
    try:
        return importlib.metadata.version("code-as-reward")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def carry_out(
    errand: Errand, files: Parcel, reads: Mapping[str, Parcel], stopping: Callable[[], bool], patience: float
) -> Iterator[Item]:
    """Carries out an errand.

    Args:
        errand: what to do, with the paths of the machine that it comes from.
        files: the errand's own.
        reads: those that it reads, each under the name of its path.
        stopping: whether it shall save what it has and end; asked every now and then.
        patience: seconds that it then may take.
    """
    yield Begun(socket.gethostname(), version())
    _sweep()
    try:
        with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-") as scratch:
            yield from _carried_out(_placed(errand, Path(scratch)), files, reads, stopping, patience, errand)
    except CarError as error:
        yield Ended(error_line(error))
    except OSError as error:
        yield Ended(error_line(UserError(f"On the machine {socket.gethostname()}: {error.strerror or error}.")))


def _carried_out(
    placed: Errand,
    files: Parcel,
    reads: Mapping[str, Parcel],
    stopping: Callable[[], bool],
    patience: float,
    errand: Errand,
) -> Iterator[Item]:
    files.unpack(placed.folder)
    for name, parcel in reads.items():
        parcel.unpack(placed.reads[name].parent)
    sender = Sender(placed.folder, placed.parts)
    sender.changes()
    said = Queue[tuple[Process, Mapping[str, Any] | None]]()
    process = Process(placed, said)
    try:
        for fields in _until_end(process, said, stopping, patience):
            if fields.get("kept"):
                yield sender.changes()
            yield fields
        error = process.error()
    finally:
        process.kill()
    yield sender.changes()
    yield Ended(None if error is None else _as_there(error_line(error), placed, errand))


def _until_end(
    process: Process,
    said: Queue[tuple[Process, Mapping[str, Any] | None]],
    stopping: Callable[[], bool],
    patience: float,
) -> Iterator[Mapping[str, Any]]:
    """What the process says; once it shall stop, it is interrupted, and killed if it goes on for too long."""
    look: float | None = time.monotonic()
    while True:
        with contextlib.suppress(Empty):
            _, fields = said.get(timeout=_LOOK_SECONDS)
            if fields is None:
                return
            yield fields
        if look is not None and time.monotonic() >= look:
            look = time.monotonic() + _LOOK_SECONDS
            if stopping():
                look = None
                process.interrupt()
                process.end_within(patience)


def _placed(errand: Errand, scratch: Path) -> Errand:
    """The errand with paths of this machine; names stay, because they are shown."""
    reads = {name: scratch / "reads" / name / path.name for name, path in errand.reads.items()}
    return errand.placed(scratch / "writes" / errand.folder.name, reads)


def _as_there(line: Mapping[str, Any], placed: Errand, errand: Errand) -> Mapping[str, Any]:
    """An error with the paths of the machine that the errand came from."""
    text = str(line["error"]).replace(str(placed.folder), str(errand.folder))
    for name, path in errand.reads.items():
        text = text.replace(str(placed.reads[name]), str(path))
    return {**line, "error": text}


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sweep() -> None:
    """Removes what errands of processes that were killed have left on this machine."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        number = left.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdecimal() and not _lives(int(number)):
            shutil.rmtree(left, ignore_errors=True)
