"""The goal's share among negatives, against the formula written out."""

import math

import numpy as np
import pytest

from car.errors import UserError
from car.rewards.clip.softmax import GoalAmongNegatives, sampled_negatives
from tests.unit.rewards.clip.small_clip import units

GOALS = [f"goal {index}" for index in range(20)]


def by_hand(image: np.ndarray, goal: np.ndarray, negatives: np.ndarray, tau: float) -> float:
    """Equation 1, with the exponents shifted so that the largest is 0."""
    exponents = [math.fsum(image * each) / tau for each in (goal, *negatives)]
    shares = [math.exp(each - max(exponents)) for each in exponents]
    return shares[0] / math.fsum(shares)


@pytest.mark.parametrize("tau", [0.005, 0.01, 0.1, 1.0, 50.0])
def test_it_is_the_papers_equation(tau: float) -> None:
    rng = np.random.default_rng(1)
    for negatives in (1, 2, 8):
        goal, others, images = units(rng, 64), units(rng, negatives, 64), units(rng, 10, 64)
        found = GoalAmongNegatives(goal[None], others[:, None], tau)(images)
        expected = [by_hand(image, goal, others, tau) for image in images]
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-300)


def test_the_shares_of_all_goals_sum_to_one() -> None:
    rng = np.random.default_rng(2)
    goals, images = units(rng, 5, 16), units(rng, 30, 16)
    shares = [
        GoalAmongNegatives(goals[index][None], np.delete(goals, index, axis=0)[:, None], 0.05)(images)
        for index in range(len(goals))
    ]
    np.testing.assert_allclose(np.sum(shares, axis=0), 1.0, rtol=1e-12)


def test_a_right_angle_by_hand() -> None:
    goal, negative = np.eye(2)
    found = GoalAmongNegatives(goal[None], negative[None, None], 0.5)(np.eye(2))
    assert found.tolist() == [pytest.approx(1 / (1 + math.exp(-2))), pytest.approx(1 / (1 + math.exp(2)))]


@pytest.mark.parametrize("tau", [1e-6, 1e-300])
def test_a_tiny_temperature_decides_without_overflow(tau: float) -> None:
    goal, negative = np.eye(2)
    between = np.full((1, 2), np.sqrt(0.5))
    found = GoalAmongNegatives(goal[None], negative[None, None], tau)(np.concatenate([np.eye(2), between]))
    assert found.tolist() == [1.0, 0.0, 0.5]


def test_each_goal_is_the_mean_of_its_templates_made_a_unit_vector_again() -> None:
    rng = np.random.default_rng(3)
    goal, others, images = units(rng, 3, 16), units(rng, 4, 3, 16), units(rng, 5, 16)
    means = [each.mean(axis=0) / np.linalg.norm(each.mean(axis=0)) for each in (goal, *others)]
    found = GoalAmongNegatives(goal, others, 0.1)(images)
    expected = [by_hand(image, means[0], np.array(means[1:]), 0.1) for image in images]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("tau", [0.0, -0.01, float("nan"), float("inf")])
def test_a_temperature_that_cannot_be_is_refused(tau: float) -> None:
    with pytest.raises(UserError, match=rf"tau is {tau}; it must be a positive number"):
        GoalAmongNegatives(np.eye(2)[:1], np.eye(2)[1:, None], tau)


def test_without_negatives_it_is_refused() -> None:
    with pytest.raises(UserError, match=r"There are no negatives; a goal alone has all of the softmax"):
        GoalAmongNegatives(np.eye(2)[:1], np.array([]), 0.1)


def test_negatives_are_drawn_once_for_a_seed_and_never_the_goal_or_twice() -> None:
    drawn = sampled_negatives(["goal 3"], [*GOALS, *GOALS], 8, seed=5)
    assert drawn == sampled_negatives(["goal 3"], GOALS, 8, seed=5)
    assert len(set(drawn)) == 8
    seen = set()
    for seed in range(100):
        some = sampled_negatives(["goal 3", "goal 4"], GOALS, 8, seed)
        assert len(set(some)) == len(some) == 8
        assert set(some) <= set(GOALS) - {"goal 3", "goal 4"}
        seen.add(some)
    assert len(seen) > 95
    assert {goal for some in seen for goal in some} == set(GOALS) - {"goal 3", "goal 4"}


def test_what_is_drawn_for_a_seed_stays_so() -> None:
    # Runs are repeated years later: NumPy keeps the stream of `permutation` only as far as this test says.
    assert sampled_negatives(["goal 0"], GOALS, 3, seed=0) == ("goal 3", "goal 11", "goal 4")


def test_fewer_goals_than_asked_for_are_all_drawn() -> None:
    assert set(sampled_negatives(["goal 0"], GOALS[:3], 8, seed=0)) == {"goal 1", "goal 2"}


@pytest.mark.parametrize(("goals", "count"), [([], 3), (["goal 0"], 3), (GOALS, 0), (GOALS, -1)])
def test_nothing_to_draw_is_refused(goals: list[str], count: int) -> None:
    with pytest.raises(UserError, match="There are no negatives"):
        sampled_negatives(["goal 0"], goals, count, seed=0)
