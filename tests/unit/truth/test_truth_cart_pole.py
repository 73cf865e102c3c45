"""The ground truth of the cart and pole: a state that is kept, on episodes of the expert and of random actions."""

import numpy as np
import pytest

from car.tasks import find_task
from car.truth import truth_for

TASK = find_task("cartpole-upright")


def _held(seed: int, expert: bool) -> tuple[list[bool], list[float], bool]:
    """Whether the pole was upright at each frame, the rewards, and whether the episode was a success."""
    (upright,) = truth_for(TASK.name)
    env = TASK.make_env()
    observation, _ = env.reset(seed=seed)
    env.action_space.seed(seed)
    held, rewards, truncated, success = [upright.holds(env)], list[float](), False, False
    act = TASK.make_expert(env)
    while not truncated:
        action = act(observation) if expert else env.action_space.sample()
        observation, reward, terminated, truncated, info = env.step(action)
        held.append(upright.holds(env))
        rewards.append(float(reward))
        success = TASK.succeeded(float(reward), terminated, info)
    env.close()
    return held, rewards, success


@pytest.mark.parametrize("seed", [0, 1, 9])
def test_the_expert_keeps_it_upright_from_the_first_frame_to_the_last(seed: int) -> None:
    held, _, success = _held(seed, expert=True)
    assert len(held) == 201
    assert all(held)
    assert success


@pytest.mark.parametrize("seed", [0, 1, 9])
def test_under_random_actions_it_holds_at_first_and_not_for_long(seed: int) -> None:
    held, rewards, success = _held(seed, expert=False)
    assert held[0]
    assert not all(held[100:])
    assert not success
    assert [float(each) for each in held[1:]] == rewards


def test_a_cart_at_the_end_of_the_track_is_not_inside() -> None:
    (upright,) = truth_for(TASK.name)
    env = TASK.make_env()
    env.reset(seed=0)
    assert upright.name == "pole-upright"
    env.unwrapped.state = np.array([2.4, 0.0, 0.0, 0.0])  # type: ignore[attr-defined]
    assert not upright.holds(env)
    env.close()
