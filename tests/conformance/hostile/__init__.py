"""Hostile programs for the conformance suite: each does one harm, if it can, and someone outside sees whether it did.

A program is a checker with placeholders such as ``$room`` for what the world of the test prepared (see `world`).

Without layers each of them is let loose for real, often by root. So none may do harm beyond that world: no mounts, no
signals but to the victim, no files but in the room, at most half a gigabyte of memory, nothing that outlives it.
"""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field

from car.sandbox import Kind
from tests.conformance.hostile.numbers import NUMBERS, RETURNS_42
from tests.conformance.hostile.world import Witness

STOPPED = frozenset({Kind.RAN, Kind.RAISED, Kind.VIOLATION})
"""What becomes of a program that is refused what it tried: a call fails, Python raises, or it is killed for it."""

Harm = Callable[[Witness], bool]


@dataclass(frozen=True)
class Hostile:
    """One hostile program.

    Args:
        name: what it does.
        area: which part of the system it is after.
        source: the checker; a `string.Template`.
        harm: whether harm was done, judged from outside where possible; else the program's own word, which it gives
            only with the proof in hand.
        kinds: what its outcome may be in the full sandbox.
        layered: whether it is the layers of the operating system that stop it, so that it does its harm without them.
        root: whether only root can do this harm.
        rows: how many frames it is asked about.
        heeds: whether it must run beside a slow honest checker that looks at the same frames afterwards.
    """

    name: str
    area: str
    source: str
    harm: Harm
    kinds: frozenset[Kind] = STOPPED
    layered: bool = False
    root: bool = False
    rows: int = 1
    heeds: bool = field(default=False, kw_only=True)


def said(seen: Witness) -> bool:
    """The program says that it succeeded, which it does with the proof in hand only."""
    return bool((seen.done == 1).any()) and seen.proof not in ("", "False", "None")


def leaked(seen: Witness) -> bool:
    """The planted secret came out."""
    return seen.world.secret in seen.everything


def room_changed(seen: Witness) -> bool:
    """A file in the room appeared, changed or vanished."""
    return seen.world.room.changed()


def littered(seen: Witness) -> bool:
    """A file with our mark lies in a folder for everyone."""
    return bool(seen.world.litter())


def contacted(seen: Witness) -> bool:
    """Someone connected to a listener, or sent it something."""
    return seen.world.listeners.contacted()


def victim_harmed(seen: Witness) -> bool:
    """The bystanding process died, stopped, or has other memory, priority or limits than before."""
    return seen.world.victim.harmed()


def survived(seen: Witness) -> bool:
    """A process with our mark lives although the session is closed."""
    return bool(seen.survivors)


def blocked(seen: Witness) -> bool:
    """The host waited far longer than the limits allow."""
    return seen.elapsed > 15


def swelled(seen: Witness) -> bool:
    """The host's own memory grew by more than 100 MB, or its output was written to."""
    return seen.grew > 100 << 20 or len(seen.output) > 0


def accepted(seen: Witness) -> bool:
    """An impossible answer was taken for an answer."""
    return bool((seen.done == 1).any() or seen.proof)


def unprintable(seen: Witness) -> bool:
    """What is told about the program is too long, or has control sequences in it."""
    return any(len(each) > 600 or not each.isprintable() for each in seen.texts)


def others_harmed(seen: Witness) -> bool:
    """An honest checker of the same session answers wrongly, or the host's numpy or cv2 do."""
    return not (seen.honest and seen.libraries)


PRELUDE = f"""
import ctypes, gc, os, signal, struct, sys
import _frozen_importlib as _inner, _frozen_importlib_external as _outer
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = libc.mmap.restype = libc.sbrk.restype = ctypes.c_long
libc.mmap.argtypes = [ctypes.c_long] * 6
NUMBERS = {NUMBERS!r}
def call(name, *arguments):
    number = NUMBERS[name] if type(name) is str else name
    return libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) if type(a) is int else a for a in arguments))
def reopen_imports():
    sys.meta_path[:] = [_inner.BuiltinImporter, _inner.FrozenImporter, _outer.PathFinder]
def inet(port):
    return struct.pack("<HH4s8x", 2, port >> 8 | (port & 255) << 8, bytes([127, 0, 0, 1]))
def child_of(pid):
    if pid == 0:
        libc._exit(42)
    return pid > 0 and os.waitpid(pid, 0)[1] == 42 << 8
RETURNS_42 = {RETURNS_42!r}
"""

ATTACK = """
PROOF = []
def check(found, current):
    PROOF.append(attack(found, current))
    return bool(PROOF[-1])
def explain(found, current):
    return {"proof": str(PROOF[-1])[:900]}
"""


def attack(body: str, before: str = "") -> str:
    """A checker that runs the body, which returns its proof, or False."""
    return f"{PRELUDE}{textwrap.dedent(before)}\ndef attack(found, current):\n{indented(body)}\n{ATTACK}"


def plain(body: str, before: str = "") -> str:
    """A checker whose `check` is the body."""
    return f"{PRELUDE}{textwrap.dedent(before)}\ndef check(found, current):\n{indented(body)}\n"


def indented(body: str) -> str:
    """A body of a function."""
    return textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
