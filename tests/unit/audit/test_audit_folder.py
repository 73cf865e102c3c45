"""What an audit leaves on disk, and what a person says of it."""

import json
from pathlib import Path

import pytest

from car.audit import AuditFolder, Effort, Judgement, Tally
from car.audit.folder import State, aside
from car.audit.played import EXPERT
from car.errors import UserError
from car.refine import Flaw
from tests.unit.audit.planted_audit import EARLY, EFFORT, FALSE, FINE, MISSED, RIGHT, asked, played, written


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    findings = written(tmp_path / "planted", FALSE, EARLY, MISSED, FINE).findings()
    assert [(each.times, each.flaw, each.paid, each.how) for each in findings.episodes] == [
        (each.times, each.flaw, each.paid, each.how) for each in (FALSE, EARLY, MISSED, FINE)
    ]
    assert [each.trajectory.sha256() for each in findings.episodes] == [
        each.trajectory.sha256() for each in (FALSE, EARLY, MISSED, FINE)
    ]
    assert [name.name for name in findings.subtasks] == ["dim", "bright"]
    assert findings.disagreements == [(1, Flaw.UNCONFIRMED), (2, Flaw.EARLY), (3, Flaw.MISSED)]
    assert findings.flaws() == {str(each): 1 for each in (Flaw.UNCONFIRMED, Flaw.EARLY, Flaw.MISSED)}
    assert json.loads(json.dumps(findings.as_dict()))["episodes"][0]["flaw"] == "goal without success"


def test_an_audit_that_is_asked_for_again_goes_on(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path / "planted")
    assert folder.begin(asked()) == State()
    folder.save(asked(), State(done={"seed 0"}, episodes=(FINE,)))
    state = folder.begin({**asked(), "bundle": "elsewhere"})
    assert (state.done, len(state.episodes), state.confirmed) == ({"seed 0"}, 1, None)
    with pytest.raises(UserError, match="is not finished"):
        folder.findings()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (asked(effort=Effort(steps=4096, seeds=1, contrary=0, episodes=1)), "made with steps 2048"),
        (asked(manifest_sha256="1" * 64), "another content of the bundle, 0000"),
        (asked(task="other"), "another task, planted"),
    ],
)
def test_another_audit_is_refused(other: dict[str, object], said: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "planted", FINE)
    with pytest.raises(UserError, match=f"{said}.*--fresh"):
        folder.begin(other)


def test_of_a_crash_between_two_files_only_what_both_know_is_left(tmp_path: Path) -> None:
    folder = written(tmp_path / "planted", FALSE, FINE)
    before = folder.about.read_text()
    folder.save(asked(), State(episodes=(FALSE, EARLY)))
    folder.about.write_text(before)
    assert [each.trajectory.seed for each in folder.state().episodes] == [FALSE.trajectory.seed]


@pytest.mark.parametrize("text", ["{", '{"format": "car-audit/0"}', '{"format": "car-audit/1"}', "[]"])
def test_what_is_damaged_is_said(text: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "planted", FINE)
    folder.about.write_text(text)
    with pytest.raises(UserError, match=r"damaged|has the format"):
        folder.findings()


def test_where_there_is_none_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="car audit BUNDLE"):
        AuditFolder(tmp_path).findings()


def test_what_is_no_audit_is_not_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").touch()
    with pytest.raises(UserError, match="holds no audit that could be put aside"):
        AuditFolder(tmp_path / "precious").put_aside()
    # One that was killed before anything was saved.
    (tmp_path / "begun" / "runs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "begun")
    assert AuditFolder(Path()).put_aside() == tmp_path / "begun.1"


def test_the_audit_that_was_interrupted_goes_on_and_no_other(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path / "planted")
    assert not folder.goes_on(asked())
    folder.save(asked(), State(done={"seed 0"}))
    assert folder.goes_on(asked())
    assert not folder.finished
    assert not folder.goes_on(asked(manifest_sha256="1" * 64))
    written(tmp_path / "planted", FINE)
    assert not folder.goes_on(asked())
    assert folder.finished
    folder.about.write_text("{")
    assert not folder.goes_on(asked())


def test_is_put_aside_with_a_number(tmp_path: Path) -> None:
    assert AuditFolder(tmp_path / "planted").put_aside() is None
    for _ in range(11):
        written(tmp_path / "planted", FINE).put_aside()
    assert [each.name for each in aside(tmp_path / "planted")] == [f"planted.{number}" for number in range(1, 12)]


class TestJudging:
    def test_what_is_wrong_counts_as_found(self, tmp_path: Path) -> None:
        folder = written(tmp_path / "planted", FINE)
        assert not folder.findings().found
        folder.judge([Judgement.of("1:dim", wrong=True)])
        findings = folder.findings()
        assert findings.found
        assert findings.as_dict()["judged_wrong"] == ["1:dim"]

    def test_what_is_right_explains_a_disagreement(self, tmp_path: Path) -> None:
        folder = written(tmp_path / "planted", FALSE, MISSED)
        assert folder.judge([Judgement.of("1:bright", wrong=False)]).disagreements == [(2, Flaw.MISSED)]
        assert not folder.judge([Judgement.of("2:bright", wrong=False)]).found

    def test_the_last_word_counts(self, tmp_path: Path) -> None:
        folder = written(tmp_path / "planted", FINE)
        folder.judge([Judgement.of("1:dim", wrong=True)])
        assert not folder.judge([Judgement.of("1:dim", wrong=False)]).found

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            ("1", "must be EPISODE:SUBTASK"),
            ("one:dim", "must be EPISODE:SUBTASK"),
            ("1:", "must be EPISODE:SUBTASK"),
            ("0:dim", "There is no episode 0: the audit kept 1 to 2"),
            ("3:dim", "There is no episode 3"),
            ("1:key", "There is no sub-task 'key'. There are: dim, bright"),
            ("2:bright", "'bright' was not credited"),
        ],
    )
    def test_what_is_not_there_cannot_be_judged(self, said: str, why: str, tmp_path: Path) -> None:
        folder = written(tmp_path / "planted", FINE, MISSED)
        with pytest.raises(UserError, match=why):
            folder.judge([Judgement.of(said, wrong=True)])
        assert not folder.judged.exists()


def test_without_a_success_that_was_ever_seen_nothing_is_held_against_the_goal(tmp_path: Path) -> None:
    findings = written(tmp_path / "planted", FALSE, confirmed=False).findings()
    assert not findings.found
    assert findings.as_dict()["disagreements"] == {}


def test_where_no_agent_was_paid_for_the_goal_nothing_is_known_of_it(tmp_path: Path) -> None:
    assert written(tmp_path / "fine", FINE).findings().reached
    expert = played(RIGHT, 1, success=True, how=EXPERT)
    folder = AuditFolder(tmp_path / "far")
    folder.save(asked(), State(tallies=(Tally(EXPERT).with_one(expert, 1),), confirmed=True))
    findings = folder.findings()
    assert (findings.reached, findings.found) == (False, False)


def test_effort_is_checked() -> None:
    with pytest.raises(UserError, match="seeds of at least 1, not 0"):
        Effort(seeds=0)
    assert Effort(starts=0).training(3, observe=True).seed == 3
    assert (EFFORT.training(0, observe=False).env_reward, EFFORT.training(0, observe=True).observe_milestones) == (
        "replace",
        True,
    )
