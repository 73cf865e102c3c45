"""The memory that the host shares with its workers, and the reading of what a worker wrote there.

Every byte from a worker is hostile: it is copied first, then checked, and what does not fit is no answer.
"""

import json
import math
import mmap
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from car.frames import Frames
from car.sandbox import Answers, Crashed, Kind, Outcome, Ran, Refused, TimedOut, worker

if sys.platform != "win32":
    import fcntl

_RECORD = np.dtype(
    [
        ("progress", "<f8"),
        ("size", "<u4"),
        ("line", "<u4"),
        ("gap", "V5"),
        ("where", "u1"),
        ("done", "u1"),
        ("status", "u1"),
    ]
)
_FIRST_STATUS = worker.RECORDS_AT + worker.RECORD.size - 1
_CHUNK_BYTES = 4 << 20
_NUMBERED_BYTES = 64 << 20
_MOST = 10**300
"""Whole numbers from here on are more than a float can hold."""
_SEAL_FUTURE_WRITE = 0x10

Shape = tuple[int, ...]


class Memory:
    """Memory without a name, mapped read-write here, that a child maps through a descriptor.

    Args:
        name: what the system's listings call it.
        size: in bytes; pages that are never touched cost nothing.
        writable: whether the child may write to it.
    """

    def __init__(self, name: str, size: int, writable: bool) -> None:
        try:
            file, self.file = _anonymous(name, size, writable)
        except (AttributeError, OSError):
            file, self.file = _unlinked(name, size, writable)
        try:
            self.map = mmap.mmap(file, size)
            _seal(file, writable)
        except OSError:
            self.close_file()
            raise
        finally:
            os.close(file)

    def close_file(self) -> None:
        """Closes the child's descriptor here; the mapping stays as long as something refers to it."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1


def _anonymous(name: str, size: int, writable: bool) -> tuple[int, int]:
    file = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(file, size)
        return file, os.open(f"/proc/self/fd/{file}", (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
    except OSError:
        os.close(file)
        raise


def _unlinked(name: str, size: int, writable: bool) -> tuple[int, int]:
    file, path = tempfile.mkstemp(prefix=f"car-{name}-")
    try:
        os.ftruncate(file, size)
        return file, os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
    except OSError:
        os.close(file)
        raise
    finally:
        os.unlink(path)  # noqa: PTH108 - mkstemp gave text


def _seal(file: int, writable: bool) -> None:
    """Fixes the size, so that a worker cannot take the pages away from under the host, and who may write."""
    with suppress(AttributeError, OSError):
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)
        if not writable:
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEAL_FUTURE_WRITE)


class FrameStore:
    """The frames of one chunk of a batch, shared with all workers of a session, read-only there."""

    def __init__(self) -> None:
        self.memory = Memory("frames", 2 * worker.HALF_BYTES, writable=False)
        self.shape: Shape = ()
        self.rows = 0
        self.openings = 0
        self._current: Frames = np.empty((0, 0, 0, 3), np.uint8)
        self._initial: Frames = self._current

    def fit(self, shape: Shape) -> bool:
        """Lays the memory out for frames of this shape (H, W, 3); True if that is another layout than before.

        Sets `rows`, how many frames a chunk may have, and `openings`, how many first frames may be numbered.
        """
        if shape == self.shape:
            return False
        size = shape[0] * shape[1] * shape[2]
        self.rows = min(worker.MOST_ROWS, max(1, _CHUNK_BYTES // size))
        self.openings = min(worker.MOST_ROWS, max(1, _NUMBERED_BYTES // size))
        whole = np.frombuffer(self.memory.map, np.uint8)
        self._current, self._initial = (
            whole[start : start + self.rows * size].reshape(self.rows, *shape) for start in (0, worker.HALF_BYTES)
        )
        # Last: what is interrupted before is laid out again.
        self.shape = shape
        return True

    def close(self) -> None:
        """Gives the memory back."""
        self._current = self._initial = np.empty((0, 0, 0, 3), np.uint8)
        self.memory.close_file()
        with suppress(BufferError):
            self.memory.map.close()

    def put(self, frames: Frames, rows: NDArray[np.intp]) -> None:
        """Puts these m of the frames, (n, H, W, 3) with m <= `rows`, into the slots 0 to m - 1; copies them once."""
        if len(rows) == len(frames):
            self._current[: len(rows)] = frames
        elif rows[-1] - rows[0] == len(rows) - 1:
            self._current[: len(rows)] = frames[rows[0] : rows[-1] + 1]
        else:
            np.take(frames, rows, axis=0, out=self._current[: len(rows)], mode="clip")

    def put_opening(self, slot: int, initial: NDArray[np.uint8]) -> None:
        """Puts one first frame, (H, W, 3), into its slot."""
        self._initial[slot] = initial


class Mailbox:
    """What the host and one worker exchange besides the frames; the worker can write all of it at any time."""

    def __init__(self) -> None:
        self.memory = Memory("mailbox", worker.MAILBOX_BYTES, writable=True)
        whole = np.frombuffer(self.memory.map, np.uint8)
        rows = whole[worker.ROWS_AT : worker.ROWS_AT + worker.MOST_ROWS * worker.ROW.size]
        records = whole[worker.RECORDS_AT : worker.RECORDS_AT + worker.MOST_ROWS * worker.RECORD.size]
        self._rows = rows.view("<u4").reshape(worker.MOST_ROWS, 3)
        self._records = records.view(_RECORD)
        self._status = self._records["status"]

    def put_source(self, source: bytes) -> None:
        """Writes the program to load, at most `worker.SOURCE_BYTES` long, and expects one record."""
        self.memory.map[worker.TEXTS_AT : worker.TEXTS_AT + len(source)] = source
        self._status[0] = worker.PENDING

    def put_rows(
        self, slots: NDArray[np.intp], numbers: NDArray[np.uint32], openings: NDArray[np.uint32] | int
    ) -> None:
        """Writes the rows to answer, arrays of shape (m,) or one number for all."""
        count = len(slots)
        self._rows[:count, 0] = slots
        self._rows[:count, 1] = numbers
        self._rows[:count, 2] = openings

    def expect(self, count: int) -> None:
        """Marks the first `count` records as not written."""
        if count == 1:
            self.memory.map[_FIRST_STATUS] = worker.PENDING
        else:
            self._status[:count] = worker.PENDING

    def answered(self, count: int) -> int:
        """How many of the first `count` records are written, up to the first that is not."""
        pending = np.flatnonzero(self._status[:count] == worker.PENDING)
        return int(pending[0]) if len(pending) else count

    def call(self) -> int | None:
        """The number of the system call that the worker says it was ended for, if it says so."""
        said: int = worker.CALL.unpack_from(self.memory.map, worker.CALL_AT)[0]
        return said - 1 if said else None

    def records(self, count: int) -> bytes:
        """A copy of the first `count` records."""
        return self.memory.map[worker.RECORDS_AT : worker.RECORDS_AT + count * worker.RECORD.size]

    def first_record(self) -> tuple[Any, ...]:
        """The first record, read once."""
        return worker.RECORD.unpack_from(self.memory.map, worker.RECORDS_AT)

    def where(self) -> str:
        """The function that the worker says it is in."""
        where = self.memory.map[0]
        return worker.WHERE[where] if 0 < where < len(worker.WHERE) else "check"

    def outcome(self, at: int, record: tuple[Any, ...]) -> Outcome | None:
        """What a copied record and its text say; None if that is not possible."""
        progress, size, line, where, done, status = record
        if size > worker.TEXT_BYTES or where >= len(worker.WHERE) or done > 1:
            return None
        start = worker.TEXTS_AT + at * worker.TEXT_BYTES
        text = self.memory.map[start : start + size]
        if status == worker.RAN:
            return _ran(bool(done), progress, text)
        if status in (worker.CRASHED, worker.OUT_OF_MEMORY):
            kind = Kind.RAISED if status == worker.CRASHED else Kind.OUT_OF_MEMORY
            return Crashed(worker.WHERE[where], printable(text.decode("utf-8", "replace")), line or None, kind)
        if status == worker.REFUSED:
            return Refused(worker.WHERE[where], printable(text.decode("utf-8", "replace")))
        return None


def printable(text: str, most: int = 500) -> str:
    """The text on one line of at most `most` characters, without control sequences."""
    return "".join(each if each.isprintable() else " " for each in text[:most])


def _ran(done: bool, progress: float, text: bytes) -> Ran | None:
    none = math.isnan(progress)
    if not (none or 0 <= progress <= 1):
        return None
    facts = _facts(text) if text else {}
    return None if facts is None else Ran(done, None if none else progress, facts)


def _facts(text: bytes) -> dict[str, Any] | None:
    try:
        facts = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict):
        return None
    flat = {printable(key): _fact(value) for key, value in facts.items()}
    return None if any(value is NotImplemented for value in flat.values()) else flat


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _fact(value: Any) -> Any:
    if isinstance(value, list):
        items = [NotImplemented if isinstance(each, list) else _fact(each) for each in value]
        return NotImplemented if any(each is NotImplemented for each in items) else items
    if isinstance(value, str):
        return printable(value, worker.TEXT_BYTES)
    if isinstance(value, float):
        return value if math.isfinite(value) else NotImplemented
    if isinstance(value, int):
        return value if abs(value) < _MOST else NotImplemented
    return value if value is None else NotImplemented


@lru_cache(maxsize=64)
def _blank(rows: int, columns: int) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    return np.full((rows, columns), -1, np.int8), np.full((rows, columns), np.nan)


class Sheet:
    """The answers of a batch while they come in.

    Args:
        rows: the number of frames.
        columns: the number of checkers.
    """

    def __init__(self, rows: int, columns: int) -> None:
        done, progress = _blank(rows, columns)
        self._done, self._progress = done.copy(), progress.copy()
        self._failures: dict[tuple[int, int], Crashed | TimedOut | Refused] = {}
        self._facts: dict[tuple[int, int], dict[str, Any]] = {}

    def accept(self, column: int, rows: NDArray[np.intp], mailbox: Mailbox) -> int:
        """Enters the records of these rows, up to the first that is pending or impossible; returns how many."""
        if len(rows) == 1:
            return self._accept_at(column, int(rows[0]), 0, mailbox.first_record(), mailbox)
        written = mailbox.records(len(rows))
        # Below that, the arrays cost more than they save.
        if len(rows) > 4 and _plain(records := np.frombuffer(written, _RECORD)):
            self._done[rows, column] = records["done"]
            self._progress[rows, column] = records["progress"]
            return len(rows)
        for at, (row, record) in enumerate(zip(rows.tolist(), worker.RECORD.iter_unpack(written), strict=True)):
            if not self._accept_at(column, row, at, record, mailbox):
                return at
        return len(rows)

    def _accept_at(self, column: int, row: int, at: int, record: tuple[Any, ...], mailbox: Mailbox) -> int:
        """Enters one record; returns 1, or 0 if it is pending or impossible."""
        progress, size, _, _, done, status = record
        if status == worker.RAN and size == 0 and done <= 1 and (math.isnan(progress) or 0 <= progress <= 1):
            self._done[row, column] = done
            self._progress[row, column] = progress
            return 1
        outcome = mailbox.outcome(at, record)
        if outcome is None:
            return 0
        self.enter(column, row, outcome)
        return 1

    def enter(self, column: int, row: int, outcome: Outcome) -> None:
        """Enters one outcome."""
        if not isinstance(outcome, Ran):
            self._done[row, column] = -2
            self._failures[row, column] = outcome
            return
        self._done[row, column] = outcome.done
        self._progress[row, column] = np.nan if outcome.progress is None else outcome.progress
        if outcome.facts:
            self._facts[row, column] = dict(outcome.facts)

    def fail(self, column: int, rows: Sequence[int] | NDArray[np.intp], outcome: Crashed | TimedOut | Refused) -> None:
        """Enters the same failure for several rows."""
        for row in rows:
            self.enter(column, int(row), outcome)

    def answers(self) -> Answers:
        """What came in."""
        return Answers(self._done, self._progress, self._failures, self._facts)


def _plain(records: NDArray[np.void]) -> bool:
    """Whether all records are possible answers without a text."""
    progress = records["progress"]
    impossible = (records["status"] != worker.RAN) | (records["size"] != 0) | (records["done"] > 1)
    # A NaN, for no progress, is neither.
    return not (impossible | (progress < 0) | (progress > 1)).any()
