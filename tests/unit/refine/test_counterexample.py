"""What an audit's episodes say of programs, and what goes back."""

from dataclasses import replace

import pytest

from car.checker import Checker
from car.refine import Budget, CounterExample, CounterExamples, Event, Flaw, generate
from car.refine.counterexample import refuted, with_audit
from car.refine.feedback import complaint_from_audit
from car.trajectory import Trajectory
from car.verify import Decision, Rule, Split, Verdict, observe, verdict_on
from tests.planted import doorkey as planted
from tests.unit.audit.planted_audit import BRIGHT, CHAIN, EARLY, FALSE, FINE, MISSED, episode
from tests.unit.refine.scripted import DOOR, GOAL, InThisProcess, Script, Scripted, Told, program, text_of

CRASHES = "def check(found, current):\n    return 1 // int(current[0, 0, 0] < 25) > 9\n"
NEVER = "def check(found, current):\n    return False\n"


def example(trajectory: Trajectory, flaw: Flaw, subtask: str = "", time: int | None = None) -> CounterExample:
    last = len(trajectory) - 1
    return CounterExample("audit episode 3", "of an agent", trajectory, flaw, subtask, last if time is None else time)


def found(given: CounterExample, goal: str = CHAIN[1].source) -> list[tuple[str, int, Rule]]:
    """Against which programs it speaks, on which frame, by which rule."""
    checkers = [CHAIN[0], Checker(BRIGHT, goal)]
    with InThisProcess().open(checkers) as session:
        heard = observe(session, [given.trajectory])
    return [(checkers[each.checker].subtask.name, each.time, each.rule) for each in refuted(checkers, heard, [given])]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (example(FALSE.trajectory, Flaw.UNCONFIRMED), [("bright", 2, Rule.EXPLOITABLE)]),
        (example(EARLY.trajectory, Flaw.EARLY), [("bright", 2, Rule.GOAL_TOO_EARLY)]),
        (example(FINE.trajectory, Flaw.EARLY), []),
        (example(MISSED.trajectory, Flaw.MISSED), [("bright", 2, Rule.NEVER_ON_EXPERT)]),
        (example(FINE.trajectory, Flaw.MISSED), []),
        (example(episode((0, 0, 0), 1, success=True), Flaw.MISSED), []),
        (example(FINE.trajectory, Flaw.JUDGED, "dim", 1), [("dim", 1, Rule.EXPLOITABLE)]),
        (example(FINE.trajectory, Flaw.JUDGED, "dim", 0), []),
        (example(FINE.trajectory, Flaw.JUDGED, "unknown", 1), []),
        (example(episode((0, 12, 0), 1, success=False), Flaw.UNCONFIRMED), []),
    ],
)
def test_speaks_against_the_program_that_is_wrong(given: CounterExample, wrong: list[tuple[str, int, Rule]]) -> None:
    assert found(given) == wrong


def test_a_program_that_gives_no_answer_is_wrong_too() -> None:
    assert found(example(FALSE.trajectory, Flaw.UNCONFIRMED), CRASHES) == [("bright", 2, Rule.CRASHES)]


def test_one_that_is_never_done_has_only_missed() -> None:
    assert found(example(FALSE.trajectory, Flaw.UNCONFIRMED), NEVER) == []
    assert found(example(FINE.trajectory, Flaw.MISSED), NEVER) == [("bright", 2, Rule.NEVER_ON_EXPERT)]


@pytest.mark.parametrize(
    ("levels", "known", "said"),
    [
        (
            (25, 0, 12, 15, 0),
            {},
            "`check` returned False on all of frames 2 to 4; on frame 2 all that the sub-task comes after had been "
            "done. Required: True on frame 4, the last.",
        ),
        (
            (12, 0, 0),
            {"terminated": False},
            "`check` returned False on all of frames 0 to 2. Required: True on one of these frames.",
        ),
    ],
)
def test_what_is_said_of_a_missed_success_is_true(levels: tuple[int, ...], known: dict[str, bool], said: str) -> None:
    # The first frame of the first one is bright enough, but nothing can be credited there.
    checkers = [Checker(CHAIN[0].subtask, "def check(found, current):\n    return bool(10 <= current[0, 0, 0] < 20)\n"),
                CHAIN[1]]  # fmt: skip
    given = example(episode(levels, 1, success=True, **known), Flaw.MISSED)
    with InThisProcess().open(checkers) as session:
        (wrong,) = refuted(checkers, observe(session, [given.trajectory]), [given])
    assert wrong.said.endswith(f"the environment reports success, and {said}")


def test_the_complaint_shows_the_frames_and_counts_the_others() -> None:
    given = example(FALSE.trajectory, Flaw.UNCONFIRMED)
    checkers = [Checker(replace(BRIGHT, after=()), CHAIN[1].source)]
    expert = Trajectory.of([FINE.trajectory.frame(time) for time in range(3)], "expert", seed=1)
    with InThisProcess().open(checkers) as session:
        heard = observe(session, [given.trajectory] * 3)
        wrong = refuted(checkers, heard, [given] * 3)
        complaint = complaint_from_audit(wrong, given, observe(session, [expert]), session)
    assert complaint.message == (
        "In audit episode 3, of an agent, `check` returned True on frame 2, and the environment reports no success in "
        "the whole episode. Required: False on frame 2. 2 other audit episodes speak against it too."
    )
    assert complaint.captions == [
        *(f"audit episode 3, frame {time}" for time in range(3)),
        "expert episode 1, frame 2, where it is rightly done",
    ]
    assert complaint.kind == "can be exploited"


@pytest.fixture(scope="module")
def verdict(doorkey: Split) -> Verdict:
    return verdict_on(planted.chain(), doorkey.verdict, InThisProcess(), reported=False)


def test_without_counter_examples_a_verdict_stays_as_it_is(verdict: Verdict) -> None:
    assert with_audit(verdict, planted.chain(), [], []) is verdict


def test_counted_shares_stay_and_any_counter_example_rejects(verdict: Verdict) -> None:
    given = example(FALSE.trajectory, Flaw.UNCONFIRMED)
    with InThisProcess().open(CHAIN) as session:
        wrong = refuted(CHAIN, observe(session, [given.trajectory]), [given])
    judged = with_audit(verdict, CHAIN, wrong, [given])
    assert (verdict.decision, judged.decision) == (Decision.ACCEPTED, Decision.REJECTED)
    assert (judged.chain, judged.subtasks) == (verdict.chain, verdict.subtasks)
    assert [(each.subtask, each.rule, each.probe) for each in judged.findings] == [
        ("bright", Rule.EXPLOITABLE, "audit")
    ]
    (probe,) = [each for each in judged.probes if each.name == "audit"]
    assert (probe.strict, probe.passed, probe.values) == (True, False, {"looked_at": 1, "wrong": 1})


WRONG = planted.RIGHT_GOAL.replace("> 5)", "> 5 or (current[0, 0] == (1, 2, 3)).all())")
"""A goal that is also reached where the first pixel is odd; it is so in no recorded episode."""


@pytest.fixture(scope="module")
def odd(doorkey: Split) -> CounterExample:
    """An expert's episode that ends in an odd pixel and without success."""
    expert = next(each for each in doorkey.refine if each.who == "expert")
    last = expert.frame(-2).copy()
    last[0, 0] = (1, 2, 3)
    trajectory = Trajectory.of([*expert.frames[:-1], last], "agent", seed=5, success=False)
    return CounterExample("audit episode 1", "of an agent", trajectory, Flaw.UNCONFIRMED, "", len(trajectory) - 1)


def generated(doorkey: Split, examples: CounterExamples, script: Script, attempts: int = 5) -> Told:
    vlm, events = Scripted(script), list[Event]()
    draft = generate(doorkey, vlm, InThisProcess(), Budget(attempts), listen=events.append, examples=examples)
    return Told(draft, vlm, events)


def test_what_is_wrong_there_goes_back_and_is_mended(doorkey: Split, odd: CounterExample) -> None:
    script: Script = {("checker", GOAL, 1): program(WRONG), ("refine", GOAL, 2): program(planted.RIGHT_GOAL)}
    run = generated(doorkey, CounterExamples(refine=(odd,)), script)
    assert "In audit episode 1, of an agent," in text_of(run.vlm.asked("refine", GOAL, 2))
    assert run.draft.verdict.accepted
    assert odd.trajectory.sha256() in run.draft.refined_on
    assert odd.trajectory.sha256() not in run.draft.judged_on
    assert [each.passed for each in run.draft.verdict.probes if each.name == "audit"] == [True]


def test_what_refinement_was_not_shown_rejects_in_the_end(doorkey: Split, odd: CounterExample) -> None:
    script: Script = {("checker", GOAL, 1): program(WRONG)}
    run = generated(doorkey, CounterExamples(verdict=(odd,)), script)
    assert run.vlm.places[-1] == ("checker", GOAL, 1)
    assert run.draft.rehearsal.findings == ()
    assert [each.rule for each in run.draft.verdict.of(GOAL)] == [Rule.EXPLOITABLE, Rule.OVER_FITTED]


def test_what_a_person_judged_goes_back_for_its_sub_task(doorkey: Split) -> None:
    expert = next(each for each in doorkey.refine if each.who == "expert")
    last = len(expert) - 1
    judged = CounterExample("audit episode 2", "of an agent", expert, Flaw.JUDGED, DOOR, last)
    script: Script = {("refine", DOOR, 2): program(planted.RIGHT_DOOR)}
    run = generated(doorkey, CounterExamples(refine=(judged,)), script, attempts=2)
    assert "a person who looked at it says that the sub-task is not done there" in text_of(
        run.vlm.asked("refine", DOOR, 2)
    )
    assert [each.subtask for each in run.draft.verdict.findings if each.probe == "audit"] == [DOOR]
    assert not run.draft.rehearsal.accepted
