"""`car train` with a reward of one's own."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from car.cli.app import app

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
    assert "rewards of your own that are named differently" in said
    assert not (tmp_path / "runs").exists()
