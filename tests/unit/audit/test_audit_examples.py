"""What audits found, as counter-examples."""

from pathlib import Path

import pytest

from car.audit import Judgement, counter_examples
from car.errors import BadTrajectory, UserError
from car.refine import Flaw
from tests.unit.audit.planted_audit import EARLY, FALSE, FINE, MISSED, asked, played, written

SIZE = (8, 8)


def test_every_second_layout_is_kept_from_refinement(tmp_path: Path) -> None:
    false = [played((0, 12, 25, 0), seed, success=False) for seed in (9, 3, 5, 7)]
    written(tmp_path / "planted", *false)
    found = counter_examples(tmp_path, "planted", SIZE)
    assert sorted(each.trajectory.seed for each in found.refine) == [3, 7]
    assert sorted(each.trajectory.seed for each in found.verdict) == [5, 9]
    assert [each.name for each in found.refine] == ["audit episode 2", "audit episode 4"]
    assert {(each.flaw, each.subtask, each.time) for each in found.every} == {(Flaw.UNCONFIRMED, "", 3)}


def test_each_kind_is_seen_by_refinement_and_no_seed_is_on_both_sides(tmp_path: Path) -> None:
    written(tmp_path / "planted", FALSE, EARLY, MISSED, played((0, 12, 25, 1), 4, success=False), FINE)
    found = counter_examples(tmp_path, "planted", SIZE)
    assert {each.flaw for each in found.refine} == {Flaw.UNCONFIRMED, Flaw.EARLY, Flaw.MISSED}
    seen, other = ({each.trajectory.seed for each in part} for part in (found.refine, found.verdict))
    assert not seen & other


def test_what_a_person_says_goes_to_refinement(tmp_path: Path) -> None:
    folder = written(tmp_path / "planted", FALSE, FINE)
    folder.judge([Judgement(2, "dim", True), Judgement(2, "bright", True), Judgement(1, "bright", False)])
    found = counter_examples(tmp_path, "planted", SIZE)
    assert [(each.flaw, each.subtask, each.time) for each in found.refine] == [
        (Flaw.JUDGED, "dim", 1),
        (Flaw.JUDGED, "", 2),
    ]
    assert found.verdict == ()


def test_audits_that_were_put_aside_count_too(tmp_path: Path) -> None:
    written(tmp_path / "planted", FALSE).put_aside()
    written(tmp_path / "planted", EARLY)
    written(tmp_path / "planted.7", MISSED, task="planted.7")
    found = counter_examples(tmp_path, "planted", SIZE)
    assert [each.name for each in found.every] == ["audit 1, episode 1", "audit episode 1"]


def test_one_that_was_put_aside_before_it_was_finished_is_passed_over(tmp_path: Path) -> None:
    folder = written(tmp_path / "planted.1", FALSE)
    state = folder.state()
    state.confirmed = None
    folder.save(asked(), state)
    (tmp_path / "planted.2" / "runs").mkdir(parents=True)
    written(tmp_path / "planted", EARLY)
    assert [each.name for each in counter_examples(tmp_path, "planted", SIZE).every] == ["audit episode 1"]


def test_one_audit_can_be_named_itself(tmp_path: Path) -> None:
    written(tmp_path / "elsewhere", FALSE)
    assert len(counter_examples(tmp_path / "elsewhere", "planted", SIZE).every) == 1
    with pytest.raises(UserError, match="is of 'planted', not of 'other'"):
        counter_examples(tmp_path / "elsewhere", "other", SIZE)


def test_an_audit_that_found_nothing_gives_none(tmp_path: Path) -> None:
    written(tmp_path / "planted", FINE)
    assert counter_examples(tmp_path, "planted", SIZE).every == ()


def test_without_an_audit_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="`car audit planted`"):
        counter_examples(tmp_path, "planted", SIZE)


def test_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    written(tmp_path / "planted", FALSE)
    with pytest.raises(BadTrajectory, match="frames of 8 x 8 pixels, and its trajectories have 16 x 8"):
        counter_examples(tmp_path, "planted", (16, 8))
