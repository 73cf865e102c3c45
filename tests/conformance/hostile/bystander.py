"""Another session of the same sandbox, whose worker a hostile program may be after."""

import os
from pathlib import Path

from car.sandbox import Sandbox
from tests.conformance.hostile.attempt import QUICK, SEED, checker, frames_of


class Bystander:
    """An honest session that is kept open.

    Args:
        sandbox: where.
        secret: a text in its program, which no other program is to find.
    """

    def __init__(self, sandbox: Sandbox, secret: str) -> None:
        before = _below(os.getpid())
        source = f"MINE = {secret!r}\ndef check(found, current):\n    return bool(current.mean() > 100)\n"
        self._session = sandbox.open([checker(source)], QUICK, SEED)
        new = _below(os.getpid()) - before
        # A zygote may be new as well; the worker is the one that has no children.
        self.pid = max(pid for pid in new if not _below(pid))

    def fine(self) -> bool:
        """Whether its worker is the same and answers rightly."""
        frames = frames_of(2)
        alive = Path(f"/proc/{self.pid}").exists()
        return alive and self._session.run(frames[0], frames).done.tolist() == [[1], [0]]

    def close(self) -> None:
        """Ends it."""
        self._session.__exit__(None, None, None)


def _below(ancestor: int) -> set[int]:
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue
    found: set[int] = set()
    new = {ancestor}
    while new := {pid for pid, parent in parents.items() if parent in new}:
        found |= new
    return found
