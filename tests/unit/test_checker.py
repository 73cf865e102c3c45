"""From a reply's text to a checker."""

import numpy as np
import pytest

from car.checker import Checker, SubTask, Unusable, checker_from, program_in, slug
from car.errors import BadTask
from car.prompts import Complaint, RefinePrompt, Scene, request_for

_SUBTASK = SubTask("a", "A.")
_CHECK = "def check(found, current):\n    return True"
_IDENTIFY = "def identify(initial):\n    return 1"


def _fenced(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}\n```\n"


@pytest.mark.parametrize(
    ("reply", "program"),
    [
        ("Reasoning.\n" + _fenced(_CHECK) + "Bye.", _CHECK),
        (_fenced(_CHECK, ""), _CHECK),
        (_fenced(_CHECK, "py"), _CHECK),
        (_CHECK, _CHECK),
        (_fenced(_IDENTIFY) + "and\n" + _fenced(_CHECK), f"{_IDENTIFY}\n\n{_CHECK}"),
        (_fenced("x = 1", "json") + _fenced(_CHECK), _CHECK),
        (_fenced(_CHECK) + "Better:\n" + _fenced(_CHECK + "  # better"), _CHECK + "  # better"),
    ],
)
def test_finds_the_program(reply: str, program: str) -> None:
    assert program_in(reply) == program + "\n"


def test_the_lines_are_those_that_a_prompt_shows() -> None:
    subtask = SubTask("a", "A.", goal=True)
    made = checker_from(_fenced(f"import math\n\n\n\n{_CHECK}\n\n\nLIMIT = 3"), subtask)
    assert isinstance(made, Checker)
    frame = np.zeros((8, 8, 3), np.uint8)
    prompt = RefinePrompt(Scene(frame, frame), "Go.", (subtask,), subtask, 2, made.source.rstrip(), (Complaint("No."),))
    assert any(isinstance(part, str) and made.source.rstrip() in part for part in request_for(prompt).parts)


@pytest.mark.parametrize("reply", ["", "   \n", "I cannot do that.", _fenced('{"a": 1}', "json")])
def test_a_reply_without_program_says_what_is_wanted(reply: str) -> None:
    made = checker_from(reply, _SUBTASK)
    assert isinstance(made, Unusable)
    assert "```python block" in str(made.problems[0])


def test_a_screened_program_becomes_a_checker() -> None:
    made = checker_from(_fenced(_CHECK), _SUBTASK)
    assert isinstance(made, Checker)
    assert made.source == _CHECK + "\n"
    assert made.sha256 == Checker(_SUBTASK, made.source).sha256 != Checker(_SUBTASK, made.source + "#").sha256


def test_code_without_the_function_goes_back() -> None:
    made = checker_from(_fenced("def done(frame):\n    return True"), _SUBTASK)
    assert isinstance(made, Unusable)
    assert "must define `def check(found, current)`" in str(made.problems[0])


@pytest.mark.parametrize(
    ("words", "made"), [("Pick up the key!", "pick-up-the-key"), ("  A_b  ", "a-b"), ("é", ""), ("x" * 99, "x" * 48)]
)
def test_slug(words: str, made: str) -> None:
    assert slug(words) == made


@pytest.mark.parametrize("name", ["", "Pick up", "../x", "a/b", "-a"])
def test_a_subtask_name_must_be_a_slug(name: str) -> None:
    with pytest.raises(BadTask, match="must be lower-case words"):
        SubTask(name, "x")


@pytest.mark.parametrize("reply", [_fenced("x = 1"), _fenced("def check(found, current:"), _fenced("import os")])
def test_code_that_is_refused_is_still_a_program(reply: str) -> None:
    assert isinstance(checker_from(reply, _SUBTASK), Unusable)
    assert program_in(reply) is not None
