"""One hostile program in a sandbox, or in a process that nobody isolated, seen from outside."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from car.checker import Checker, SubTask
from car.frames import Frames
from car.sandbox import Answers, Limits, Outcome, Sandbox, Session
from tests.conformance.hostile import Hostile
from tests.conformance.hostile.world import Witness, World, libraries_work

QUICK = Limits(load_seconds=3.0, frame_seconds=0.5, patience=4.0, memory_mb=256, lives=0)
_PATIENT = replace(QUICK, frame_seconds=4.0)
"""For programs that take a while to do their harm: memory is given page by page."""

SEED = 7
"""Of the workers' hashes: no other test uses it, so that the zygote is started where its output is watched."""

_HONEST = """
import cv2, json, numpy as np
def check(found, current):
    whole = (current == current[0, 0]).all() and len(current) == 16 and json.dumps([1]) == "[1]"
    return bool(whole and np.mean(current) > 100 and cv2.inRange(current, (99,) * 3, (255,) * 3).all())
"""

_SLOW = _HONEST.replace("def check(found, current):", "def check(found, current):\n    sum(range(500_000))")


@dataclass(frozen=True)
class Attempt:
    """What became of a program.

    Args:
        outcome: of its first frame.
        seen: what a witness saw.
    """

    outcome: Outcome | None
    seen: Witness


def frames_of(count: int) -> Frames:
    """Bright and dark frames in turn, each of one colour."""
    return np.stack([np.full((16, 16, 3), (200 + at % 50, 9 + at % 50)[at % 2], np.uint8) for at in range(count)])


def checker(source: str) -> Checker:
    """A checker that nobody screened."""
    return Checker(SubTask("it", "It is done."), source)


def attempt(sandbox: Sandbox, program: Hostile, world: World, output: "Output") -> Attempt:
    """Runs the program beside an honest one, and the honest one once more afterwards."""
    world.reset()
    frames = frames_of(program.rows)
    limits = _PATIENT if program.area == "memory" else QUICK
    honest = checker(_SLOW if program.heeds else _HONEST)
    before, start = _memory(), time.monotonic()
    output.reset()
    with sandbox.open([checker(world.filled(program.source)), honest], limits, SEED) as session:
        answers = session.run(frames[0], frames, explain=True)
        elapsed, grew = time.monotonic() - start, _memory() - before
        fine = _right(answers, frames) and _right(_only_honest(session, frames), frames)
    texts = [str(getattr(each, "cause", "") or getattr(each, "reason", "")) for each in _failures(answers)]
    facts = tuple(answers.facts.get((row, 0), {}) for row in range(len(frames)))
    seen = Witness(
        world=world,
        done=answers.done[:, 0],
        facts=facts,
        texts=(*texts, *(str(value) for each in facts for pair in each.items() for value in pair)),
        elapsed=elapsed,
        grew=grew,
        output=output.read(),
        honest=fine,
        libraries=libraries_work(),
        survivors=tuple(world.survivors()),
    )
    return Attempt(answers.outcome(0, 0), seen)


class Output:
    """The host's standard output and error as a file, so that a worker that reached them would be noticed.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()

    def reset(self) -> None:
        """Forgets what was written."""
        os.truncate(self._path, 0)

    def read(self) -> str:
        """The beginning of what was written."""
        with self._path.open("rb") as file:
            return file.read(1000).decode(errors="replace")

    @contextmanager
    def inherited(self) -> Iterator[None]:
        """Puts the file in the place of descriptors 1 and 2, while processes start that may inherit them."""
        kept = os.dup(1), os.dup(2)
        try:
            with self._path.open("ab") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
                yield
        finally:
            for place, old in zip((1, 2), kept, strict=True):
                os.dup2(old, place)
                os.close(old)


_UNISOLATED = """
import json, sys
import cv2, numpy as np
def answers(secret, source):
    names, frame = {}, np.full((16, 16, 3), 200, np.uint8)
    exec(source, names)
    done = names["check"](frame, frame)
    return bool(done), names["explain"](frame, frame) if "explain" in names else {}
print("\\n" + json.dumps(answers(sys.argv[1], sys.stdin.read())), flush=True)
"""


def in_plain_process(program: Hostile, world: World) -> Witness:
    """Runs the program in a process as it is usually started: with the secret in its environment and arguments."""
    world.reset()
    command = [sys.executable, "-I", "-W", "ignore", "-c", _UNISOLATED, world.secret]
    source = world.filled(program.source)
    ran = subprocess.run(  # noqa: PLW1510 - how it ended is looked at
        command, input=source, capture_output=True, text=True, timeout=60, start_new_session=True
    )
    said = ran.stdout.rstrip().rpartition("\n")[2] if ran.returncode == 0 else ""
    done, facts = json.loads(said) if said.startswith("[") else (False, {})
    return Witness(world, np.array([done], np.int8), (facts,), tuple(map(str, facts.values())))


def _only_honest(session: Session, frames: Frames) -> Answers:
    return session.run(frames[0], frames, np.tile([False, True], (len(frames), 1)))


def _right(answers: Answers, frames: Frames) -> bool:
    return bool((answers.done[:, 1] == (frames[:, 0, 0, 0] > 100)).all())


def _failures(answers: Answers) -> list[object]:
    return [failure for (_, column), failure in answers.failures.items() if column == 0]


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
