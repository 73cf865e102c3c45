"""The goal and the sub-tasks that a reply names."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from car.checker import SubTask, slug

MOST = 8
SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "goal": {"type": "string"},
        "subtasks": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "description": {"type": "string"},
                    "after": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["name", "description", "after"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["goal", "subtasks"],
    "additionalProperties": False,
}
"""What `decomposition_in` reads, for providers that can hold a model to a JSON schema."""
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_JSON = re.compile(r"^```[ \t]*(?:json)?[^\n]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Decomposition:
    """What the VLM thinks the task is.

    Args:
        goal: the final goal, in one sentence.
        subtasks: in order; the last one is the goal, and comes after all others.
    """

    goal: str
    subtasks: tuple[SubTask, ...]


def readable(text: str) -> str:
    """The text without control characters and halves of characters, which no prompt and no file can hold."""
    return _UNREADABLE.sub("", text)


def decomposition_in(reply: str) -> Decomposition | str:
    """The decomposition in a reply's text, or one sentence that says why there is none."""
    found = _json_in(reply)
    if isinstance(found, str):
        return found
    goal, entries = found.get("goal"), found.get("subtasks")
    if not isinstance(goal, str) or not goal.strip():
        return 'The JSON has no text under "goal".'
    if _UNREADABLE.search(goal):
        return 'The text under "goal" holds control characters.'
    if not isinstance(entries, list) or not entries:
        return 'The JSON has no list under "subtasks".'
    if len(entries) > MOST:
        return f"There are {len(entries)} sub-tasks; use at most {MOST}."
    subtasks = _subtasks(entries)
    return subtasks if isinstance(subtasks, str) else Decomposition(goal.strip(), subtasks)


def _json_in(reply: str) -> dict[str, Any] | str:
    blocks = _JSON.findall(reply) or [reply[reply.find("{") : reply.rfind("}") + 1]]
    try:
        found = json.loads(blocks[-1])
    except ValueError as error:
        return f"It has no valid JSON block ({error})."
    except RecursionError:
        return "Its JSON block is nested too deeply."
    return found if isinstance(found, dict) else "The JSON must be an object with the keys goal and subtasks."


def _subtasks(entries: list[Any]) -> tuple[SubTask, ...] | str:
    made: list[SubTask] = []
    for index, entry in enumerate(entries):
        subtask = _subtask(entry, [each.name for each in made], goal=index == len(entries) - 1)
        if isinstance(subtask, str):
            return subtask
        made.append(subtask)
    return tuple(made)


def _subtask(entry: Any, earlier: list[str], goal: bool) -> SubTask | str:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in ("name", "description")):
        return "Each sub-task must be an object with the texts name and description."
    name, description = slug(entry["name"]), entry["description"].strip()
    if problem := _problem(entry["name"], name, description, earlier):
        return problem
    after = entry.get("after", [])
    if not isinstance(after, list) or not all(isinstance(each, str) for each in after):
        return f'"after" of {name!r} must be a list of names.'
    before = [slug(each) for each in after]
    if unknown := [each for each in before if each not in earlier]:
        return f'"after" of {name!r} names {unknown[0]!r}, which is not a sub-task before it.'
    return SubTask(name, description, tuple(earlier if goal else before), goal)


def _problem(given: str, name: str, description: str, earlier: list[str]) -> str:
    if not name:
        return f"The sub-task name {given!r} has no letters."
    if name in earlier:
        return f"Two sub-tasks have the name {name!r}."
    if not description:
        return f"The sub-task {name!r} has no description."
    return f"The description of {name!r} holds control characters." if _UNREADABLE.search(description) else ""
