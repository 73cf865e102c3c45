"""`car train` with a reward of one's own."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from car.cli.app import app

SHIPPED = Path(__file__).parents[3] / "generated_rewards"
REWARDS = """
from car.milestones import Milestones
import numpy as np


class Looked:
    name, names, frame_shape = "looked", ("looked",), None

    def __init__(self, shaping):
        self._shaping = shaping

    def signals(self, initial, frames, ask):
        changed = (frames != initial).any(axis=(1, 2, 3)).astype(float)
        return np.where(ask, changed[:, None], np.nan)

    def episode(self):
        return Milestones([()], self._shaping)

    def close(self):
        pass


def make(task, shaping):
    return Looked(shaping)
"""


def train(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["train", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


def test_a_reward_of_ones_own_is_made_in_the_process_that_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_rewards.py").write_text(REWARDS)
    monkeypatch.chdir(tmp_path)
    said = train("pickup-ball", "--reward", "own_rewards:make", "--steps", "1", "--no-film", "--out", "runs", "--json")
    document = json.loads(said[said.index("{\n") :])
    assert list(document["runs"]) == ["make"]
    settings = json.loads(Path("runs/make/seed-0/settings.json").read_text("utf-8"))
    assert settings["reward"] == {"kind": "made", "maker": "own_rewards:make"}
    lines = Path("runs/make/seed-0/progress.jsonl").read_text("utf-8").splitlines()
    # Whoever moves has changed the picture.
    assert json.loads(lines[-1])["credited"] > 0.9


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    said = train("unlock", "--reward", "a:make", "--reward", "b:make", "--out", tmp_path / "runs", code=2)
    assert "Two of the rewards would be called 'make'; give each one once, named differently." in said
    assert not (tmp_path / "runs").exists()


def test_several_bundles_are_named_after_their_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "yours"):
        shutil.copytree(SHIPPED / "doorkey-6x6", tmp_path / "bundles" / name)
    rewards = [argument for name in ("mine", "yours") for argument in ("--reward", f"bundles/{name}")]
    small = ("--set", "envs=2", "--set", "n_steps=32", "--set", "batch=32", "--set", "eval_episodes=1")
    said = train("doorkey-6x6", *rewards, "--steps", "64", "--no-film", "--out", "runs", *small, "--json")
    document = json.loads(said[said.index("{\n") :])
    assert list(document["runs"]) == ["bundles.mine", "bundles.yours"]
    settings = json.loads(Path("runs/bundles.mine/seed-0/settings.json").read_text("utf-8"))["settings"]
    assert [settings[name] for name in ("envs", "n_steps", "batch", "eval_episodes", "steps")] == [2, 32, 32, 1, 64]


def test_a_start_that_failed_does_not_block_the_next_one(tmp_path: Path) -> None:
    arguments = ("unlock", "--reward", "sparse", "--no-film", "--out", tmp_path / "runs")
    assert "sac" in train(*arguments, "--algo", "sac", code=2)
    assert (tmp_path / "runs" / "sparse" / "seed-0" / "log.txt").exists()
    small = ("--set", "envs=1", "--set", "n_steps=8", "--set", "batch=8", "--set", "eval_episodes=1")
    said = train(*arguments, "--steps", "5", *small)
    assert "5 steps each (8 in whole rollouts)" in said


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("gamma", "'gamma' is no setting; say NAME=VALUE"),
        ("gama=0.9", "There is no training setting 'gama'"),
        ("gamma=much", "The training setting gamma = 'much' must be a number."),
        ("envs=1.5", "The training setting envs = '1.5' must be a whole number."),
        ("eval_deterministic=maybe", "must be true or false"),
        ("gamma=1.5", "must be 0 to 1"),
        ("seed=3", "seed is not for --set"),
        ("steps=3", "steps is not for --set; it has an option of its own"),
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence(pair: str, said: str, tmp_path: Path) -> None:
    output = train("unlock", "--reward", "sparse", "--set", pair, "--out", tmp_path / "runs", code=2)
    assert said in " ".join(output.split())
    assert not (tmp_path / "runs").exists()
