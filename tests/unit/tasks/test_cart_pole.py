"""The cart and pole: what it changes of Gymnasium's, when it was a success, and its expert."""

import math
import subprocess
import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from car.errors import BadTask
from car.task import Env, Policy
from car.tasks import find_task
from car.tasks.cart_pole import LENGTH, CartPoleUpright, Kept, balance
from car.tasks.mountain_car import QuarterCamera

TASK = find_task("cartpole-upright")


def _made(**kwargs: Any) -> Env:
    return gym.make(TASK.env_id, **kwargs)


def _played(env: Env, act: Policy, seed: int) -> tuple[list[bool], list[float], list[np.ndarray]]:
    """What each step said of success, its reward and its observation."""
    observation, _ = env.reset(seed=seed)
    said, rewards, seen, truncated = [], [], [], False
    while not truncated:
        observation, reward, terminated, truncated, info = env.step(act(observation))
        assert not terminated
        assert env.observation_space.contains(observation)
        said.append(TASK.succeeded(float(reward), terminated, info))
        rewards.append(float(reward))
        seen.append(observation)
    return said, rewards, seen


def _at(position: float, angle: float, velocity: float = 0.0) -> CartPoleUpright:
    world = CartPoleUpright()
    world.reset(seed=0)
    world.state = np.array([position, velocity, angle, 0.0])
    return world


def test_the_expert_succeeds_at_the_last_step_and_never_before() -> None:
    env = _made()
    for seed in range(20):
        said, rewards, _ = _played(env, balance(env), seed)
        assert said == [False] * (LENGTH - 1) + [True]
        assert rewards == [1.0] * LENGTH


def test_random_actions_never_succeed() -> None:
    env = _made()
    env.action_space.seed(0)
    returns = list[float]()
    for seed in range(100):
        said, rewards, _ = _played(env, lambda observation: env.action_space.sample(), seed)
        assert len(said) == LENGTH
        assert not any(said)
        returns.append(sum(rewards))
    assert np.mean(returns) < LENGTH / 4


def test_the_cart_stops_at_the_end_and_the_angle_stays_within_half_a_turn() -> None:
    env = _made()
    _, rewards, seen = _played(env, lambda observation: 1, seed=0)
    path = np.array(seen)
    assert path[:, 0].max() == np.float32(2.4)
    assert abs(path[:, 2]).max() <= np.float32(math.pi)
    assert (path[-50:, 0] == np.float32(2.4)).all()
    assert rewards[-50:] == [0.0] * 50


@pytest.mark.parametrize(
    ("position", "angle", "upright"),
    [
        (0.0, 0.0, True),
        (0.0, math.radians(11.9), True),
        (0.0, math.radians(-12.1), False),
        (2.39, 0.0, True),
        (2.4, 0.0, False),
        (0.0, math.pi, False),
    ],
)
def test_upright_is_within_12_degrees_and_inside_the_track(position: float, angle: float, upright: bool) -> None:
    assert _at(position, angle).upright is upright


def test_a_pole_that_turns_past_straight_down_comes_up_on_the_other_side() -> None:
    world = _at(0.0, math.pi - 0.001)
    world.state[3] = 1.0
    observation, reward, terminated, _, _ = world.step(0)
    assert observation[2] == pytest.approx(-math.pi + 0.019, abs=1e-3)
    assert (reward, terminated) == (0.0, False)


@pytest.mark.parametrize(
    ("lost", "success"), [([], True), ([0], True), ([4], True), ([5], False), ([7], False), ([9], False)]
)
def test_a_success_is_what_held_in_the_second_half_throughout(lost: list[int], success: bool) -> None:
    kept = Kept(10)
    said = [kept.success(step not in lost) for step in range(10)]
    assert said == [False] * 9 + [success]


def test_each_episode_is_judged_for_itself() -> None:
    env = _made()
    assert not any(_played(env, lambda observation: 0, seed=0)[0])
    assert _played(env, balance(env), seed=0)[0][-1]


@pytest.mark.parametrize(("start", "least", "most"), [("hanging", 3.09, math.pi), ("upright", 0.0, 0.05)])
def test_a_start_says_where_the_pole_is_at_first(start: str, least: float, most: float) -> None:
    env = _made(start=start)
    for seed in range(20):
        observation, _ = env.reset(seed=seed)
        assert env.observation_space.contains(observation)
        assert least <= abs(observation[2]) <= np.float32(most)


def test_anywhere_is_anywhere_and_the_same_for_the_same_seed() -> None:
    env = _made(start="anywhere")
    angles = [env.reset(seed=seed)[0][2] for seed in range(40)]
    assert min(angles) < -2
    assert max(angles) > 2
    assert env.reset(seed=7)[0][2] == angles[7]


def test_an_unknown_start_is_said() -> None:
    with pytest.raises(ValueError, match="start = 'lying' must be one of upright, hanging, anywhere"):
        CartPoleUpright(start="lying")


def test_a_near_upright_start_is_gymnasiums_own() -> None:
    assert np.array_equal(_made().reset(seed=3)[0], gym.make("CartPole-v1").reset(seed=3)[0])


def test_at_the_end_of_the_track_half_of_the_cart_is_in_the_picture() -> None:
    env, black = TASK.make_env(), []
    env.reset(seed=0)
    for position in (0.0, 2.4, -2.4):
        env.unwrapped.state = np.array([position, 0.0, 0.0, 0.0])  # type: ignore[attr-defined]
        frame = QuarterCamera()(env, None)
        assert frame.shape == (100, 150, 3)
        black.append(int((frame.max(axis=2) < 40).sum()))
    env.close()
    assert black[1] == pytest.approx(black[0] / 2, rel=0.2)
    assert black[2] == pytest.approx(black[0] / 2, rel=0.2)


@pytest.mark.parametrize("name", ["MountainCar-v0", "Acrobot-v1"])
def test_another_environment_is_said(name: str) -> None:
    with pytest.raises(BadTask, match="balances the pole of CartPole only"):
        balance(gym.make(name))


def test_the_prompts_are_those_of_the_paper() -> None:
    assert TASK.goal_prompt == "pole vertically upright on top of the cart"
    assert TASK.baseline_prompt == "pole and cart"


def test_gymnasium_alone_finds_the_environment_by_its_id() -> None:
    program = (
        "import gymnasium as gym; env = gym.make('car.tasks.cart_pole:CartPoleUpright-v0', render_mode='rgb_array'); "
        "env.reset(seed=0); assert env.render().shape == (400, 600, 3)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
