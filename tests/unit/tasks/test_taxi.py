"""The Taxi task: its camera and its expert."""

import cv2
import gymnasium as gym
import numpy as np
import pytest

from car.errors import BadFrame, BadTask
from car.tasks import find_task
from car.tasks.taxi import HalfCamera, plan
from car.truth import truth_for


@pytest.mark.parametrize("seed", [0, 3, 8])
def test_the_expert_takes_a_shortest_way(seed: int) -> None:
    task = find_task("taxi")
    env = task.make_env()
    observation, _ = env.reset(seed=seed)
    act, steps, terminated = task.make_expert(env), 0, False
    while not terminated:
        observation, reward, terminated, truncated, info = env.step(act(observation))
        assert not truncated
        steps += 1
    env.close()
    assert task.succeeded(float(reward), terminated, info)
    # At most 8 + 8 moves in the 5 x 5 grid with its walls, one pick-up, one drop-off.
    assert 4 <= steps <= 20


def test_the_truth_comes_in_order_and_ends_with_success() -> None:
    task = find_task("taxi")
    env = task.make_env()
    observation, _ = env.reset(seed=1)
    act, terminated, seen = task.make_expert(env), False, [[each.holds(env) for each in truth_for("taxi")]]
    while not terminated:
        observation, _, terminated, _, _ = env.step(act(observation))
        seen.append([each.holds(env) for each in truth_for("taxi")])
    env.close()
    taken_in, set_down = zip(*seen, strict=True)
    assert seen[0] == [False, False]
    assert taken_in.index(True) < set_down.index(True) == len(seen) - 1


def test_the_camera_halves_the_picture() -> None:
    task = find_task("taxi")
    env = task.make_env()
    observation, _ = env.reset(seed=0)
    frame = HalfCamera()(env, observation)
    assert frame.shape == (228, 268, 3)
    assert (frame == cv2.resize(np.asarray(env.render()), (268, 228), interpolation=cv2.INTER_AREA)).all()
    env.close()


def test_wrong_environments_are_said() -> None:
    with pytest.raises(BadTask, match="no transition table"):
        plan(gym.make("CartPole-v1"))
    rainy = gym.make("Taxi-v4", is_rainy=True)
    rainy.reset(seed=0)
    with pytest.raises(BadTask, match="without is_rainy"):
        plan(rainy)
    blind = gym.make("Taxi-v4", render_mode="ansi")
    blind.reset(seed=0)
    with pytest.raises(BadFrame):
        HalfCamera()(blind, None)
