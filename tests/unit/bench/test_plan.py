"""What a benchmark trains."""

from pathlib import Path

import pytest

from car.bench import SUITE, bundles_of, check, jobs_for, rows_for, unfinished
from car.bundle import list_bundles
from car.errors import BadTask, UnknownName, UserError
from car.rewards.clip import read_reference
from car.tasks import find_task
from car.train import SPARSE
from car.train.folder import RunFolder

SHIPPED = Path(__file__).parents[3] / "generated_rewards"


def test_every_task_of_the_suite_has_a_ground_truth_and_a_bundle_that_ships() -> None:
    for name, steps in SUITE.items():
        rows, missing = rows_for(name, folder=SHIPPED)
        assert not missing
        assert {"sparse", "generated", "oracle"} <= {row.label for row in rows}
        assert {row.settings.steps for row in rows} == {steps}
    assert {each.name for each in list_bundles(SHIPPED)} >= set(SUITE)


def test_the_rows_of_a_task_differ_in_the_reward_and_in_what_the_reward_needs_alone() -> None:
    labels = ["sparse", "generated", "oracle", "naive", "hidden"]
    rows, _ = rows_for("unlock", labels, 4096, SHIPPED)
    by_label = {row.label: row for row in rows}
    assert list(by_label) == labels
    assert {row.settings.observe_milestones for row in rows} == {True, False}
    common = {key: value for key, value in rows[0].settings.as_dict().items() if key != "observe_milestones"}
    for row in rows:
        assert common.items() <= row.settings.as_dict().items()
    assert by_label["hidden"].settings == by_label["sparse"].settings
    assert by_label["generated"].task == by_label["sparse"].task == find_task("unlock")
    assert by_label["oracle"].task.camera != find_task("unlock").camera
    assert bundles_of(rows) == [SHIPPED / "unlock"]


def test_a_reward_of_ones_own_is_a_row() -> None:
    (row,), _ = rows_for("taxi", ["my_package.rewards:make"], folder=SHIPPED)
    assert (row.label, row.reward, row.settings.steps) == (
        "my_package.rewards.make",
        "my_package.rewards:make",
        150_000,
    )
    assert not bundles_of([row])


def test_rewards_that_end_alike_do_not_share_a_folder(tmp_path: Path) -> None:
    asked = ["oracle", "mine:oracle", "his:oracle", "oracle", "sparse", "sparse"]
    rows, _ = rows_for("unlock", asked, 4096, SHIPPED)
    assert [row.label for row in rows] == ["oracle", "mine.oracle", "his.oracle", "sparse"]
    assert len({row.folder(0, tmp_path) for row in rows}) == 4


def test_bundles_can_be_compared_with_each_other() -> None:
    rows, _ = rows_for("unlock", ["generated", str(SHIPPED / "unlock")], 4096, SHIPPED)
    assert rows[0].reward == rows[1].reward == str(SHIPPED / "unlock")
    assert rows[0].settings == rows[1].settings
    assert rows[1].label.endswith("generated_rewards.unlock")
    assert "/" not in rows[1].label
    with pytest.raises(UserError, match="was verified on"):
        rows_for("unlock", [str(SHIPPED / "taxi")], 4096, SHIPPED)


def test_what_would_fail_after_hours_is_found_before(tmp_path: Path) -> None:
    rows, _ = rows_for("unlock", ["sparse", "car.bench.oracle:oracle"], 4096, SHIPPED)
    with pytest.raises(BadTask, match="sees no pictures"):
        check(rows)
    with pytest.raises(BadTask, match="cannot be imported"):
        check(rows_for("unlock", ["no_such_module:make"], 4096, SHIPPED)[0])
    with pytest.raises(BadTask, match="one sub-task"):
        check(rows_for("pickup-ball", ["naive"], 4096, SHIPPED)[0])
    with pytest.raises(UserError, match="called unlock with sparse"):
        check([rows[0], rows[0]])
    check([rows[0]])
    begun = jobs_for([rows[0]], [0], tmp_path)
    RunFolder(begun[0].folder).describe(
        {
            "task": rows[0].task.as_dict(),
            "reward": {"kind": "sparse"},
            "settings": {**rows[0].settings.as_dict(), "steps": 8},
        }
    )
    with pytest.raises(UserError, match=r"settings\.steps = 8, not 4096"):
        unfinished(begun)


def test_what_is_missing_is_said_or_refused_if_it_was_asked_for(tmp_path: Path) -> None:
    rows, missing = rows_for("doorkey-5x5", folder=tmp_path)
    assert [row.label for row in rows] == ["sparse", "oracle"]
    assert len(missing) == 1
    assert "doorkey-5x5 without generated" in missing[0]
    with pytest.raises(UnknownName, match="reward bundle"):
        rows_for("doorkey-5x5", ["generated"], folder=tmp_path)
    with pytest.raises(UnknownName, match="dense"):
        rows_for("doorkey-5x5", ["dense"], folder=tmp_path)
    with pytest.raises(UserError, match="steps"):
        rows_for("doorkey-5x5", steps=0, folder=tmp_path)


def test_a_bundle_of_another_environment_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('name = "unlock"\nenv = "MiniGrid-DoorKey-6x6-v0"\n')
    with pytest.raises(UserError, match="verified on MiniGrid-Unlock-v0, not on MiniGrid-DoorKey-6x6-v0"):
        rows_for(str(other), ["generated"], folder=SHIPPED)


def test_the_first_seed_of_every_row_comes_first_and_each_run_has_a_folder(tmp_path: Path) -> None:
    rows, _ = rows_for("unlock", ["sparse", "oracle"], 4096, SHIPPED)
    jobs = jobs_for(rows, [0, 1], tmp_path)
    assert [(job.label, job.settings.seed) for job in jobs] == [
        ("sparse", 0), ("oracle", 0), ("sparse", 1), ("oracle", 1)
    ]  # fmt: skip
    assert len({job.folder for job in jobs}) == 4
    assert all(job.resume and job.reward in (SPARSE, "car.bench.oracle:oracle") for job in jobs)
    assert unfinished(jobs) == jobs


def test_clip_rewards_are_rows_with_the_words_of_the_task(tmp_path: Path) -> None:
    own = "clip-softmax:worlds?goal=the+door+is+open&end=true"
    rows, _ = rows_for("doorkey-6x6", ["clip-cosine", "clip-softmax", "clip-gated", own], 4096, SHIPPED)
    cosine, softmax, gated, other = rows
    asked = [read_reference(row.reward) for row in rows]
    assert [each.goal for each in asked[:2]] == [("the agent stands on the green square",)] * 2
    assert (asked[0].baseline, cosine.settings.shaping) == (("a grid world seen from above",), "potential")
    assert (asked[1].end, len(asked[1].negative)) == (True, 8)
    assert asked[2].goal == ("the agent has picked up the key", "the door is open", *asked[0].goal)
    assert (gated.settings.shaping, gated.settings.observe_milestones) == ("potential", True)
    assert not softmax.settings.observe_milestones
    assert bundles_of(rows) == [SHIPPED / "doorkey-6x6"]
    assert "/" not in other.label
    assert len({row.folder(0, tmp_path) for row in rows}) == 4


def test_a_clip_that_is_not_there_is_found_before_anything_is_trained() -> None:
    pytest.importorskip("transformers")
    rows, _ = rows_for("unlock", ["clip-cosine:nothing"], 4096, SHIPPED)
    with pytest.raises(UnknownName, match="There is no CLIP 'nothing'"):
        check(rows)
