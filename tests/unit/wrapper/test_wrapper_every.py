"""A reward that looks at each k-th step pays what it would have paid, as far as it can see."""

import numpy as np
import pytest
from hallway import CELLS, Corridor, TableReward, chain
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.vec_env import DummyVecEnv

from car.errors import UserError
from car.milestones import Shaping
from car.wrapper import DenseReward, DenseVecReward, FrameTap

GAMMA = 0.8


def episode(env: DenseReward, rng: np.random.Generator) -> tuple[list[float], list[int], bool]:
    """What one episode of random steps pays without the environment's reward, its cells, whether it terminated."""
    env.reset(seed=int(rng.integers(1000)))
    shaped, cells, ended, terminated = [], [env.unwrapped.cell], False, False
    while not ended:
        _, _, terminated, truncated, info = env.step(int(rng.random() < 0.6))
        shaped.append(info["car/shaped"])
        cells.append(env.unwrapped.cell)
        ended = terminated or truncated
    return shaped, cells, terminated


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(0, 1000), st.booleans())
def test_the_discounted_sum_of_a_potential_telescopes_however_seldom_one_looks(every, seed, monotone) -> None:
    rng = np.random.default_rng(seed)
    table = rng.choice([0.0, 0.3, 0.8, 1.0], (3, CELLS, 3))
    shaping = Shaping("potential", gamma=GAMMA, scale=3.0, monotone_progress=monotone)
    reward = TableReward(table, [[], [0], [0]], shaping)
    env = DenseReward(Corridor(max_steps=10), reward, every=every)
    shaped, cells, terminated = episode(env, rng)
    start = env.unwrapped.start
    looked = [time for time in range(1, len(cells)) if time % every == 0 or time == len(cells) - 1]
    assert all(shaped[time - 1] == 0 for time in range(1, len(cells)) if time not in looked)
    # What an episode says of the frames that were looked at, as if nothing lay between them.
    close = reward.episode()
    close.start(table[start, cells[0]])
    first = phi = close._phi
    for time in looked:
        close.step(table[start, cells[time]], terminated and time == looked[-1], False)
        phi = close._phi
    total = sum(GAMMA**time * each for time, each in enumerate(shaped))
    assert total == pytest.approx(3.0 * (GAMMA ** len(shaped) * phi - first))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(0, 1000), st.sampled_from(["potential", "bonus"]))
def test_the_vectorised_twin_looks_and_pays_like_the_single_one(every, seed, kind) -> None:
    shaping = Shaping(kind, gamma=GAMMA)
    lengths = (3, 7, 10)
    makers = [lambda length=length: FrameTap(Corridor("vector", length)) for length in lengths]
    venv = DenseVecReward(DummyVecEnv(makers), chain(shaping), observe_milestones=True, every=every)
    alone = [
        DenseReward(Corridor("vector", length), chain(shaping), observe_milestones=True, every=every)
        for length in lengths
    ]
    venv.seed(seed)
    venv.reset()
    for index, env in enumerate(alone):
        env.reset(seed=seed + index)
    for actions in np.random.default_rng(seed).choice(2, (25, 3), p=[0.3, 0.7]):
        observations, paid, dones, infos = venv.step(actions)
        for index, env in enumerate(alone):
            observation, reward, terminated, truncated, info = env.step(actions[index])
            assert paid[index] == pytest.approx(reward, abs=1e-6)
            assert infos[index]["car/milestones"] == info["car/milestones"]
            if terminated or truncated:
                np.testing.assert_array_equal(infos[index]["terminal_observation"], observation)
                observation, _ = env.reset()
            assert dones[index] == (terminated or truncated)
            np.testing.assert_array_equal(observations[index], observation)


def test_nothing_is_rendered_in_between() -> None:
    taken = []

    def camera(env, observation):
        taken.append(env.unwrapped.time)
        return env.render()

    venv = DenseVecReward(DummyVecEnv([lambda: FrameTap(Corridor(max_steps=1000), camera)] * 4), chain(), every=10)
    venv.reset()
    for _ in range(25):
        venv.step(np.zeros(4, int))
    assert taken == [time for time in (0, 10, 20) for _ in range(4)]


def test_environments_without_a_tap_are_refused_at_once() -> None:
    with pytest.raises(UserError, match="wrap each one in FrameTap"):
        DenseVecReward(DummyVecEnv([Corridor]), chain(), every=2)
