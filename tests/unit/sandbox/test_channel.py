import json
import math
import os

import numpy as np
import pytest

from car.sandbox import Crashed, Outcome, Ran, Refused, worker
from car.sandbox.channel import FrameStore, Mailbox, Memory, Sheet, printable


def write(mailbox: Mailbox, at: int, *, text: bytes = b"", size: int | None = None, **fields: float) -> None:
    """Writes a record as a worker would, or as it should not."""
    values = {"progress": math.nan, "line": 0, "where": 2, "done": 0, "status": worker.RAN} | fields
    start = worker.TEXTS_AT + at * worker.TEXT_BYTES
    mailbox.memory.map[start : start + len(text)] = text
    worker.RECORD.pack_into(
        mailbox.memory.map,
        worker.RECORDS_AT + at * worker.RECORD.size,
        values["progress"],
        len(text) if size is None else size,
        *(int(values[name]) for name in ("line", "where", "done", "status")),
    )


def read(**fields: float | bytes) -> Outcome | None:
    mailbox = Mailbox()
    write(mailbox, 0, **fields)  # type: ignore[arg-type]
    outcome = mailbox.outcome(0, worker.RECORD.unpack(mailbox.records(1)))
    mailbox.memory.close_file()
    return outcome


def test_records_become_outcomes() -> None:
    assert read(done=1) == Ran(True)
    assert read(progress=0.5, text=b'{"a": [1, "b", null]}') == Ran(False, 0.5, {"a": [1, "b", None]})
    assert read(status=worker.CRASHED, where=1, line=7, text=b"E: m") == Crashed("identify", "E: m", 7)
    assert read(status=worker.CRASHED, where=0, text=b"E: m") == Crashed("load", "E: m")
    assert read(status=worker.REFUSED, where=3, text=b"no") == Refused("progress", "no")


@pytest.mark.parametrize(
    "fields",
    [
        {"status": worker.PENDING},
        {"status": 77},
        {"done": 2},
        {"where": 5},
        {"progress": 1.5},
        {"progress": -0.1},
        {"progress": math.inf},
        {"size": worker.TEXT_BYTES + 1},
        {"size": 0xFFFFFFFF},
        {"text": b"\xff\xfe"},
        {"text": b"[" * worker.TEXT_BYTES},
        {"text": b'{"a":' * 800},
        {"text": b"3"},
        {"text": b'{"a": {}}'},
        {"text": b'{"a": [[1]]}'},
        {"text": b'{"a": NaN}'},
        {"text": b'{"a": Infinity}'},
    ],
)
def test_impossible_records_are_no_outcome(fields: dict[str, float | bytes]) -> None:
    assert read(**fields) is None


def test_hostile_text_is_made_harmless() -> None:
    crashed = read(status=worker.CRASHED, text="\x1b[2J\x00\n\u202eé".encode() + b"\xff" + b"x" * 4000)
    assert isinstance(crashed, Crashed)
    assert crashed.cause.isprintable()
    assert len(crashed.cause) == 500
    ran = read(text=json.dumps({"\x1b": "\x07b"}).encode())
    assert ran == Ran(False, None, {" ": " b"})
    assert printable("a\tb" * 9, 4) == "a ba"


@pytest.mark.parametrize("count", [3, 9])
def test_a_sheet_takes_what_comes_before_the_first_impossible_record(count: int) -> None:
    mailbox, sheet = Mailbox(), Sheet(20, 2)
    for at in range(count):
        write(mailbox, at, done=1, progress=0.25)
    rows = np.arange(count) * 2
    assert sheet.accept(1, rows, mailbox) == count
    write(mailbox, 1, status=9)
    assert Sheet(20, 2).accept(0, rows, mailbox) == 1
    answers = sheet.answers()
    assert np.flatnonzero(answers.done[:, 1] == 1).tolist() == rows.tolist()
    assert (answers.progress[rows, 1] == 0.25).all()
    assert (answers.done[:, 0] == -1).all()


@pytest.mark.parametrize("field", [{"done": 2}, {"progress": 1.1}, {"progress": -1.0}, {"progress": -math.inf}])
def test_a_sheet_finds_one_impossible_record_among_many(field: dict[str, float]) -> None:
    mailbox = Mailbox()
    for at in range(30):
        write(mailbox, at)
    write(mailbox, 17, **field)  # type: ignore[arg-type]
    assert Sheet(30, 1).accept(0, np.arange(30), mailbox) == 17


def test_records_are_counted_up_to_the_first_that_is_pending() -> None:
    mailbox = Mailbox()
    rows = np.arange(6)
    mailbox.put_rows(rows, rows.astype(np.uint32), worker.KNOWN)
    assert mailbox.answered(6) == 0
    for at in (0, 1, 3):
        write(mailbox, at)
    assert mailbox.answered(6) == 2
    for at in (2, 4, 5):
        write(mailbox, at)
    assert mailbox.answered(6) == 6


def test_an_unknown_place_is_called_check() -> None:
    mailbox = Mailbox()
    for byte, name in ((1, "identify"), (4, "explain"), (0, "check"), (200, "check")):
        mailbox.memory.map[0] = byte
        assert mailbox.where() == name


def test_frames_cannot_be_written_through_the_childs_descriptor() -> None:
    memory = Memory("frames", 4096, writable=False)
    memory.map[:3] = b"abc"
    assert os.pread(memory.file, 3, 0) == b"abc"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(memory.file, b"x")
    memory.close_file()
    memory.close_file()


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only memfd can be sealed")
def test_the_mailbox_cannot_be_cut_off() -> None:
    memory = Memory("mailbox", 8192, writable=True)
    for size in (0, 4096, 1 << 20):
        with pytest.raises(PermissionError):
            os.ftruncate(memory.file, size)
    memory.close_file()


def test_the_largest_frames_fit() -> None:
    store = FrameStore()
    assert store.fit((4096, 4096, 3))
    assert not store.fit((4096, 4096, 3))
    assert store.rows == store.openings == 1
    assert store.fit((64, 64, 3))
    assert store.rows <= store.openings <= worker.MOST_ROWS
    store.close()
