"""Programs that answer in the worker's name."""

from car.sandbox import Kind
from tests.conformance.hostile import Hostile, Witness, others_harmed, plain
from tests.conformance.hostile.pictures import MEMORY

# Not RAISED: a program that only stumbles over itself would show nothing.
_ENDS = frozenset(
    {
        Kind.RAN,
        Kind.VIOLATION,
        Kind.BROKE_PROTOCOL,
        Kind.TIMED_OUT,
        Kind.KILLED,
        Kind.EXITED,
        Kind.WRONG_TYPE,
        Kind.OUT_OF_MEMORY,
    }
)

_WORKER = """
import json, random
PENDING, RAN, CRASHED, REFUSED = range(4)
RECORD = struct.Struct("<dII5xBBB")
def variables():
    frame, found = sys._getframe(), {}
    while frame:
        found = {**frame.f_globals, **frame.f_locals, **found}
        frame = frame.f_back
    return found
def records(count=4):
    return [variables()["RECORDS_AT"] + at * RECORD.size for at in range(count)]
def mailbox():
    return next(each for each in mappings() if len(each) == variables()["MAILBOX_BYTES"])
def answer(progress=float("nan"), size=0, line=0, where=2, done=1, status=RAN, count=4):
    box = mailbox()
    for at in records(count):
        RECORD.pack_into(box, at, progress, size, line, where, done, status)
def reply(nonce):
    os.write(4, struct.pack("<Q", nonce))
def asked():
    "The nonce of the question that this is about."
    frame = sys._getframe()
    while frame:
        if type(frame.f_locals.get("nonce")) is int:
            return frame.f_locals["nonce"]
        frame = frame.f_back
"""


def _harm(seen: Witness) -> bool:
    """Someone else's answer, or one that is no answer, was taken; or the host is not what it was."""
    odd = any(not each.isprintable() or len(each) > 4200 for each in seen.texts)
    return others_harmed(seen) or odd or seen.elapsed > 15


def _forgery(name: str, body: str, before: str = "", more: frozenset[Kind] = frozenset()) -> Hostile:
    return Hostile(name, "forgeries", plain(body, MEMORY + _WORKER + before), _harm, _ENDS | more, rows=4, heeds=True)


PROGRAMS = (
    _forgery("a random nonce", "reply(random.getrandbits(64))\nreturn True"),
    _forgery("a thousand random nonces", "for _ in range(1000): reply(random.getrandbits(64))\nreturn True"),
    _forgery("its nonce, before it is asked for", "answer()\nreply(asked())\nwhile True: pass"),
    _forgery("its nonce, twice", "answer()\nreply(asked())\nreply(asked())\nreturn True"),
    _forgery("its nonce, and the next one", "reply(asked() + 1)\nreturn True"),
    _forgery("its nonce at load", "return True", "try: reply(asked())\nexcept struct.error: pass\n"),
    _forgery("half of its nonce", "os.write(4, struct.pack('<Q', asked())[:4])\nreturn True"),
    _forgery("nothing at all", "os.write(4, b'')\nreturn True"),
    _forgery("its nonce without a record", "reply(asked())\nwhile True: pass"),
    _forgery(
        "records written again after the answer",
        """
        answer(done=1)
        reply(asked())
        while True: answer(done=random.getrandbits(1), progress=random.random())
        """,
    ),
    _forgery(
        "records scribbled everywhere, for ever",
        """
        box = mailbox()
        reply(asked())
        while True: box[:] = random.randbytes(4096) * (len(box) // 4096)
        """,
    ),
    _forgery(
        "records scribbled everywhere",
        "box = mailbox()\nbox[:] = random.randbytes(len(box))\nreply(asked())\nwhile True: pass",
    ),
    _forgery("more records than were asked for", "answer(count=512)\nreply(asked())\nwhile True: pass"),
    _forgery("progress that is not a number", "answer(progress=float('nan'))\nreply(asked())\nwhile True: pass"),
    _forgery("progress without end", "answer(progress=float('inf'))\nreply(asked())\nwhile True: pass"),
    _forgery("progress below nothing", "answer(progress=-1e300)\nreply(asked())\nwhile True: pass"),
    _forgery("a huge text", "answer(size=0xFFFFFFFF)\nreply(asked())\nwhile True: pass"),
    _forgery("a text past the end", "answer(size=4096, count=512)\nreply(asked())\nwhile True: pass"),
    _forgery("a status that does not exist", "answer(status=200)\nreply(asked())\nwhile True: pass"),
    _forgery("a place that does not exist", "answer(where=200)\nreply(asked())\nwhile True: pass"),
    _forgery("more than done", "answer(done=255)\nreply(asked())\nwhile True: pass"),
    _forgery("a record that goes back to pending", "answer(status=PENDING)\nreply(asked())\nwhile True: pass"),
    _forgery(
        "facts that are no JSON",
        """
        box, text = mailbox(), b"\\xff\\xfe{[" * 800
        start = variables()["TEXTS_AT"]
        box[start:start + len(text)] = text
        answer(size=len(text), count=1)
        reply(asked())
        while True: pass
        """,
    ),
    *(
        _forgery(
            f"facts: {name}",
            f"""
        box, text = mailbox(), ({text}).encode()[:4096]
        start = variables()["TEXTS_AT"]
        box[start:start + len(text)] = text
        answer(size=len(text), count=1)
        reply(asked())
        while True: pass
        """,
        )
        for name, text in {
            "deep": "'[' * 4000",
            "a number of 4000 digits": "'{\"a\": ' + '9' * 4000 + '}'",
            "a number without end": '\'{"a": 1e999, "b": Infinity}\'',
            "control sequences": "json.dumps({'\\x1b[31m': '\\x07' * 99})",
            "a thousand keys": "json.dumps({str(at): at for at in range(300)})",
        }.items()
    ),
    _forgery(
        "an error with control sequences",
        """
        box, text = mailbox(), b"\\x1b[31m\\x00" * 600
        start = variables()["TEXTS_AT"]
        box[start:start + len(text)] = text
        answer(size=len(text), status=CRASHED, line=0xFFFFFFFF, count=1)
        reply(asked())
        while True: pass
        """,
        more=frozenset({Kind.RAISED}),
    ),
    _forgery("a false place in the program", "mailbox()[0] = 255\nos._exit(3)"),
    _forgery("a false violation", "mailbox()[:64] = b'\\xff' * 64\nos._exit(159)"),
    _forgery("a number that is no system call", "struct.pack_into('<I', mailbox(), 4, 0x7FFFFFFF)\nos._exit(159)"),
    _forgery(
        "rows rewritten under the worker",
        """
        box = mailbox()
        box[64:64 + 12 * 512] = struct.pack("<III", 0xFFFFFF, 0xFFFFFF, 0) * 512
        return True
        """,
    ),
    _forgery(
        "a source of its own",
        "box = mailbox()\nbox[variables()['TEXTS_AT']:] = b'#' * len(box[variables()['TEXTS_AT']:])\nreturn True",
    ),
)
