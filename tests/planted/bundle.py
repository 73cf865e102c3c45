"""A bundle in memory, with planted programs for DoorKey-5x5 and nothing on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from car.bundle import Bundle, Provenance
from car.checker import Checker
from car.task import Task
from car.tasks import find_task
from tests.planted import doorkey as planted


def planted_bundle(checkers: Sequence[Checker], task: Task | None = None, **changed: Any) -> Bundle:
    """The bundle of these checkers, whose sub-tasks are those of DoorKey; other fields may be changed."""
    named = [each.subtask for each in planted.chain()]
    manifest = {
        "subtasks": [
            {"name": each.name, "description": each.description, "after": list(each.after), "goal": each.goal}
            for each in named
        ],
        "trajectories": {"refine": [], "verdict": []},
    }
    given: dict[str, Any] = {
        "path": Path("planted"),
        "task": task or find_task("doorkey-5x5"),
        "goal": "Reach the green square.",
        "checkers": tuple(checkers),
        "verdict": None,
        "rehearsal": None,
        "provenance": Provenance("planted", ("planted",)),
        "frame_shape": (40, 40, 3),
        "frames": {},
        "manifest": manifest,
        "manifest_sha256": "0" * 64,
        "approval": None,
    }
    return Bundle(**{**given, **changed})
