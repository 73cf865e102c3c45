"""A reward that comes when the rollout is full trains the policy that it trains otherwise."""

import dataclasses
from functools import partial

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

from car.checker import SubTask
from car.errors import UserError
from car.milestones import Shaping
from car.rewards.code import CodeReward
from car.sandbox import Ran
from car.train.sb3.late import LateVecReward, can_be_late, follow, late_in
from car.train.settings import TrainSettings
from car.wrapper import DenseVecReward, FrameTap
from tests.unit.rewards.fake_session import FakeSession
from tests.unit.wrapper.hallway import Corridor, chain

LENGTHS = (5, 9, 20)
SUBTASKS = [SubTask("middle", "."), SubTask("end", ".", ("middle",))]


def reward(shaping: Shaping = Shaping("bonus")) -> CodeReward:
    judges = [lambda first, frame, cell=cell: Ran(bool(frame[0, 0, 0] >= 10 * cell)) for cell in (3, 5)]
    return CodeReward(FakeSession(judges), SUBTASKS, "corridor", shaping)


def tapped(view: str) -> DummyVecEnv:
    return DummyVecEnv([partial(_tap, view, length) for length in LENGTHS])


def _tap(view: str, length: int) -> gym.Env:
    env = FrameTap(Corridor(view, length))
    return gym.wrappers.FilterObservation(env, ["here"]) if view == "dict" else env


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Rewards:
    """Keeps the rewards of each rollout, from the buffer."""

    def __init__(self, model) -> None:
        self.kept = []
        compute = model.rollout_buffer.compute_returns_and_advantage

        def keep(last_values, dones):
            compute(last_values, dones)
            self.kept.append(model.rollout_buffer.rewards.copy())

        model.rollout_buffer.compute_returns_and_advantage = keep


def trained(algo, venv, policy: str):
    kwargs = {"batch_size": 48, "n_epochs": 2} if algo is PPO else {}
    model = algo(policy, venv, n_steps=48, seed=0, device="cpu", **kwargs)
    follow(model)
    rewards = Rewards(model)
    model.learn(3 * 48 * len(LENGTHS))
    return model, rewards.kept


@pytest.mark.parametrize(
    ("algo", "view", "kwargs", "shaping"),
    [
        (PPO, "vector", {}, Shaping("bonus")),
        (PPO, "vector", {"env_reward": "replace", "every": 3}, Shaping("potential", gamma=0.9)),
        (PPO, "dict", {}, Shaping("bonus")),
        (A2C, "vector", {"every": 2}, Shaping("bonus")),
    ],
)
def test_the_rewards_and_the_policy_are_the_same(algo, view, kwargs, shaping) -> None:
    policy = "MultiInputPolicy" if view == "dict" else "MlpPolicy"
    prompt, expected = trained(algo, VecMonitor(DenseVecReward(tapped(view), reward(shaping), **kwargs)), policy)
    late, got = trained(algo, VecMonitor(LateVecReward(tapped(view), reward(shaping), **kwargs)), policy)
    assert len(got) == 3
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)
        assert (other != 0).any()
    for name, value in prompt.policy.state_dict().items():
        torch.testing.assert_close(late.policy.state_dict()[name], value, rtol=1e-4, atol=1e-5)


def test_it_tells_what_share_was_credited_in_the_episodes_that_ended() -> None:
    venv = LateVecReward(tapped("vector"), reward())
    venv.seed(0)
    venv.reset()
    prompt = DenseVecReward(tapped("vector"), reward())
    prompt.seed(0)
    prompt.reset()
    expected, paid = [], []
    for actions in np.random.default_rng(0).choice(2, (70, 3), p=[0.3, 0.7]):
        venv.step(actions)
        _, _, dones, infos = prompt.step(actions)
        paid.append([info["car/shaped"] for info in infos])
        expected += [infos[index]["car/credited"] / 2 for index in np.flatnonzero(dones)]
    np.testing.assert_allclose(venv.collect(), paid)
    assert venv.credited() == expected
    assert venv.credited() == []
    assert 0 < np.mean(expected) < 1


def test_a_new_beginning_drops_what_was_not_collected() -> None:
    venv = LateVecReward(tapped("vector"), reward())
    venv.reset()
    for _ in range(40):
        venv.step(np.ones(3, int))
    venv.reset()
    for _ in range(5):
        venv.step(np.ones(3, int))
    assert venv.collect().shape == (5, 3)


def test_only_what_nobody_needs_at_once_is_late() -> None:
    settings = TrainSettings()
    assert can_be_late(reward(), settings)
    assert not can_be_late(chain(), settings)
    for changed in (
        {"observe_milestones": True},
        {"hierarchical": True},
        {"algo": "dqn"},
    ):
        assert not can_be_late(reward(), dataclasses.replace(settings, **changed))
    with pytest.raises(UserError, match="cannot be worked out later"):
        LateVecReward(tapped("vector"), reward(), observe_milestones=True)


def test_a_model_without_such_environments_is_left_alone() -> None:
    model = PPO("MlpPolicy", DenseVecReward(tapped("vector"), reward()), n_steps=16, batch_size=48, device="cpu")
    before = model.rollout_buffer
    assert follow(model) is None
    assert model.rollout_buffer is before
    assert late_in(None) is None
