"""What the training agent sees."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from car.errors import BadTask
from car.tasks import find_task
from car.tasks.grid_view import SymbolicView, symbolic


def test_the_view_is_minigrids_scaled_and_channels_first():
    env = symbolic(find_task("doorkey-6x6").make_env())
    observation, _ = env.reset(seed=0)
    image = env.unwrapped.gen_obs()["image"]
    assert observation.shape == (3, 7, 7)
    assert observation.dtype == np.float32
    for channel in range(3):
        assert np.array_equal(np.rint(observation[channel] * 10), image[:, :, channel])


def test_every_view_lies_in_the_space():
    env = symbolic(find_task("blockedunlockpickup").make_env())
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(300):
        observation, _, terminated, truncated, _ = env.step(int(rng.integers(6)))
        assert env.observation_space.contains(observation)
        if terminated or truncated:
            env.reset()


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version:UserWarning")
def test_the_view_passes_gymnasiums_own_check():
    check_env(symbolic(gym.make("MiniGrid-Unlock-v0", disable_env_checker=True)), skip_render_check=True)


def test_the_environment_can_be_made_again_from_its_spec():
    env = symbolic(find_task("doorkey-5x5").make_env())
    again = gym.make(env.spec)
    assert isinstance(again, SymbolicView)
    assert again.observation_space == env.observation_space
    assert np.array_equal(again.reset(seed=5)[0], env.reset(seed=5)[0])


def test_an_environment_without_the_symbolic_image_is_refused():
    with pytest.raises(BadTask, match="MiniGrid's dictionary observation"):
        symbolic(gym.make("CartPole-v1"))
