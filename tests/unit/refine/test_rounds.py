"""A chain that fails as a whole sends the VLM back to the sub-tasks, not to the code."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from car.checker import SubTask
from car.refine import Budget, Weak
from car.trajectory import Trajectory
from car.verify import Bar, Split
from tests.planted import doorkey as planted
from tests.unit.refine.scripted import DOOR, GOAL, KEY, Script, Told, naming, program, text_of, told

HARD = Bar(random_share=0.01)
OPENED = SubTask("door-opened-with-the-key", "The door is open and the key is gone.", (KEY,))


def _unknown(parts: Split) -> Split:
    """Nobody knows whether an episode succeeded, and some that act as if at random complete the chain."""

    def lucky(part: Sequence[Trajectory]) -> list[Trajectory]:
        return [replace(each, who="random") for each in part if each.who == "expert"]

    refine, verdict = (
        [replace(each, success=None) for each in (*part, *lucky(part))] for part in (parts.refine, parts.verdict)
    )
    return Split(tuple(refine), tuple(verdict))


@pytest.fixture(scope="module")
def run(doorkey: Split) -> Told:
    script: Script = {
        ("subtasks", "", 2): naming(planted.KEY, OPENED, replace(planted.GOAL, after=())),
        ("checker", OPENED.name, 1): program(planted.RIGHT_DOOR),
    }
    return told(_unknown(doorkey), script, bar=HARD)


def test_the_sub_tasks_are_named_anew_with_the_fact(run: Told) -> None:
    asked = text_of(run.vlm.asked("subtasks", "", 2))
    assert "1. pick-up-the-key: The key is no longer on the floor." in asked
    assert "random trajectories complete the whole chain, and nobody knows if they succeed" in asked
    first, second = [each for each in run.events if isinstance(each, Weak)]
    assert first.facts[0] in asked
    assert (first.again, second.again) == (True, False)


def test_programs_of_sub_tasks_that_stay_are_kept(run: Told) -> None:
    assert run.vlm.places == [
        ("goal", "", 1),
        ("subtasks", "", 1),
        ("checker", KEY, 1),
        ("checker", DOOR, 1),
        ("checker", GOAL, 1),
        ("subtasks", "", 2),
        ("checker", OPENED.name, 1),
    ]


def test_of_two_equal_chains_the_first_is_kept(run: Told) -> None:
    assert [each.subtask.name for each in run.draft.checkers] == [KEY, DOOR, GOAL]
    assert not run.draft.verdict.accepted


def test_not_more_often_than_the_budget_allows(doorkey: Split) -> None:
    run = told(_unknown(doorkey), budget=Budget(rounds=1), bar=HARD)
    assert run.vlm.places.count(("subtasks", "", 2)) == 0


def test_a_changed_sub_task_of_the_same_name_is_asked_for_as_a_further_attempt(doorkey: Split) -> None:
    changed = replace(planted.DOOR, description="The door stands open.")
    script: Script = {
        ("subtasks", "", 2): naming(planted.KEY, changed, planted.GOAL),
        ("checker", DOOR, 2): program(planted.RIGHT_DOOR),
    }
    run = told(_unknown(doorkey), script, bar=HARD)
    assert run.vlm.places[-1] == ("checker", DOOR, 2)
    assert len({each.sha256 for each in run.vlm.requests}) == len(run.vlm.requests)


def test_unusable_lists_of_better_sub_tasks_leave_the_first(doorkey: Split) -> None:
    script: Script = {("subtasks", "", attempt): "no list" for attempt in (2, 3, 4)}
    run = told(_unknown(doorkey), script, bar=HARD)
    assert run.vlm.places[-1] == ("subtasks", "", 4)
    assert "This has now happened 2 times" in text_of(run.vlm.asked("subtasks", "", 4))
    assert [each.subtask.name for each in run.draft.checkers] == [KEY, DOOR, GOAL]
