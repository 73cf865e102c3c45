"""The prompts: every template rendered, compared with a snapshot, without left-over braces."""

import re
from pathlib import Path

import numpy as np
import pytest

from car.checker import SubTask
from car.errors import CarError
from car.prompts import (
    CheckerPrompt,
    Complaint,
    FasterPrompt,
    GoalPrompt,
    Prompt,
    RefinePrompt,
    Scene,
    SubtasksPrompt,
    request_for,
    template_folder,
)
from car.screen import ALLOWED_MODULES
from car.vlm import Picture

_SNAPSHOTS = Path(__file__).parent / "snapshots"


def _scene() -> Scene:
    first = np.full((16, 24, 3), (100, 100, 100), np.uint8)
    first[2:10, 2:18] = 0
    goal = first.copy()
    first[4:7, 5:8] = (255, 255, 0)
    return Scene(first, goal)


_KEY = SubTask("take-the-key", "The key is gone.")
_GOAL = SubTask("leave", "The agent has left.", ("take-the-key",), goal=True)
_FACT = Complaint(
    "In 2 of 5 episodes it was wrong.",
    'frame 3: check = True, {"area": 9}',
    {"expert episode 1, frame 3": _scene().goal},
    "fires too early",
)
_MEASURED = ('The sub-task "take-the-key" is done by random agents as soon as by experts.',)

PROMPTS: dict[str, Prompt] = {
    "goal": GoalPrompt(_scene()),
    "goal-again": GoalPrompt(_scene(), "The reply is empty.", 2),
    "subtasks": SubtasksPrompt(_scene(), "The agent must take the key and leave."),
    "subtasks-again": SubtasksPrompt(_scene(), "The agent must leave.", "It has no valid JSON block.", 2),
    "checker": CheckerPrompt(_scene(), "Leave.", (_KEY, _GOAL), _KEY),
    "checker-of-the-goal": CheckerPrompt(_scene(), "Leave.", (_KEY, _GOAL), _GOAL),
    "refine": RefinePrompt(
        _scene(), "Leave.", (_KEY, _GOAL), _KEY, 2, "def check(found, current):\n    return True", (_FACT,)
    ),
    "subtasks-anew": SubtasksPrompt(_scene(), "The agent must leave.", "", 2, (_KEY, _GOAL), _MEASURED),
    "faster": FasterPrompt(
        _scene(),
        "Leave.",
        (_KEY, _GOAL),
        _KEY,
        2,
        "def check(found, current):\n    return True",
        500.0,
        "One frame takes 912 microseconds.\n- line 2: 900",
    ),
    "refine-again": RefinePrompt(
        _scene(), "Leave.", (_KEY, _GOAL), _KEY, 3, "", (Complaint("No program."),), repeated=True
    ),
}


def _text(prompt: Prompt) -> str:
    request = request_for(prompt)
    parts = [f"[[{part.caption}: {part.frame.shape}]]" if isinstance(part, Picture) else part for part in request.parts]
    return "\n\n".join([request.system, "-----", *parts]) + "\n"


@pytest.mark.parametrize("name", PROMPTS)
def test_is_as_in_the_snapshot(name: str) -> None:
    """After a deliberate change: python -m tests.unit.test_prompts"""
    assert _text(PROMPTS[name]) == (_SNAPSHOTS / f"{name}.md").read_text("utf-8")


@pytest.mark.parametrize("name", PROMPTS)
def test_has_no_left_over_markers(name: str) -> None:
    # The JSON form and explained facts have braces of their own; a template's would be doubled or hold a percent sign.
    assert not re.search(r"{{|}}|{%|%}|{#|#}|\x02|\x03|\x04|\x05|Undefined", _text(PROMPTS[name]))


def test_every_template_is_rendered_by_some_prompt() -> None:
    asked = {prompt.template for prompt in PROMPTS.values()}
    included = {"system"}
    there = {path.stem for path in template_folder().glob("*.j2") if not path.stem.startswith("_")}
    assert there == asked | included


def test_a_request_knows_its_stage_subject_and_attempt() -> None:
    request = request_for(PROMPTS["refine-again"])
    assert (request.stage, request.subject, request.attempt) == ("refine", "take-the-key", 3)
    assert request_for(PROMPTS["goal"]).subject == ""


def test_the_pictures_are_the_two_frames_enlarged_without_smoothing() -> None:
    scene = _scene()
    first, goal = request_for(GoalPrompt(scene)).pictures
    assert (first.caption, goal.caption) == ("first frame", "goal frame")
    factor = first.frame.shape[0] // scene.first.shape[0]
    assert factor > 10
    assert (first.frame[::factor, ::factor] == scene.first).all()
    assert (first.frame[factor - 1 :: factor, factor - 1 :: factor] == scene.first).all()
    assert first.original is scene.first


def test_the_pictures_of_a_complaint_stand_behind_it() -> None:
    parts = request_for(PROMPTS["refine"]).parts
    where = next(i for i, part in enumerate(parts) if isinstance(part, Picture) and part.caption.startswith("expert"))
    before = parts[where - 1]
    assert isinstance(before, str)
    assert before.endswith('What `explain` said there: frame 3: check = True, {"area": 9}')


def test_the_hash_covers_words_and_pixels() -> None:
    same, other = request_for(GoalPrompt(_scene())), request_for(GoalPrompt(_scene(), "The reply is empty."))
    changed = _scene()
    changed.first[0, 0] = 7
    assert request_for(PROMPTS["goal"]).sha256 == same.sha256
    assert len({same.sha256, other.sha256, request_for(GoalPrompt(changed)).sha256}) == 3


def test_the_hash_leaves_out_measured_times_alone() -> None:
    """A question that was paid for must be known again, although no two measurements are the same."""
    one, other = (
        FasterPrompt(_scene(), "Leave.", (_KEY, _GOAL), _KEY, 2, "pass", 500.0, f"A frame takes {time} microseconds.")
        for time in (912, 915)
    )
    limit = FasterPrompt(_scene(), "Leave.", (_KEY, _GOAL), _KEY, 2, "pass", 600.0, "A frame takes 912 microseconds.")
    assert _text(one) != _text(other)
    assert request_for(one).sha256 == request_for(other).sha256 != request_for(limit).sha256


def test_samples_of_the_same_question_have_hashes_of_their_own() -> None:
    about = _scene(), "Leave.", (_KEY, _GOAL), _KEY
    plain, second, third = (request_for(CheckerPrompt(*about, sample=sample)) for sample in (1, 2, 3))
    assert plain.sha256 == request_for(PROMPTS["checker"]).sha256
    assert len({plain.sha256, second.sha256, third.sha256}) == 3
    assert plain.parts[0] == second.parts[0]


def test_the_allowed_modules_come_from_the_screen() -> None:
    assert f"Allowed imports: {', '.join(ALLOWED_MODULES)}." in _text(PROMPTS["checker"])


def test_a_template_with_an_unknown_variable_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import car.prompts

    for path in template_folder().glob("*.j2"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    (tmp_path / "goal.j2").write_text("{{ nothing }}", "utf-8")
    monkeypatch.setattr(car.prompts, "template_folder", lambda: tmp_path)
    car.prompts._templates.cache_clear()
    try:
        with pytest.raises(CarError, match=r"goal\.j2 cannot be rendered: 'nothing' is undefined"):
            request_for(PROMPTS["goal"])
    finally:
        car.prompts._templates.cache_clear()


if __name__ == "__main__":
    for name, prompt in PROMPTS.items():
        (_SNAPSHOTS / f"{name}.md").write_text(_text(prompt), "utf-8")


def _beginning(prompt: Prompt, number: int) -> list[str]:
    request = request_for(prompt)
    return [part if isinstance(part, str) else part.caption for part in request.parts[: request.shared[number]]]


def test_all_questions_of_a_task_begin_alike_so_that_a_provider_can_keep_it() -> None:
    """The two frames and what was measured on them; for programs also the rules for a program."""
    scene = _scene()
    about = scene, "Leave.", (_KEY, _GOAL), _KEY
    programs = [
        CheckerPrompt(*about),
        CheckerPrompt(scene, "Leave.", (_KEY, _GOAL), _GOAL),
        RefinePrompt(*about, 2, "pass", (Complaint("Wrong."),)),
        FasterPrompt(*about, 2, "pass", 500.0, "Slow."),
    ]
    every = [GoalPrompt(scene), SubtasksPrompt(scene, "To leave."), *programs]
    assert [len(request_for(each).shared) for each in every] == [1, 1, 2, 2, 2, 2]
    assert all(_beginning(each, 0) == _beginning(every[0], 0) for each in every)
    assert "Where the goal frame differs" in _beginning(every[0], 0)[-1]
    assert all(_beginning(each, 1) == _beginning(programs[0], 1) for each in programs)
    assert _beginning(programs[0], 1)[-1].startswith("Further down you are asked for a program.")
    assert len({request_for(each).sha256 for each in every}) == 6
