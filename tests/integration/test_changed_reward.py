"""A program that passes verification and changes its mind in training: the command stops, and says which program."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from car.frames import digest, to_png
from car.task import Task
from car.train import Progress
from tests.unit.cli.planted_session import car
from tests.unit.verdicts import ACCEPTED

ENVIRONMENT = """
import gymnasium as gym
import numpy as np


class Snow(gym.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    observation_space = gym.spaces.Box(0.0, 1.0, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.steps += 1
        return np.zeros(2, np.float32), 0.0, False, self.steps >= 50, {}

    def render(self):
        return self.np_random.integers(256, size=(8, 8, 3), dtype=np.uint8)


gym.register("CarSnow/Snow-v0", Snow, disable_env_checker=True)
"""
HONEST = "def check(found, current):\n    return False\n"
SLEEPER = """calls = 0


def check(found, current):
    global calls
    calls += 1
    return False


def progress(found, current):
    return 0.25 if calls <= 400 else 0.75
"""
SUBTASKS = {"dark": ("Wait for the dark.", SLEEPER), "over": ("Wait for the end.", HONEST)}


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a bundle whose first program is not pure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "snow.py").write_text(ENVIRONMENT)
    (tmp_path / "snow.toml").write_text('name = "snow"\nenv = "snow:CarSnow/Snow-v0"\n')
    made = tmp_path / "generated_rewards" / "snow"
    (made / "checkers").mkdir(parents=True)
    (made / "frames").mkdir()
    for name, (_, source) in SUBTASKS.items():
        (made / "checkers" / f"{name}.py").write_text(source)
    frame = np.zeros((8, 8, 3), np.uint8)
    (made / "frames" / f"{digest(frame)}.png").write_bytes(to_png(frame))
    for name in ("verdict.json", "rehearsal.json"):
        (made / name).write_text(json.dumps(ACCEPTED.as_dict()))
    (made / "manifest.json").write_text(json.dumps(_manifest(made, digest(frame))))
    return made


def _manifest(made: Path, frame: str) -> dict[str, object]:
    return {
        "format": "car-bundle/1",
        "task": Task("snow", "snow:CarSnow/Snow-v0").as_dict(),
        "goal": "Wait for the end.",
        "subtasks": [
            {"name": name, "description": words, "after": [], "goal": name == "over"}
            for name, (words, _) in SUBTASKS.items()
        ],
        "checkers": [{"subtask": name, "file": f"checkers/{name}.py"} for name in SUBTASKS],
        "first_frame": frame,
        "goal_frame": frame,
        "provenance": {"vlm": "replay/test", "models": [], "made": ""},
        "files": {
            str(path.relative_to(made)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in made.rglob("*")
            if path.is_file()
        },
    }


def test_training_stops_with_the_sentence_the_exit_code_and_all_that_was_learnt(bundle: Path) -> None:
    arguments = ("train", "snow.toml", "--reward", bundle, "--steps", 1_000_000, "--allow-unreviewed", "--out", "out")
    ended = car(*arguments, "--json")
    assert ended.exit_code == 1, ended.output
    said = json.loads(ended.stdout.splitlines()[-1])
    assert said["exit_code"] == 1
    # After a renewal, it may be the old answer that was the wrong one.
    sentence = re.fullmatch(
        r"The program for 'dark' is not pure: of one and the same frame it first said 'not done, progress (\S+)' .* "
        r"and now 'not done, progress (\S+)' .* `car generate TASK --fresh`\. The run was stopped; what it had learnt "
        r"is in out/generated/seed-0\.",
        said["error"],
    )
    assert sentence
    assert set(sentence.groups()) == {"0.25", "0.75"}
    run = Path("out/generated/seed-0")
    last = Progress.of(json.loads((run / "progress.jsonl").read_text().splitlines()[-1]))
    assert last.steps > 0
    assert last.asked_again
    assert (run / "checkpoints" / f"step-{last.steps}.zip").exists()
    assert (run / "curve.png").exists()
    assert (run / "stopped.txt").read_text().startswith("The program for 'dark' is not pure")
    assert not (run / "policy.zip").exists()
    again = car(*arguments, "--resume")
    assert again.exit_code == 2
    assert "The run in out/generated/seed-0 was stopped. The program for 'dark' is not pure" in again.output
