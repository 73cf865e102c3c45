"""A session with a VLM that was never held: planted programs as its answers, in a recording."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner, Result

from car.checker import SubTask
from car.cli.app import app
from car.vlm import Finish, Reply, Usage
from car.vlm.recording import Exchange, Recording, save_recording
from tests.planted.doorkey import DOOR, GOAL, INVERTED_KEY, KEY, RIGHT_DOOR, RIGHT_GOAL, RIGHT_KEY

Answer = tuple[str, str, int, Reply]
"""Stage, sub-task, attempt, and the reply."""


def car(*arguments: object) -> Result:
    """Runs a command in this process."""
    return CliRunner().invoke(app, [str(each) for each in arguments])


def fenced(program: str) -> Reply:
    """A reply that holds a program."""
    return Reply(f"Here it is.\n\n```python\n{program}```\n", usage=Usage(1000, 200))


def decomposition(*subtasks: SubTask) -> Reply:
    """A reply that names sub-tasks."""
    named = [{"name": each.name, "description": each.description, "after": each.after} for each in subtasks]
    text = json.dumps({"goal": "Reach the green square.", "subtasks": named})
    return Reply(f"```json\n{text}\n```", usage=Usage(1000, 100))


GOAL_ANSWER: Answer = ("goal", "", 1, Reply("The red agent shall reach the [green] square.", usage=Usage(900, 20)))

MENDED: tuple[Answer, ...] = (
    GOAL_ANSWER,
    ("subtasks", "", 1, decomposition(KEY, DOOR, GOAL)),
    ("checker", KEY.name, 1, fenced(INVERTED_KEY)),
    ("refine", KEY.name, 2, fenced(RIGHT_KEY)),
    ("checker", DOOR.name, 1, fenced(RIGHT_DOOR)),
    ("checker", GOAL.name, 1, fenced(RIGHT_GOAL)),
)
"""The whole of a session in which one program was wrong at first."""


def alone(*replies: Reply) -> tuple[Answer, ...]:
    """A session with one sub-task, the goal, and these answers to it."""
    stages = ["checker", *["refine"] * (len(replies) - 1)]
    programs = [
        (stage, GOAL.name, index, each) for index, (stage, each) in enumerate(zip(stages, replies, strict=True), 1)
    ]
    return (GOAL_ANSWER, ("subtasks", "", 1, decomposition(replace(GOAL, after=()))), *programs)


def cut(finish: Finish) -> Reply:
    """A reply that ended in another way than it should."""
    return Reply("", finish)


def write_recording(path: Path, answers: Iterable[Answer]) -> Path:
    """Writes a recording with these answers."""
    exchanges = tuple(Exchange("0" * 64, stage, subject, attempt, reply) for stage, subject, attempt, reply in answers)
    save_recording(Recording("Made in a test.", "planted", exchanges), path)
    return path
