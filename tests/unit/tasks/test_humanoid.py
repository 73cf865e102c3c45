"""The humanoid's task files, and, where MuJoCo is installed, its environment."""

import sys
import tomllib
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from car.errors import BadTask
from car.task import Env
from car.tasks import find_task, shipped_files
from car.tasks.humanoid import CAMERA, LENGTH, Pose

PROMPTS = {
    "humanoid-kneeling": "a humanoid robot kneeling",
    "humanoid-lotus": "a humanoid robot seated down, meditating in the lotus position",
    "humanoid-standing-up": "a humanoid robot standing up",
    "humanoid-arms-raised": "a humanoid robot standing up, with both arms raised",
    "humanoid-splits": "a humanoid robot practicing gymnastics, doing the side splits",
    "humanoid-hands-on-hips": "a humanoid robot standing up with hands on hips",
    "humanoid-arms-crossed": "a humanoid robot standing up, with its arms crossed",
    "humanoid-one-leg": "a humanoid robot standing up on one leg",
}
"""Table 3 of VLM-RM."""


class Body(gym.Env[np.ndarray, int]):
    """Stands for MuJoCo's humanoid: the action is whether the torso is high."""

    observation_space = gym.spaces.Box(0, 1, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)
    is_healthy = True

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        return np.zeros(1), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.is_healthy = action == 1
        return np.zeros(1), 5.0, False, False, {"x_velocity": 1.0}

    def render(self) -> None:
        raise RuntimeError("no display")


def _played(env: Env, high: list[bool]) -> tuple[list[Any], list[float]]:
    env.reset(seed=0)
    steps = [env.step(int(each)) for each in high]
    return [info.get("success") for *_, info in steps], [float(step[1]) for step in steps]


@pytest.mark.parametrize("name", PROMPTS)
def test_a_file_holds_the_prompts_of_the_paper(name: str) -> None:
    task = find_task(name)
    assert (task.name, task.goal_prompt, task.baseline_prompt) == (name, PROMPTS[name], "a humanoid robot")
    assert (task.env_id, task.camera, task.expert) == ("car.tasks.humanoid:HumanoidPose-v0", "render", None)
    assert task.success == "info:success"
    assert task.env_kwargs == ({"standing": True} if name == "humanoid-standing-up" else {})
    assert task.summary.endswith(".")


def test_there_is_a_file_for_each_pose_of_the_paper_named_like_its_task() -> None:
    files = shipped_files()
    assert set(files) == set(PROMPTS)
    assert all(tomllib.loads(path.read_text("utf-8"))["name"] == name for name, path in files.items())


def test_the_camera_is_that_of_the_paper() -> None:
    assert CAMERA == {"trackbodyid": 1, "distance": 3.5, "lookat": [0, 0, 1], "elevation": -10, "azimuth": 180}


def test_without_mujoco_one_sentence_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mujoco", None)
    sentence = r"cannot be made: it needs the package mujoco: pip install \"code-as-reward\[mujoco\]\"\.$"
    with pytest.raises(BadTask, match=sentence):
        find_task("humanoid-kneeling").make_env()


def test_no_success_is_reported_for_a_pose_that_a_person_judges() -> None:
    said, rewards = _played(Pose(Body(), standing=False), [True] * LENGTH)
    assert said == [None] * LENGTH
    assert rewards == [0.0] * LENGTH


@pytest.mark.parametrize("fallen", [[], [3, 49], [50], [LENGTH - 1]])
def test_standing_is_a_torso_that_is_high_throughout_the_second_half(fallen: list[int]) -> None:
    high = [step not in fallen for step in range(LENGTH)]
    said, rewards = _played(Pose(Body(), standing=True), high)
    assert said == [False] * (LENGTH - 1) + [all(high[50:])]
    assert rewards == [float(each) for each in high]


def test_each_episode_is_judged_for_itself() -> None:
    env = Pose(Body(), standing=True)
    assert _played(env, [False] * LENGTH)[0][-1] is False
    assert _played(env, [True] * LENGTH)[0][-1] is True


def test_a_machine_that_cannot_draw_is_told_what_to_set() -> None:
    with pytest.raises(BadTask, match=r"cannot draw here \(RuntimeError: no display\): .* set MUJOCO_GL to egl or"):
        Pose(Body(), standing=False).render()


def test_with_mujoco_there_are_frames_and_the_episode_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "egl")
    pytest.importorskip("mujoco")
    task = find_task("humanoid-standing-up")
    env, camera = task.make_env(), task.make_camera()
    observation, _ = env.reset(seed=0)
    frames = []
    for step in range(1, LENGTH + 1):
        observation, _, terminated, truncated, info = env.step(np.zeros(17, np.float32))
        assert (terminated, truncated, info["success"]) == (False, step == LENGTH, False)
        if step in (1, 30, LENGTH):
            frames.append(camera(env, observation))
    env.close()
    assert [frame.shape for frame in frames] == [(480, 480, 3)] * 3
    assert not np.array_equal(frames[0], frames[1])
