"""The continuous mountain car: its camera and its expert."""

import cv2
import gymnasium as gym
import numpy as np
import pytest

from car.errors import BadFrame, BadTask
from car.tasks import find_task
from car.tasks.mountain_car import QuarterCamera, pump


@pytest.mark.parametrize("seed", [0, 3, 8])
def test_the_expert_reaches_the_flag_in_well_under_the_limit(seed: int) -> None:
    task = find_task("mountaincar-continuous")
    env = task.make_env()
    observation, _ = env.reset(seed=seed)
    act, steps, terminated = task.make_expert(env), 0, False
    while not terminated:
        action = act(observation)
        assert env.action_space.contains(action)
        observation, reward, terminated, truncated, info = env.step(action)
        assert not truncated
        steps += 1
    env.close()
    assert task.succeeded(float(reward), terminated, info)
    assert steps <= 120


def test_an_episode_ends_after_300_steps_and_idling_is_no_success() -> None:
    task = find_task("mountaincar-continuous")
    env = task.make_env()
    env.reset(seed=0)
    steps, truncated = 0, False
    while not truncated:
        _, reward, terminated, truncated, info = env.step(np.zeros(1, np.float32))
        assert not task.succeeded(float(reward), terminated, info)
        steps += 1
    env.close()
    assert steps == 300


def test_the_camera_takes_a_quarter_of_the_picture() -> None:
    task = find_task("mountaincar-continuous")
    env = task.make_env()
    observation, _ = env.reset(seed=0)
    frame = QuarterCamera()(env, observation)
    assert frame.shape == (100, 150, 3)
    assert (frame == cv2.resize(np.asarray(env.render()), (150, 100), interpolation=cv2.INTER_AREA)).all()
    env.close()


@pytest.mark.parametrize("name", ["MountainCar-v0", "Pendulum-v1"])
def test_another_environment_is_said(name: str) -> None:
    with pytest.raises(BadTask, match="continuous mountain car only"):
        pump(gym.make(name))


def test_an_environment_that_cannot_be_drawn_is_said() -> None:
    blind = gym.make("MountainCarContinuous-v0", render_mode=None)
    blind.reset(seed=0)
    with pytest.warns(UserWarning, match="render"), pytest.raises(BadFrame):
        QuarterCamera()(blind, None)
