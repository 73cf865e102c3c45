"""Several programs for one sub-task, and a faster one for one that is slow."""

import json
from pathlib import Path

import pytest

from car.bundle import Provenance, save_bundle
from car.checker import program_in
from car.refine import Accepted, Budget, Faster, Rejected, Unanswered, generate
from car.tasks import find_task
from car.verify import Rule, Split
from car.vlm import Measured
from car.vlm.replay import ReplayVLM
from tests.planted import doorkey as planted
from tests.unit.cli.planted_session import MENDED, write_recording
from tests.unit.refine.scripted import DOOR, GOAL, KEY, RIGHT, InThisProcess, Script, Told, program, text_of, told

SLOW_KEY = planted.RIGHT_KEY.replace(
    "    return outside_door(current, found) < 3",
    "    total = 0\n"
    "    for row in range(current.shape[0]):\n"
    "        for column in range(current.shape[1]):\n"
    "            total += int(current[row, column, 0]) + int(current[row, column, 1])\n"
    "    return outside_door(current, found) < 3 and total > 0",
)


@pytest.fixture(scope="module")
def sampled(doorkey: Split) -> Told:
    script: Script = {
        ("checker", KEY, 1): program(planted.ALWAYS_TRUE),
        ("checker", KEY, 1, 2): program(planted.RIGHT_KEY),
        ("checker", KEY, 1, 3): "no program at all",
        **{("checker", name, 1, sample): RIGHT["checker", name, 1] for name in (DOOR, GOAL) for sample in (2, 3)},
    }
    return told(doorkey, script, budget=Budget(samples=3))


class TestSamples:
    def test_are_asked_for_independently(self, sampled: Told) -> None:
        asked = [(each.subject, each.sample) for each in sampled.vlm.requests if each.stage == "checker"]
        assert asked == [(name, sample) for name in (KEY, DOOR, GOAL) for sample in (1, 2, 3)]
        first, second = (each for each in sampled.vlm.requests if each.subject == KEY and each.sample < 3)
        assert text_of(first) == text_of(second)
        assert first.sha256 != second.sha256

    def test_the_best_by_verdict_goes_on_and_needs_no_repair(self, sampled: Told) -> None:
        assert sampled.draft.verdict.accepted
        assert sampled.draft.checkers[0].source == program_in(program(planted.RIGHT_KEY))
        assert not [each for each in sampled.vlm.requests if each.stage == "refine"]

    def test_the_others_are_kept_with_what_is_wrong(self, sampled: Told) -> None:
        kept = [each for each in sampled.draft.attempts if each.request.subject == KEY]
        assert [each.rules for each in kept] == [(Rule.TRUE_AT_START,), (), ("screen",)]
        assert len([each for each in sampled.events if isinstance(each, Rejected)]) == 2


def test_of_wrong_samples_the_better_one_is_mended(doorkey: Split) -> None:
    script: Script = {
        ("checker", KEY, 1): program(planted.ALWAYS_TRUE),
        ("checker", KEY, 1, 2): program(planted.ANY_MOVEMENT),
        ("refine", KEY, 2): program(planted.RIGHT_KEY),
        **{("checker", name, 1, 2): RIGHT["checker", name, 1] for name in (DOOR, GOAL)},
    }
    run = told(doorkey, script, budget=Budget(samples=2))
    asked = text_of(run.vlm.asked("refine", KEY, 2))
    assert "return bool((found != current).any())" in asked
    assert "Fires on random. Acting at random" in asked
    assert run.draft.verdict.accepted


@pytest.fixture(scope="module")
def sped_up(doorkey: Split) -> Told:
    script: Script = {
        ("checker", KEY, 1): program(SLOW_KEY),
        ("faster", KEY, 2): program(planted.RIGHT_KEY),
    }
    return told(doorkey, script)


class TestASlowProgram:
    def test_goes_back_once_with_its_profile(self, sped_up: Told) -> None:
        request = sped_up.vlm.asked("faster", KEY, 2)
        (profile,) = [each for each in request.parts if isinstance(each, Measured)]
        assert "total += int(current[row, column, 0])" in profile
        assert "may take 500 microseconds a frame" in text_of(request)
        assert sped_up.vlm.places.count(("faster", KEY, 2)) == 1

    def test_the_faster_one_is_kept(self, sped_up: Told) -> None:
        (event,) = [each for each in sped_up.events if isinstance(each, Faster)]
        assert event.now_us < event.before_us / 3
        assert sped_up.draft.checkers[0].source == program_in(program(planted.RIGHT_KEY))
        assert sped_up.draft.verdict.accepted


@pytest.mark.parametrize(
    ("answer", "rule", "said"),
    [
        (SLOW_KEY, "cost", "It is right, but not faster"),
        (planted.ALWAYS_TRUE, Rule.TRUE_AT_START, "on the very first frame"),
    ],
)
def test_an_answer_that_is_no_better_is_not_taken(answer: str, rule: str, said: str, doorkey: Split) -> None:
    slower = answer.replace("total > 0", "total > 0 and sum(range(90000)) > 0")
    run = told(doorkey, {("checker", KEY, 1): program(SLOW_KEY), ("faster", KEY, 2): program(slower)})
    assert run.draft.checkers[0].source == program_in(program(SLOW_KEY))
    assert run.draft.verdict.accepted
    kept = next(each for each in run.draft.attempts if each.request.stage == "faster")
    assert kept.rules == (rule,)
    assert said in kept.complaints[0]


def test_a_recording_without_an_optional_answer_goes_on(doorkey: Split, tmp_path) -> None:
    answers = [each for each in MENDED if each[:2] != ("checker", KEY) and each[0] != "refine"]
    answers.append(("checker", KEY, 1, type(MENDED[0][3])(program(SLOW_KEY))))
    events: list = []
    vlm = ReplayVLM(write_recording(tmp_path / "session.json", answers))
    draft = generate(doorkey, vlm, InThisProcess(), Budget(samples=2), listen=events.append)
    assert draft.verdict.accepted
    unanswered = [(each.request.stage, each.request.subject) for each in events if isinstance(each, Unanswered)]
    assert unanswered == [("checker", KEY), ("checker", DOOR), ("checker", GOAL), ("faster", KEY)]
    assert len([each for each in events if isinstance(each, Accepted)]) == 3


def test_equal_replies_give_equal_bundles_though_times_differ(tmp_path: Path, doorkey: Split) -> None:
    files = []
    for run in ("one", "two"):
        script: Script = {("checker", KEY, 1): program(SLOW_KEY), ("faster", KEY, 2): program(planted.RIGHT_KEY)}
        draft = told(doorkey, script).draft
        path = save_bundle(tmp_path / run, find_task("doorkey-6x6"), draft, Provenance("scripted", ()))
        files.append({str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()})
        assert len(json.loads(files[-1].pop("measured.json"))) == 3
    assert files[0] == files[1]
    (asked,) = [each for each in files[0] if "faster" in each and each.endswith("prompt.md")]
    assert b"microseconds. The lines that take" not in files[0][asked]


def test_a_bundle_says_which_replies_are_in_it(tmp_path: Path, doorkey: Split) -> None:
    script: Script = {("checker", KEY, 1): program(SLOW_KEY), ("faster", KEY, 2): program(planted.RIGHT_KEY)}
    path = save_bundle(tmp_path, find_task("doorkey-6x6"), told(doorkey, script).draft, Provenance("scripted", ()))
    used = {each.parent.name: json.loads(each.read_text())["used"] for each in path.rglob("outcome.json")}
    assert used == {
        "01-goal-1": True,
        "02-subtasks-1": True,
        f"03-checker-{KEY}-1": False,
        f"04-checker-{DOOR}-1": True,
        f"05-checker-{GOAL}-1": True,
        f"06-faster-{KEY}-2": True,
    }
