"""Episodes of nothing but brightness, a chain of two programs that look at it, and an audit made of them by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from car.audit import AuditFolder, Effort, Played, Tally
from car.audit.folder import State
from car.audit.played import TRAINING, seen
from car.checker import Checker, SubTask
from car.trajectory import Trajectory
from car.verify import observe
from tests.unit.refine.scripted import InThisProcess

DIM = SubTask("dim", "It is a little bright.")
BRIGHT = SubTask("bright", "It is bright.", ("dim",), goal=True)
CHAIN = [
    Checker(DIM, "def check(found, current):\n    return bool(current[0, 0, 0] >= 10)\n"),
    Checker(BRIGHT, "def check(found, current):\n    return bool(current[0, 0, 0] >= 20)\n"),
]
EFFORT = Effort(steps=2048, seeds=1, contrary=0, episodes=1)


def episode(levels: Sequence[int], seed: int, success: bool | None, **known: Any) -> Trajectory:
    """An agent's episode whose frames have these levels of brightness."""
    frames = [np.full((8, 8, 3), level, np.uint8) for level in levels]
    steps = len(levels) - 1
    given: dict[str, Any] = {"actions": np.zeros(steps, np.int64), "rewards": np.zeros(steps), "terminated": success}
    return Trajectory.of(frames, "agent", seed=seed, success=success, **{**given, **known})


def played(levels: Sequence[int], seed: int, success: bool, how: str = TRAINING, **known: Any) -> Played:
    """The same, looked at by the chain."""
    with InThisProcess().open(CHAIN) as session:
        (observation,) = observe(session, [episode(levels, seed, success, **known)])
    return seen(CHAIN, observation, how)


RIGHT = (0, 12, 25)
"""Both sub-tasks, the goal on the last frame."""

FALSE = played((0, 12, 25, 0), 2, success=False)
EARLY = played((0, 12, 25, 0), 4, success=True)
MISSED = played((0, 12, 0), 6, success=True)
FINE = played(RIGHT, 8, success=True)


def asked(task: str = "planted", manifest_sha256: str = "0" * 64, effort: Effort = EFFORT) -> dict[str, Any]:
    """What an audit of the chain is about."""
    subtasks = [{"name": e.name, "description": e.description, "after": list(e.after), "goal": e.goal} for e in ORDER]
    return {
        "task": {"name": task},
        "bundle": "rewards/planted",
        "manifest_sha256": manifest_sha256,
        "subtasks": subtasks,
        "effort": effort.as_dict(),
    }


ORDER = (DIM, BRIGHT)


def written(path: Path, *episodes: Played, confirmed: bool = True, task: str = "planted") -> AuditFolder:
    """A finished audit with these episodes."""
    folder = AuditFolder(path)
    tally = Tally(TRAINING)
    for each in episodes:
        tally = tally.with_one(each, goal=1)
    state = State(done={"seed 0", "onward"}, tallies=(tally,), episodes=episodes, confirmed=confirmed)
    folder.save(asked(task), state)
    return folder
