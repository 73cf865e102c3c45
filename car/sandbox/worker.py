"""Runs one checker in a process of its own, forked from the zygote; imports nothing of ours.

The host shares two pieces of memory with this process: the frames, which can only be read here, and a mailbox, which
holds the rows that are asked, the records that answer them and a text for each record. A request is one fixed-size
message on a pipe; when all its rows are answered, the request's nonce goes back on the other pipe.

What is written here serves the honest checker with exact answers. A dishonest one can change anything in this process,
so the host believes nothing that comes out of it.
"""

import gc
import json
import math
import mmap
import os
import struct
import sys
import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING or __package__:
    from car.sandbox import returned
else:
    # In the zygote, which has put this folder on the path for a moment.
    import returned

REQUESTS, REPLIES = 3, 4
"""The two pipes; the filter of system calls lets a worker read from the one and write to the other."""

REQUEST = struct.Struct("<QIIII")
"""nonce; rows to answer, or bytes of source to load; height; width; what to do: LOAD, ASK or EXPLAIN."""
LOAD, ASK, EXPLAIN = range(3)

PING = struct.Struct("<Q")
"""The nonce of the request that is answered."""

ROW = struct.Struct("<III")
"""Slot of the frame; number of its episode's first frame; slot of that first frame, or KNOWN."""
KNOWN = 0xFFFFFFFF

RECORD = struct.Struct("<dII5xBBB")
"""progress; bytes of text; line of the source, or 0; where; done; status, last, so that a torn record is not one."""
PENDING, RAN, CRASHED, REFUSED, OUT_OF_MEMORY = range(5)

WHERE = ("load", "identify", "check", "progress", "explain")
_LOAD, _IDENTIFY, _CHECK, _PROGRESS, _EXPLAIN = range(5)

CALL, CALL_AT = struct.Struct("<I"), 4
"""One more than the number of the system call that ended the worker, or 0; and where in the mailbox it stands."""
VIOLATION = 159
"""The exit code of a worker that was ended for a system call: 128 and the number of SIGSYS."""

MOST_ROWS = 512
TEXT_BYTES = 4096
ROWS_AT = 64
RECORDS_AT = ROWS_AT + MOST_ROWS * ROW.size
TEXTS_AT = -(-(RECORDS_AT + MOST_ROWS * RECORD.size) // 4096) * 4096
MAILBOX_BYTES = TEXTS_AT + MOST_ROWS * TEXT_BYTES
"""The mailbox: where the checker is (one byte), the system call that ended it, rows, records, texts.

A source to load takes the place of the texts.
"""
SOURCE_BYTES = MOST_ROWS * TEXT_BYTES

HALF_BYTES = 64 << 20
"""The frames: the asked ones from the start, first frames of episodes from the second half on."""

MODULES = tuple(
    "bisect collections collections.abc cv2 dataclasses enum functools heapq itertools math numpy numpy.fft "
    "numpy.lib.stride_tricks numpy.linalg numpy.typing operator re statistics typing".split()
)
"""What a checker can count on. It is loaded beforehand: no file can be opened once the program runs."""

INNER = tuple(
    "__future__ _strptime abc array ast base64 binascii calendar cmath colorsys contextlib copy csv datetime decimal "
    "difflib encodings.ascii encodings.cp1252 encodings.cp437 encodings.idna encodings.iso8859_15 encodings.latin_1 "
    "encodings.punycode encodings.raw_unicode_escape encodings.unicode_escape encodings.utf_16 encodings.utf_16_be "
    "encodings.utf_16_le encodings.utf_32 encodings.utf_32_be encodings.utf_32_le encodings.utf_8_sig fractions gc "
    "hashlib html inspect io json linecache locale logging numbers numpy.char numpy.lib.recfunctions numpy.ma "
    "numpy.ma.mrecords numpy.polynomial numpy.random numpy.rec numpy.strings numpy.testing pickle queue random "
    "resource secrets string struct textwrap threading time tokenize traceback types unicodedata uuid warnings weakref "
    "zipfile zlib".split()
)
"""What those modules import late, e.g. to show a warning or to compile names outside ASCII, and harmless others."""

_FILENAME = "<checker>"
_OF_SYNTAX = frozenset({SyntaxError, IndentationError, TabError})
_CAUSE = 300


class _Failed:
    """What went wrong with one row, ready to be written to its record."""

    def __init__(self, status: int, where: int, line: int, text: str) -> None:
        self.status, self.where, self.line = status, where, line
        self.text = text.encode("utf-8", "replace")[:TEXT_BYTES]


class _Closed:
    """The only finder on the import path: whatever is not loaded cannot be."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        allowed = ", ".join(each for each in MODULES if "." not in each)
        raise ModuleNotFoundError(f"No module named {name!r}; a checker may import only: {allowed}.", name=name)


class Program:
    """The checker: its functions, and what it found in each episode's first frame.

    Args:
        frames: the shared frames, read-only.
        mailbox: the memory for rows, records and texts.
    """

    def __init__(self, frames: mmap.mmap, mailbox: mmap.mmap) -> None:
        self._memory = np.frombuffer(frames, np.uint8)
        self._mailbox = mailbox
        self._shape = (0, 0)
        self._frames: NDArray[np.uint8] = self._memory
        self._openings: NDArray[np.uint8] = self._memory
        self._found: dict[int, Any] = {}
        self._check: Callable[[Any, Any], object] = lambda found, current: None
        self._identify: Callable[[Any], Any] | None = None
        self._progress: Callable[[Any, Any], object] | None = None
        self._explain: Callable[[Any, Any], object] | None = None

    def load(self, size: int) -> None:
        """Runs the program whose source of `size` bytes is in the mailbox; record 0 says how it went."""
        self._enter(_LOAD)
        try:
            self._define(self._mailbox[TEXTS_AT : TEXTS_AT + size].decode())
        except BaseException as error:  # a checker may raise SystemExit, KeyboardInterrupt or a class of its own
            self._fail(0, self._described(error))
        else:
            RECORD.pack_into(self._mailbox, RECORDS_AT, math.nan, 0, 0, _LOAD, 0, RAN)

    def answer(self, count: int, height: int, width: int, explain: bool) -> None:
        """Writes a record for each of the `count` rows in the mailbox, one after the other."""
        if (height, width) != self._shape:
            self._view(height, width)
        rows = ROW.iter_unpack(self._mailbox[ROWS_AT : ROWS_AT + count * ROW.size])
        if self._progress is None and not (explain and self._explain is not None):
            self._answer_plainly(rows)
            return
        given: set[int] = set()
        for at, (slot, number, opening) in enumerate(rows):
            if opening != KNOWN and number not in given:
                given.add(number)
                self._found[number] = self._look(opening)
            self._judge(at, self._found[number], self._frames[slot], explain)

    def _answer_plainly(self, rows: Iterator[tuple[int, int, int]]) -> None:
        """Answers rows with what `check` says alone.

        Most rows go through this loop, and what it costs is what the sandbox costs in a batch.
        """
        mailbox, frames, found, check = self._mailbox, self._frames, self._found, self._check
        given: set[int] = set()
        mailbox[0], at, record = _CHECK, 0, RECORDS_AT
        for slot, number, opening in rows:
            if opening != KNOWN and number not in given:
                given.add(number)
                found[number] = self._look(opening)
                mailbox[0] = _CHECK
            known = found[number]
            if type(known) is _Failed:
                self._fail(at, known)
            else:
                try:
                    done = check(known, frames[slot])
                    if done is not True and done is not False:
                        done = returned.truth(done)
                except BaseException as error:  # as in load
                    self._fail(at, self._described(error))
                else:
                    RECORD.pack_into(mailbox, record, math.nan, 0, 0, _CHECK, done, RAN)
            at, record = at + 1, record + RECORD.size

    def _define(self, source: str) -> None:
        module = types.ModuleType("checker")
        sys.modules["checker"] = module
        exec(compile(source, _FILENAME, "exec", dont_inherit=True), module.__dict__)
        names = module.__dict__
        for name in ("check", "identify", "progress", "explain"):
            if name in names and not callable(names[name]):
                raise returned.NotAnAnswerError(f"{name} must be a function; it is {returned.shown(names[name])}.")
        if "check" not in names:
            raise returned.NotAnAnswerError("The program must define the function check(found, current).")
        self._check, self._identify = names["check"], names.get("identify")
        self._progress, self._explain = names.get("progress"), names.get("explain")

    def _view(self, height: int, width: int) -> None:
        self._shape, size = (height, width), height * width * 3
        count = HALF_BYTES // size
        halves = self._memory[:HALF_BYTES], self._memory[HALF_BYTES:]
        self._frames, self._openings = (half[: count * size].reshape(count, height, width, 3) for half in halves)

    def _look(self, opening: int) -> Any:
        # Slots are used again, so the first frame is copied; bytes below an array cannot be made writable.
        shared = self._openings[opening]
        initial = np.frombuffer(shared.tobytes(), np.uint8).reshape(shared.shape)
        if self._identify is None:
            return initial
        self._enter(_IDENTIFY)
        try:
            return self._identify(initial)
        except BaseException as error:  # as in load
            return self._described(error)

    def _judge(self, at: int, found: Any, current: NDArray[np.uint8], explain: bool) -> None:
        if type(found) is _Failed:
            self._fail(at, found)
            return
        try:
            self._enter(_CHECK)
            done, progress, text = returned.truth(self._check(found, current)), math.nan, b""
            if self._progress is not None:
                self._enter(_PROGRESS)
                progress = 1.0 if done else returned.share(self._progress(found, current))
            if explain and self._explain is not None:
                self._enter(_EXPLAIN)
                text = self._explained(self._explain, found, current)
        except BaseException as error:  # as in load
            self._fail(at, self._described(error))
        else:
            self._write(at, progress, text, 0, _CHECK, done, RAN)

    def _explained(self, explain: Callable[[Any, Any], object], found: Any, current: NDArray[np.uint8]) -> bytes:
        """The facts; why there are none, if `explain` fails: what `check` said stays as good as it was."""
        try:
            return returned.facts(explain(found, current))
        except BaseException as error:  # as in load
            cause = self._described(error).text.decode("utf-8", "replace")[:_CAUSE]
            return json.dumps({"explain": f"failed: {cause}"}, ensure_ascii=False).encode()

    def _enter(self, where: int) -> None:
        self._mailbox[0] = where

    def _fail(self, at: int, failed: _Failed) -> None:
        self._write(at, math.nan, failed.text, failed.line, failed.where, False, failed.status)

    def _write(self, at: int, progress: float, text: bytes, line: int, where: int, done: bool, status: int) -> None:
        if text:
            start = TEXTS_AT + at * TEXT_BYTES
            self._mailbox[start : start + len(text)] = text
        RECORD.pack_into(self._mailbox, RECORDS_AT + at * RECORD.size, progress, len(text), line, where, done, status)

    def _described(self, error: BaseException) -> _Failed:
        where = self._mailbox[0]
        if type(error) is returned.NotAnAnswerError:
            return _Failed(REFUSED, where, 0, str(error))
        # Its type and not isinstance: what an error says of its class may be code of the checker. The code of a
        # cv2.error is -4 for a lack of memory.
        kind = type(error)
        short = issubclass(kind, MemoryError) or (kind is cv2.error and getattr(error, "code", 0) == -4)
        status = OUT_OF_MEMORY if short else CRASHED
        return _Failed(status, where, _line(error), f"{returned.name_of(type(error))}: {_message(error)}")


def _message(error: BaseException) -> str:
    try:
        # A __str__ of the checker may return a subclass with methods of its own; this slice is a plain str.
        return str.__getitem__(str(error), slice(500))
    except BaseException:  # a hostile __str__ may raise anything
        return "(its message could not be read)"


def _line(error: BaseException) -> int:
    """The last line of the checker's source on the way to the error, or 0."""
    line = 0
    if type(error) in _OF_SYNTAX and error.filename == _FILENAME and type(error.lineno) is int:  # type: ignore[attr-defined]
        line = error.lineno  # type: ignore[attr-defined]
    trace = sys.exc_info()[2]
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return min(max(line, 0), 0xFFFFFFFF)


def _serve(program: Program) -> None:
    while len(message := os.read(REQUESTS, REQUEST.size)) == REQUEST.size:
        nonce, count, height, width, what = REQUEST.unpack(message)
        if what == LOAD:
            os.write(REPLIES, PING.pack(nonce))
            program.load(count)
            gc.collect()
            gc.freeze()
        else:
            program.answer(count, height, width, what == EXPLAIN)
        os.write(REPLIES, PING.pack(nonce))


def main(frames: mmap.mmap, mailbox: mmap.mmap) -> None:
    """Answers requests until the host is gone; the process must be caged already.

    Args:
        frames: the shared frames, read-only.
        mailbox: the memory for rows, records and texts.
    """
    sys.meta_path[:] = [_Closed]
    _serve(Program(frames, mailbox))
