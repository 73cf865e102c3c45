"""A weak sub-task is named with what was measured, and better sub-tasks are asked for and kept."""

from collections.abc import Iterator

import pytest

from car.record import record, record_expert
from car.refine import Weak, generate
from car.sandbox.process import ProcessSandbox
from car.tasks import find_task
from car.verify import Rule, split
from tests.planted import unlockpickup as planted
from tests.unit.refine.scripted import Script, Scripted, Told, naming, program, text_of

TASK = find_task("unlockpickup")
WEAK, STRONG = planted.weak_chain(), planted.strong_chain()
GOAL = WEAK[-1].subtask.name


def _replies() -> Iterator[tuple[tuple[str, str, int], str]]:
    yield ("goal", "", 1), "The agent must take the box."
    for attempt, chain in enumerate((WEAK, STRONG), 1):
        yield ("subtasks", "", attempt), naming(*(each.subtask for each in chain), goal="Take the box.")
    for each in (*WEAK, *STRONG):
        yield ("checker", each.subtask.name, 1), program(each.source)


@pytest.fixture(scope="module")
def run() -> Told:
    randoms = list(record(TASK, "random", range(1_000_000, 1_000_040), max_steps=80))
    script: Script = dict(_replies())
    vlm, events = Scripted(script), []
    parts = split(list(record_expert(TASK, 15)), randoms)
    return Told(generate(parts, vlm, ProcessSandbox(), listen=events.append, task=TASK), vlm, events)


def test_the_weak_one_goes_back_with_the_fact(run: Told) -> None:
    (weak,) = [each for each in run.events if isinstance(each, Weak)]
    assert "key-put-down" in weak.facts[0]
    assert "the goal is no nearer than before" in weak.facts[0]
    asked = text_of(run.vlm.asked("subtasks", "", 2))
    assert weak.facts[0] in asked
    assert "3. key-put-down: The key lies on the floor again." in asked


def test_only_the_new_sub_task_is_asked_for(run: Told) -> None:
    after = run.vlm.places[run.vlm.places.index(("subtasks", "", 2)) + 1 :]
    assert after == [("checker", "in-box-room", 1)]


def test_the_better_chain_is_the_result(run: Told) -> None:
    assert [each.subtask.name for each in run.draft.checkers] == [each.subtask.name for each in STRONG]
    assert run.draft.verdict.findings == ()
    shortcuts = {each.subtask: each.passed for each in run.draft.verdict.probes if each.name == "shortcut"}
    assert set(shortcuts) == {each.subtask.name for each in STRONG}
    assert False not in shortcuts.values()


def test_where_there_is_nothing_better_the_weak_chain_stays_and_is_named(run: Told) -> None:
    """Its programs are right, so it is not rejected; the verdict says which sub-task is weak."""
    randoms = list(record(TASK, "random", range(1_000_000, 1_000_040), max_steps=80))
    script = {place: reply for place, reply in _replies() if place != ("subtasks", "", 2)}
    script |= {("subtasks", "", attempt): "I know no better ones." for attempt in (2, 3, 4)}
    parts = split(list(record_expert(TASK, 15)), randoms)
    draft = generate(parts, Scripted(script), ProcessSandbox(), task=TASK)
    assert [each.subtask.name for each in draft.checkers] == [each.subtask.name for each in WEAK]
    assert Rule.EXPLOITABLE not in [each.rule for each in draft.verdict.findings]
    weak = [each.subtask for each in draft.verdict.probes if each.name == "shortcut" and each.passed is False]
    assert weak == ["key-put-down"]
