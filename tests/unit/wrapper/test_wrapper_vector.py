"""`DenseVecReward` does to n environments what `DenseReward` does to each, in one call."""

import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from hallway import CELLS, Corridor, TableReward, chain
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor

from car.errors import BadFrame, UserError
from car.milestones import Shaping
from car.wrapper import DenseReward, DenseVecReward, FrameTap

LENGTHS = (3, 6, 9)


@st.composite
def rewards(draw: st.DrawFn):
    """Makes equal rewards: any signals, any order, either shaping."""
    count = draw(st.integers(1, 4))
    after = [sorted(draw(st.sets(st.integers(0, index - 1)))) if index else [] for index in range(count)]
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    table = rng.choice([0.0, 0.3, 0.8, 1.0, np.nan], (3, CELLS, count), p=[0.3, 0.2, 0.2, 0.2, 0.1])
    shaping = Shaping(draw(st.sampled_from(["potential", "bonus"])), gamma=0.9)
    return lambda: TableReward(table, after, shaping)


def tapped(view: str, lengths=LENGTHS) -> DummyVecEnv:
    return DummyVecEnv([lambda length=length: FrameTap(Corridor(view, length)) for length in lengths])


def same(one, other) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            same(one[key], other[key])
    else:
        np.testing.assert_array_equal(one, other)


def row(observations, index: int):
    if isinstance(observations, dict):
        return {key: value[index] for key, value in observations.items()}
    return observations[index]


@settings(max_examples=40, deadline=None)
@given(
    rewards(),
    st.sampled_from(["vector", "picture", "planes", "dict"]),
    st.booleans(),
    st.sampled_from(["add", "replace"]),
    st.integers(0, 1000),
)
def test_it_is_the_single_wrapper_step_by_step(make, view, observe, env_reward, seed) -> None:
    kwargs = {"env_reward": env_reward, "observe_milestones": observe}
    venv = DenseVecReward(tapped(view), make(), **kwargs)
    alone = [DenseReward(Corridor(view, length), make(), **kwargs) for length in LENGTHS]
    assert venv.observation_space == alone[0].observation_space
    venv.seed(seed)
    observations = venv.reset()
    for index, env in enumerate(alone):
        observation, info = env.reset(seed=seed + index)
        same(row(observations, index), observation)
        assert venv.reset_infos[index] == info
    ends = set()
    for actions in np.random.default_rng(seed).choice(2, (30, len(alone)), p=[0.35, 0.65]):
        observations, paid, dones, infos = venv.step(actions)
        for index, env in enumerate(alone):
            observation, reward, terminated, truncated, info = env.step(actions[index])
            assert paid[index] == pytest.approx(reward, abs=1e-6)
            assert dones[index] == (terminated or truncated)
            if dones[index]:
                same(infos[index].pop("terminal_observation"), observation)
                ends.add("terminated" if terminated else "truncated")
                observation, reset_info = env.reset()
                assert venv.reset_infos[index] == reset_info
            assert infos[index].pop("TimeLimit.truncated") == (truncated and not terminated)
            assert infos[index].keys() == info.keys()
            assert infos[index].pop("car/shaped") == info.pop("car/shaped")
            assert infos[index] == info
            same(row(observations, index), observation)
    assert "truncated" in ends


def test_one_call_scores_all_environments_and_the_first_frames_of_new_episodes() -> None:
    table = np.full((3, CELLS, 2), 0.5)
    reward = TableReward(table, [[], [0]])
    venv = DenseVecReward(tapped("vector", (2, 3, 100)), reward)
    venv.reset()
    for _ in range(3):
        venv.step(np.zeros(3, int))
    assert reward.calls == [3, 3, 3 + 1, 3 + 1]


def test_the_ended_episodes_milestones_are_in_the_terminal_observation_and_the_new_ones_in_the_next() -> None:
    venv = DenseVecReward(tapped("vector", (9,)), chain(), observe_milestones=True)
    observations = venv.reset()
    assert observations[0, 2:].tolist() == [0, 0, 0]
    done = False
    while not done:
        observations, _, (done,), (info,) = venv.step(np.ones(1, int))
    assert info["terminal_observation"][2:].tolist() == [1, 1, 1]
    assert info["car/credited"] == 3
    assert observations[0, 2:].tolist() == [0, 0, 0]


def test_frames_do_not_reach_the_learner() -> None:
    venv = DenseVecReward(tapped("vector"), chain())
    venv.reset()
    for _ in range(8):
        _, _, _, infos = venv.step(np.ones(3, int))
        assert all("car/frame" not in info for info in [*infos, *venv.reset_infos])


def test_environments_without_a_tap_are_refused() -> None:
    venv = DenseVecReward(DummyVecEnv([Corridor]), chain())
    with pytest.raises(UserError, match="wrap each one in FrameTap"):
        venv.reset()


def test_frames_of_another_size_are_refused() -> None:
    with pytest.raises(BadFrame, match=r"8 x 8 pixels, .* of 20 x 16 pixels"):
        DenseVecReward(tapped("vector"), chain(frame_shape=(16, 20, 3))).reset()


def test_it_works_around_processes_and_other_wrappers() -> None:
    makers = [lambda length=length: FrameTap(Corridor("vector", length)) for length in (3, 6)]
    inside = DenseVecReward(VecMonitor(SubprocVecEnv(makers, start_method="forkserver")), chain())
    expected = DenseVecReward(tapped("vector", (3, 6)), chain())
    try:
        for venv in (inside, expected):
            venv.seed(3)
        same(inside.reset(), expected.reset())
        for _ in range(8):
            (seen, paid, dones, infos), wanted = inside.step(np.ones(2, int)), expected.step(np.ones(2, int))
            same(seen, wanted[0])
            same(paid, wanted[1])
            same(dones, wanted[2])
            assert [info["car/credited"] for info in infos] == [info["car/credited"] for info in wanted[3]]
    finally:
        inside.close()


def test_a_learner_trains_on_it() -> None:
    venv = VecMonitor(DenseVecReward(tapped("vector", (20,) * 4), chain(), observe_milestones=True))
    model = PPO("MlpPolicy", venv, n_steps=16, batch_size=32, n_epochs=1, device="cpu", seed=0)
    model.learn(128)
    assert model.num_timesteps == 128
    venv.close()


def test_the_tap_leaves_a_frame_of_its_own_at_reset_and_each_step() -> None:
    env = FrameTap(Corridor("picture"), "observation")
    observation, info = env.reset(seed=0)
    assert info["car/frame"] is not observation
    np.testing.assert_array_equal(info["car/frame"], observation)
    observation, _, _, _, info = env.step(1)
    np.testing.assert_array_equal(info["car/frame"], observation)
    assert isinstance(env, gym.utils.RecordConstructorArgs)


def test_importing_the_wrapper_does_not_import_a_learner() -> None:
    code = "import sys, car.wrapper; print([n for n in ('torch', 'stable_baselines3') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(ImportError):
        from car.wrapper import Nothing  # noqa: F401
