"""A run is repeated from its folder alone."""

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from empty_room import EMPTY_ROOM, QUICK, HalfWay

from car.bundle import load_bundle
from car.errors import BadBundle, UserError
from car.tasks import find_task
from car.train import TrainSettings, result_of, train
from car.train.checkout import checkouts
from car.train.folder import RunFolder
from car.train.kept import keep
from car.train.repeat import first_difference, other_conditions, repetition, reward_of

BUNDLE = Path(__file__).parents[3] / "generated_rewards" / "doorkey-6x6"
TINY = TrainSettings(steps=128, seed=5, envs=2, n_steps=32, batch=32, epochs=1, eval_every=64, eval_episodes=1)


def test_a_run_with_programs_is_repeated_from_its_folder_with_the_same_numbers(tmp_path: Path) -> None:
    bundle, first, moved = tmp_path / "bundle", tmp_path / "first", tmp_path / "moved"
    shutil.copytree(BUNDLE, bundle)
    settings = dataclasses.replace(TINY, learning_rate=3e-3, observe_milestones=True)
    task = dataclasses.replace(find_task("doorkey-6x6"), env_kwargs={"max_steps": 20})
    train(task, bundle, settings, first)
    assert (first / "repeat.txt").read_text() == f"car repeat {first} --out {first}-again\n"
    # Nothing is left but the folder, and it lies elsewhere.
    shutil.rmtree(bundle)
    first.rename(moved)

    job = repetition(moved, tmp_path / "again")
    assert (job.settings, job.reward) == (settings, str(moved / "reward"))
    train(job.task, job.reward, job.settings, job.folder)
    assert first_difference(moved, job.folder) is None
    assert other_conditions(moved, job.folder) == []
    lines = RunFolder(moved).lines()
    assert [line.steps for line in lines] == [64, 128]
    assert lines[-1].train_length is not None
    assert result_of(job.folder).evaluation == result_of(moved).evaluation
    assert load_bundle(job.folder / "reward").manifest_sha256 == load_bundle(BUNDLE).manifest_sha256


def test_other_numbers_and_other_conditions_are_told(tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("other", 1)):
        train(EMPTY_ROOM, "sparse", dataclasses.replace(QUICK, seed=seed), tmp_path / name)
    difference = first_difference(tmp_path / "one", tmp_path / "other")
    assert difference is not None
    assert " at 64 steps: " in difference
    settings = tmp_path / "other" / "settings.json"
    about = json.loads(settings.read_text())
    about["versions"]["torch"] = "9.9"
    about["git"] = {"car": {"commit": "f" * 40, "dirty": True}}
    settings.write_text(json.dumps(about))
    changed = other_conditions(tmp_path / "one", tmp_path / "other")
    assert [each.split()[0] for each in changed] == ["commit", "torch"]
    assert changed[0].endswith(f"now {'f' * 12}, changed")
    assert changed[1].endswith("now 9.9")


def told(tmp_path: Path, reward: dict[str, Any]) -> RunFolder:
    """A run's folder with nothing but what was asked."""
    run = RunFolder(tmp_path / "run")
    run.describe({"task": EMPTY_ROOM.as_dict(), "reward": reward, "settings": QUICK.as_dict()})
    return run


def test_a_live_reward_is_not_kept(tmp_path: Path) -> None:
    run = told(tmp_path, {"kind": "live", "name": HalfWay.name})
    with pytest.raises(UserError, match="'half-way' of this run was an object in a program, and is not kept"):
        repetition(run.path, tmp_path / "again")


@pytest.mark.parametrize(
    ("reward", "again"),
    [({"kind": "sparse"}, "sparse"), ({"kind": "made", "maker": "my.rewards:make"}, "my.rewards:make")],
)
def test_other_rewards_are_named(tmp_path: Path, reward: dict[str, Any], again: str) -> None:
    assert repetition(told(tmp_path, reward).path, tmp_path / "again").reward == again


def test_the_bundle_itself_serves_where_a_run_has_no_copy(tmp_path: Path) -> None:
    identity = {"kind": "bundle", "path": str(BUNDLE), "sha256": load_bundle(BUNDLE).manifest_sha256}
    run = told(tmp_path, identity)
    assert reward_of(run) == BUNDLE
    keep(run, identity, None)
    assert reward_of(run) == run.reward
    with pytest.raises(BadBundle, match="was changed while the run began"):
        keep(RunFolder(tmp_path / "other"), {**identity, "sha256": "0" * 64}, None)
    assert not (tmp_path / "other" / "reward").exists()


def test_a_bundle_without_approval_needs_it_said_again(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("approval.json"))
    identity = {"kind": "bundle", "path": str(bundle), "sha256": load_bundle(BUNDLE).manifest_sha256}
    run = RunFolder(tmp_path / "a run")
    keep(run, identity, None)
    assert run.repeat.read_text() == f"car repeat '{run.path}' --out '{run.path}-again' --allow-unreviewed\n"


def test_the_commit_is_known_where_the_code_lies_in_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        return subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert checkouts()["here"] is None
    git("init", "--quiet")
    (tmp_path / "task.py").write_text("one = 1\n")
    git("add", "task.py")
    git("commit", "--quiet", "-m", "A task")
    assert checkouts()["here"] == {"commit": git("rev-parse", "HEAD").strip(), "dirty": False}
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "log.txt").touch()
    assert checkouts()["here"]["dirty"] is False
    (tmp_path / "task.py").write_text("one = 2\n")
    assert checkouts()["here"]["dirty"] is True
