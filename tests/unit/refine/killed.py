"""Generates a bundle, and kills its own process after a number of replies: run by `test_generate`.

Usage: python -m tests.unit.refine.killed TRAJECTORIES FOLDER REPLIES (0: never)
"""

import os
import signal
import sys
from pathlib import Path

from car.bundle import save_bundle
from car.generation import provenance_of
from car.record import load_set
from car.refine import generate
from car.tasks import find_task
from car.verify import split
from car.vlm import VLM, Reply, Request
from car.vlm.journal import Journal
from tests.planted import doorkey as planted
from tests.unit.refine.scripted import DOOR, RIGHT, InThisProcess, Scripted, program

SCRIPT = {("checker", DOOR, 1): program(planted.ALWAYS_FALSE), ("refine", DOOR, 2): RIGHT["checker", DOOR, 1]}


class Logged:
    """Writes down each question that the VLM really gets."""

    def __init__(self, vlm: VLM, path: Path) -> None:
        self.name, self._vlm, self._path = vlm.name, vlm, path

    def ask(self, request: Request) -> Reply:
        with self._path.open("a") as log:
            log.write(f"{request.stage} {request.subject} {request.attempt} {request.sha256}\n")
        return self._vlm.ask(request)


class Killed:
    """Kills the process after a number of replies, before anyone reads the last of them."""

    def __init__(self, vlm: VLM, replies: int) -> None:
        self.name, self._vlm, self._left = vlm.name, vlm, replies

    def ask(self, request: Request) -> Reply:
        reply = self._vlm.ask(request)
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return reply


def main(trajectories: Path, folder: Path, replies: int) -> None:
    experts, randoms = load_set(trajectories, "doorkey-6x6")
    vlm = Killed(Journal(Logged(Scripted(SCRIPT), folder / "asked.txt"), folder / "journal"), replies)
    draft = generate(split(experts, randoms), vlm, InThisProcess())
    save_bundle(folder, find_task("doorkey-6x6"), draft, provenance_of(vlm, draft))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
