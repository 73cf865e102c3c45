import numpy as np
import pytest

from car.clip.figures import epic_distance, precision_recall
from car.rewards.clip.agreement import roc_auc

_CHANCE = np.random.default_rng(0)


def _random(count: int) -> tuple[np.ndarray, np.ndarray]:
    labels = _CHANCE.random(count) < 0.3
    labels[:2] = True, False
    return _CHANCE.normal(size=count).round(1) + labels, labels


@pytest.mark.parametrize("count", [5, 40, 300])
def test_roc_auc_is_the_share_of_pairs_in_the_right_order(count: int) -> None:
    scores, labels = _random(count)
    pairs = [(high > low) + 0.5 * (high == low) for high in scores[labels].tolist() for low in scores[~labels].tolist()]
    assert roc_auc(scores, labels) == pytest.approx(np.mean(pairs), abs=1e-12)


def test_roc_auc_of_a_perfect_and_of_a_reversed_score() -> None:
    labels = np.array([False, True, True])
    assert roc_auc(np.array([0.0, 1.0, 2.0]), labels) == 1.0
    assert roc_auc(np.array([2.0, 1.0, 0.0]), labels) == 0.0


def test_epic_distance_is_half_the_distance_of_standardised_rewards() -> None:
    """Another way to the same: D = ||z(R) - z(goal)|| / (2 sqrt(n)), z of mean 0 and variance 1."""
    scores, labels = _random(200)
    standard = [(each - each.mean()) / each.std() for each in (scores, labels.astype(float))]
    other = np.linalg.norm(standard[0] - standard[1]) / (2 * np.sqrt(len(scores)))
    assert epic_distance(scores, labels) == pytest.approx(other, abs=1e-12)


def test_epic_distance_of_the_label_its_opposite_and_nothing() -> None:
    labels = np.array([True, False, False])
    assert epic_distance(labels.astype(float) * 3 - 1, labels) == pytest.approx(0.0, abs=1e-7)
    assert epic_distance(-labels.astype(float), labels) == pytest.approx(1.0)
    assert epic_distance(np.zeros(3), labels) == pytest.approx(np.sqrt(0.5))


@pytest.mark.parametrize("beta", [-1.0, -0.05, 0.0, 0.3, 1.0, 5.0])
def test_precision_and_recall_at_a_beta_are_those_that_are_counted(beta: float) -> None:
    scores, labels = _random(100)
    said = scores > beta
    precision, recall = precision_recall(scores, labels).at(beta)
    assert recall == pytest.approx((said & labels).sum() / labels.sum())
    assert precision == (pytest.approx((said & labels).sum() / said.sum()) if said.any() else None)


def test_average_precision_of_a_perfect_score_is_one_and_of_a_constant_the_share() -> None:
    labels = np.array([True, False, True, False])
    assert precision_recall(labels.astype(float), labels).average_precision == 1.0
    assert precision_recall(np.zeros(4), labels).average_precision == 0.5


def test_no_score_passes_a_beta_that_it_equals() -> None:
    assert precision_recall(np.array([0.5, 0.2]), np.array([True, False])).at(0.5) == (None, 0.0)
