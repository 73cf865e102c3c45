"""Whether a text has the form of an answer."""

import json

import pytest

from car.refine import misformed
from car.vlm import Request

_PROGRAM = "Look.\n\n```python\ndef check(found, current):\n    return True\n```\n"
_SUBTASKS = json.dumps({"goal": "Reach the square.", "subtasks": [{"name": "go", "description": "It is there."}]})


def _about(stage: str, text: str) -> str:
    return misformed(Request(stage, "", 1, "", ()), text)


@pytest.mark.parametrize("stage", ["checker", "refine", "faster"])
def test_a_program_is_wanted(stage: str) -> None:
    assert _about(stage, _PROGRAM) == ""
    assert "no ```python block" in _about(stage, "I cannot see the picture.")
    assert "no ```python block" in _about(stage, '```json\n{"a": 1}\n```\n')
    assert "no ```python block" in _about(stage, _PROGRAM.replace("```", ""))


@pytest.mark.parametrize("code", ["import os\n", "def check(found, current:\n", "x = 1\n"])
def test_a_program_that_cannot_be_used_goes_the_normal_way(code: str) -> None:
    assert _about("refine", f"```python\n{code}```\n") == ""


def test_subtasks_are_wanted() -> None:
    assert _about("subtasks", f"```json\n{_SUBTASKS}\n```\n") == ""
    assert _about("subtasks", _SUBTASKS) == ""
    assert "no valid JSON block" in _about("subtasks", "First take the key, then open the door.")
    assert _about("subtasks", '{"goal": "Go."}') == 'The JSON has no list under "subtasks".'


def test_a_goal_is_any_text() -> None:
    assert _about("goal", "The green square.") == ""


@pytest.mark.parametrize("stage", ["goal", "subtasks", "checker", "refine", "faster"])
def test_nothing_is_no_answer(stage: str) -> None:
    assert _about(stage, " \n") == "It is empty."
