"""The programs of a chain are asked for side by side, and judged in the chain's order."""

import random
import time
from pathlib import Path

import pytest

from car.bundle import Provenance, save_bundle
from car.refine import Accepted, Asked, Budget, Event, Rejected, Replied, Waiting, generate
from car.tasks import find_task
from car.verify import Rule, Split
from car.vlm import Reply, Request
from tests.planted import doorkey as planted
from tests.unit.refine.scripted import DOOR, GOAL, KEY, RIGHT, InThisProcess, Script, Scripted, program, text_of, told

MENDED: Script = {
    ("checker", KEY, 1): program(planted.ALWAYS_TRUE),
    ("refine", KEY, 2): program(planted.ANY_MOVEMENT),
    ("refine", KEY, 3): program(planted.RIGHT_KEY),
    ("checker", GOAL, 1): program(planted.GOAL_ONE_STEP_EARLY),
    ("refine", GOAL, 2): RIGHT["checker", GOAL, 1],
}


class Dawdling(Scripted):
    """Takes a while, another one each time."""

    def ask(self, request: Request) -> Reply:
        reply = super().ask(request)
        time.sleep(random.uniform(0, 0.15))
        return reply


def _run(parts: Split, folder: Path, parallel: int) -> tuple[dict[str, bytes], list[Event]]:
    events: list[Event] = []
    draft = generate(parts, Dawdling(MENDED), InThisProcess(), listen=events.append, parallel=parallel)
    path = save_bundle(folder, find_task("doorkey-6x6"), draft, Provenance("scripted", ()))
    files = {str(each.relative_to(path)): each.read_bytes() for each in path.rglob("*") if each.is_file()}
    return {name: content for name, content in files.items() if name != "measured.json"}, events


def _said(events: list[Event]) -> list[tuple[str, str, int]]:
    found = []
    for each in events:
        if isinstance(each, Replied):
            found.append(("replied", each.request.subject, each.request.attempt))
        elif isinstance(each, Rejected):
            found.append(("rejected", each.subtask.name, each.attempt))
        elif isinstance(each, Accepted):
            found.append(("accepted", each.checker.subtask.name, each.attempt))
    return found


@pytest.mark.parametrize("parallel", [1, 2, 8])
def test_the_bundle_and_what_is_told_do_not_depend_on_how_many_are_asked_at_once(
    parallel: int, doorkey: Split, tmp_path: Path
) -> None:
    alone, said_alone = _run(doorkey, tmp_path / "alone", 0)
    together, said = _run(doorkey, tmp_path / "together", parallel)
    assert together == alone
    assert _said(said) == _said(said_alone)
    assert max(each.number for each in said if isinstance(each, Waiting)) == min(parallel, 3)


def test_all_programs_are_asked_for_before_any_is_mended(doorkey: Split) -> None:
    run = told(doorkey, MENDED)
    assert run.vlm.places[2:] == [
        ("checker", KEY, 1),
        ("checker", DOOR, 1),
        ("checker", GOAL, 1),
        ("refine", KEY, 2),
        ("refine", GOAL, 2),
        ("refine", KEY, 3),
    ]
    assert run.draft.verdict.accepted


def test_a_program_is_not_blamed_for_a_wrong_one_before_it(doorkey: Split) -> None:
    """The key's first program never fires, so the door would seem to open before it."""
    script: Script = {
        ("checker", KEY, 1): program(planted.ALWAYS_FALSE),
        ("refine", KEY, 2): RIGHT["checker", KEY, 1],
    }
    run = told(doorkey, script)
    assert [each.subtask.name for each in run.events if isinstance(each, Rejected)] == [KEY]
    assert run.draft.verdict.accepted


def test_a_program_that_passes_is_judged_again_when_one_before_it_is_mended(doorkey: Split) -> None:
    """The door's first program says the same as the key's: that shows only once the key's is right."""
    script: Script = {
        ("checker", KEY, 1): program(planted.ALWAYS_TRUE),
        ("refine", KEY, 2): RIGHT["checker", KEY, 1],
        ("checker", DOOR, 1): program(planted.RIGHT_KEY),
        ("refine", DOOR, 2): RIGHT["checker", DOOR, 1],
    }
    run = told(doorkey, script)
    about_the_door = [
        type(each)
        for each in run.events
        if (isinstance(each, Rejected) and each.subtask.name == DOOR)
        or (isinstance(each, Accepted) and each.checker.subtask.name == DOOR)
    ]
    assert about_the_door == [Accepted, Rejected, Accepted]
    assert run.draft.verdict.accepted
    first = next(each for each in run.draft.attempts if each.request.subject == DOOR)
    assert first.rules == (Rule.DUPLICATE,)
    assert first.complaints[0] in text_of(run.vlm.asked("refine", DOOR, 2))
    assert len(run.draft.attempts) == len(run.vlm.requests)


def test_a_chain_with_a_sub_task_that_was_given_up_keeps_the_best_of_each(doorkey: Split) -> None:
    script: Script = {
        ("checker", DOOR, 1): program(planted.ALWAYS_FALSE),
        ("refine", DOOR, 2): program(planted.ALWAYS_TRUE),
    }
    run = told(doorkey, script, budget=Budget(attempts=2))
    assert [each.subtask.name for each in run.draft.checkers] == [KEY, DOOR, GOAL]
    assert run.draft.checkers[1].source.strip() == planted.ALWAYS_FALSE.strip()
    assert not run.draft.verdict.accepted


def test_questions_are_told_before_any_answer_of_theirs(doorkey: Split) -> None:
    run = told(doorkey, parallel=4)
    kinds = [type(each) for each in run.events if isinstance(each, Asked | Replied)]
    assert kinds == [Asked, Replied, Asked, Replied, *[Asked] * 3, *[Replied] * 3]


SLOW_COPY_OF_THE_KEY = planted.RIGHT_KEY.replace(
    "    return outside_door(current, found) < 3",
    "    total = 0\n"
    "    for row in range(current.shape[0]):\n"
    "        for column in range(current.shape[1]):\n"
    "            total += int(current[row, column, 0]) + int(current[row, column, 1])\n"
    "    return outside_door(current, found) < 3 and total > 0",
)


@pytest.mark.parametrize("faster", [planted.RIGHT_KEY, "no program"])
def test_a_slow_program_is_judged_again_too_while_a_faster_one_is_asked_for(faster: str, doorkey: Split) -> None:
    """The door's program says the same as the key's and is slow; the key's is mended while a faster one comes."""
    script: Script = {
        ("checker", KEY, 1): program(planted.ALWAYS_TRUE),
        ("refine", KEY, 2): RIGHT["checker", KEY, 1],
        ("checker", DOOR, 1): program(SLOW_COPY_OF_THE_KEY),
        ("faster", DOOR, 2): program(faster),
        ("refine", DOOR, 3): RIGHT["checker", DOOR, 1],
    }
    run = told(doorkey, script)
    assert ("faster", DOOR, 2) in run.vlm.places
    assert ("refine", DOOR, 3) in run.vlm.places
    assert run.draft.verdict.accepted
