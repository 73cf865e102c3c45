"""A reward that is opened from a bundle's folder."""

import copy
import hashlib
import json
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hallway import Corridor
from stable_baselines3.common.vec_env import DummyVecEnv

from car.bundle import decide, load_bundle
from car.errors import BadBundle, BadFrame
from car.frames import digest, to_png
from car.milestones import Shaping
from car.rewards import sharing
from car.rewards.code import CodeReward, open_reward
from car.sandbox import Answers
from car.sandbox.isolation import Isolation
from car.task import Task
from car.wrapper import DenseReward, DenseVecReward, FrameTap
from tests.unit.verdicts import ACCEPTED

SIDE = 8
CELLS = {"middle": 3, "end": 5}
SOURCE = "def check(found, current):\n    return bool(current[0, 0, 0] >= {})\n"


@pytest.fixture
def corridor_id():
    gym.register("test/BundledCorridor-v0", "hallway:Corridor")
    yield "test/BundledCorridor-v0"
    gym.registry.pop("test/BundledCorridor-v0")


@pytest.fixture
def folder(tmp_path: Path, corridor_id: str) -> Path:
    """The folder of an approved bundle for the corridor: reach the middle, then the end."""
    made = tmp_path / "corridor"
    (made / "checkers").mkdir(parents=True)
    (made / "frames").mkdir()
    for name, cell in CELLS.items():
        (made / "checkers" / f"{name}.py").write_text(SOURCE.format(10 * cell))
    frame = np.zeros((SIDE, SIDE, 3), np.uint8)
    (made / "frames" / f"{digest(frame)}.png").write_bytes(to_png(frame))
    verdict = ACCEPTED
    for name in ("verdict.json", "rehearsal.json"):
        (made / name).write_text(json.dumps(verdict.as_dict()))
    files = {
        str(path.relative_to(made)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in made.rglob("*")
        if path.is_file()
    }
    manifest = {
        "format": "car-bundle/1",
        "task": Task("corridor", corridor_id).as_dict(),
        "goal": "Reach the end.",
        "subtasks": [
            {"name": "middle", "description": "Reach the middle.", "after": [], "goal": False},
            {"name": "end", "description": "Reach the end.", "after": ["middle"], "goal": True},
        ],
        "checkers": [{"subtask": name, "file": f"checkers/{name}.py"} for name in CELLS],
        "first_frame": digest(frame),
        "goal_frame": digest(frame),
        "provenance": {"vlm": "replay/test", "models": [], "made": ""},
        "files": files,
    }
    (made / "manifest.json").write_text(json.dumps(manifest))
    decide(load_bundle(made), "approved")
    return made


class CountingSandbox:
    """Opens sessions that say no, and counts those that are open."""

    def __init__(self) -> None:
        self.open_sessions = 0

    def open(self, checkers, limits=None, seed=0):
        self.open_sessions += 1
        return _Session(self, checkers)


class _Session:
    isolation = Isolation(0, ("do anything",), {})

    def __init__(self, sandbox: CountingSandbox, checkers) -> None:
        self.sandbox, self.checkers = sandbox, checkers

    def run(self, initial, frames, ask=None, explain=False):
        return Answers(np.zeros(ask.shape, np.int8), np.full(ask.shape, np.nan), {})

    def renew(self):
        raise AssertionError("not needed here")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.sandbox.open_sessions -= 1


def test_it_knows_what_the_bundle_says(folder) -> None:
    sandbox = CountingSandbox()
    reward = open_reward(folder, Shaping("bonus"), sandbox=sandbox)
    assert (reward.name, reward.names, reward.frame_shape) == ("corridor", ("middle", "end"), (SIDE, SIDE, 3))
    assert reward.task == load_bundle(folder).task
    assert reward.episode().wanted.tolist() == [True, False]
    assert sandbox.open_sessions == 1
    reward.close()
    assert sandbox.open_sessions == 0


def test_a_bundle_that_nobody_approved_runs_only_on_request(folder) -> None:
    (folder / "approval.json").unlink()
    sandbox = CountingSandbox()
    with pytest.raises(BadBundle, match=r"Nobody has approved .* `car review corridor`"):
        open_reward(folder, sandbox=sandbox)
    assert sandbox.open_sessions == 0
    open_reward(folder, allow_unreviewed=True, sandbox=sandbox).close()


def test_a_bundle_that_is_not_there_is_refused(tmp_path) -> None:
    with pytest.raises(BadBundle, match="There is no reward bundle"):
        DenseReward(Corridor(), tmp_path / "nothing")


@pytest.fixture
def _real_sandbox():
    pytest.importorskip("car.sandbox.process")


@pytest.mark.usefixtures("_real_sandbox")
class TestWithRealWorkers:
    def test_the_milestones_are_credited(self, folder) -> None:
        env = DenseReward(Corridor(max_steps=30), folder, shaping="bonus", env_reward="replace")
        env.reset(seed=0)
        rewards, terminated = [], False
        while not terminated:
            _, reward, terminated, _, info = env.step(1)
            rewards.append(reward)
        assert sorted(rewards)[-2:] == [0.5, 0.5]
        assert sum(rewards) == 1
        assert info["car/milestones"] == {"middle": True, "end": True}
        env.close()

    def test_a_potential_that_replaces_pays_the_goal(self, folder) -> None:
        env = DenseReward(Corridor(max_steps=30), folder, "potential", env_reward="replace", gamma=1.0, scale=2.0)
        env.reset(seed=0)
        total, terminated = 0.0, False
        while not terminated:
            _, reward, terminated, _, _ = env.step(1)
            total += reward
        assert total == pytest.approx(2.0)
        env.close()

    def test_environments_share_workers_which_end_with_the_last(self, folder, corridor_id) -> None:
        before = len(sharing._OPEN)
        envs = gym.make_vec(corridor_id, 4, vectorization_mode="sync", wrappers=[lambda env: DenseReward(env, folder)])
        assert len(sharing._OPEN) == before + 1
        envs.reset(seed=0)
        assert max(envs.step(np.ones(4, int))[4]["car/credited"].max() for _ in range(5)) == 2
        other = open_reward(str(folder), Shaping("bonus"))
        assert len(sharing._OPEN) == before + 1
        envs.close()
        assert len(sharing._OPEN) == before + 1
        other.close()
        assert len(sharing._OPEN) == before

    @pytest.mark.filterwarnings("ignore:.*The environment .* is different from the unwrapped version.*:UserWarning")
    def test_it_passes_gymnasiums_check_and_its_spec_goes_through_json(self, folder, corridor_id) -> None:
        env = DenseReward(gym.make(corridor_id), folder, observe_milestones=True)
        check_env(env)
        spec = gym.envs.registration.EnvSpec.from_json(env.spec.to_json())
        assert spec.additional_wrappers[-1].kwargs["reward"] == str(folder)
        again = gym.make(spec)
        for each in (env, again):
            each.reset(seed=1)
        for _ in range(3):
            assert env.step(1)[1] == again.step(1)[1]
        env.close()
        again.close()

    def test_a_copy_outlives_the_original(self, folder) -> None:
        env = DenseReward(Corridor(max_steps=30), folder)
        env.reset(seed=0)
        twin = copy.deepcopy(env)
        env.close()
        assert [twin.step(1)[4]["car/credited"] for _ in range(5)][-1] == 2
        twin.close()

    def test_the_vectorised_twin_gives_the_same(self, folder) -> None:
        venv = DenseVecReward(DummyVecEnv([lambda: FrameTap(Corridor(max_steps=30))]), folder)
        env = DenseReward(Corridor(max_steps=30), folder)
        venv.seed(4)
        venv.reset()
        env.reset(seed=4)
        for _ in range(6):
            _, (paid,), (done,), _ = venv.step(np.ones(1, int))
            _, reward, terminated, _, _ = env.step(1)
            assert paid == pytest.approx(reward)
            if done:
                assert terminated
                env.reset()
        venv.close()
        env.close()

    def test_frames_of_another_size_than_the_bundles_are_refused(self, folder) -> None:
        env = DenseReward(Corridor(side=12), folder)
        with pytest.raises(BadFrame, match="is 12 x 12 pixels, but the reward 'corridor' works on frames of 8 x 8"):
            env.reset()
        env.close()

    def test_a_live_code_reward_is_recorded_and_shared(self, folder, corridor_id) -> None:
        reward: CodeReward = open_reward(folder)
        env = DenseReward(gym.make(corridor_id), reward)
        again = gym.make(env.spec)
        again.reset(seed=0)
        again.step(1)
        again.close()
        env.reset(seed=0)
        env.step(1)
        reward.close()
