import json
from pathlib import Path
from typing import Any

import pytest

from car.errors import UserError
from car.train.folder import RunFolder, steps_to
from car.train.settings import Progress

ASKED: dict[str, Any] = {
    "task": {"name": "t", "env_kwargs": {}},
    "reward": {"kind": "bundle", "path": "a", "sha256": "12"},
    "settings": {"seed": 0, "gamma": 0.99},
}


def begun(path: Path) -> RunFolder:
    run = RunFolder(path)
    run.check(ASKED, resume=False)
    run.describe(ASKED)
    return run


def line(steps: int, success: float | None = None, episodes: int = 0) -> Progress:
    return Progress(steps, 100, 1.0, 1.0, episodes, train_success=success)


def asked(**changes: Any) -> dict[str, Any]:
    return {**ASKED, **changes}


def test_a_new_folder_gets_what_was_asked_with_versions_and_machine(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    about = run.read_settings()
    assert {key: about[key] for key in ASKED} == ASKED
    assert {"python", "torch", "stable-baselines3", "numpy"} <= about["versions"].keys()
    assert about["machine"]["cpus"] >= 1


def test_a_second_run_in_the_same_folder_must_be_asked_for(tmp_path: Path) -> None:
    run = begun(tmp_path)
    with pytest.raises(UserError, match="already holds a training run; resume it, or name another folder"):
        run.check(ASKED, resume=False)
    run.check(ASKED, resume=True)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"settings": {"seed": 0, "gamma": 0.9}}, "has settings.gamma = 0.99, not 0.9;"),
        ({"task": {"name": "u", "env_kwargs": {}}}, "has task.name = 't', not 'u';"),
        ({"task": {"name": "t", "env_kwargs": {"size": 5}}}, "has task.env_kwargs.size = None, not 5;"),
        ({"reward": {"kind": "bundle", "path": "a", "sha256": "34"}}, "has reward.sha256 = '12', not '34';"),
        ({"reward": {"kind": "sparse"}}, "has reward.kind = 'bundle', not 'sparse';"),
    ],
)
def test_resuming_something_else_says_which_field_differs(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    run = begun(tmp_path)
    with pytest.raises(UserError) as caught:
        run.check(asked(**changes), resume=True)
    assert says in str(caught.value)


def test_a_reward_that_moved_but_did_not_change_is_the_same(tmp_path: Path) -> None:
    run = begun(tmp_path)
    run.check(asked(reward={"kind": "bundle", "path": "elsewhere", "sha256": "12"}), resume=True)


def test_what_was_asked_first_is_never_written_over(tmp_path: Path) -> None:
    run = begun(tmp_path)
    run.describe(asked(settings={"seed": 9}))
    assert run.read_settings()["settings"] == ASKED["settings"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        RunFolder(tmp_path / "file" / "run").describe(ASKED)


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "is damaged"), (json.dumps({"format": "car-run/99"}), "has the format 'car-run/99'")],
)
def test_settings_that_cannot_be_read(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(UserError, match=says):
        RunFolder(tmp_path).read_settings()


def test_no_run_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no training run in"):
        RunFolder(tmp_path).read_settings()
    assert RunFolder(tmp_path).lines() == []


def test_a_line_that_was_cut_off_while_it_was_written_is_left_out(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.append(line(1))
    run.append(line(2))
    with run.progress.open("a") as stream:
        stream.write('{"steps": 3, "tot')
    assert [each.steps for each in run.lines()] == [1, 2]


def test_damage_anywhere_else_is_an_error(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.progress.write_text("nonsense\n")
    with pytest.raises(UserError, match=r"progress\.jsonl is damaged"):
        run.lines()


def test_what_came_after_the_checkpoint_is_dropped(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for steps in (10, 20, 30):
        run.append(line(steps))
    assert [each.steps for each in run.cut(20)] == [10, 20]
    assert [each.steps for each in run.lines()] == [10, 20]


def test_the_last_checkpoints_are_kept_by_number_and_not_by_name(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert run.latest_checkpoint() is None
    run.checkpoints.mkdir()
    for steps in (900, 1000, 20, 5000, 100):
        run.checkpoint(steps).touch()
    (run.checkpoints / ".step-9999.zip.abc").touch()
    run.prune()
    assert sorted(path.name for path in run.checkpoints.glob("s*")) == [
        "step-1000.zip",
        "step-5000.zip",
        "step-900.zip",
    ]
    assert run.latest_checkpoint() == (5000, run.checkpoint(5000))


def test_steps_to_needs_a_hundred_episodes(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for each in (line(10, None), line(20, 1.0, 3), line(30, 0.89, 120), line(40, 0.9, 140), line(50, 0.95, 160)):
        run.append(each)
    assert steps_to(tmp_path) == 40
    assert steps_to(tmp_path, 0.5) == 30
    assert steps_to(tmp_path, 0.99) is None
