"""Interquartile means and their intervals."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from car.bench import Estimate, estimate, estimate_ratio, interquartile_mean

NEVER = math.inf


def test_the_interquartile_mean_of_five_is_that_of_the_middle_three() -> None:
    assert float(interquartile_mean(np.array([1000.0, 2.0, 3.0, 7.0, -50.0]))) == 4.0


def test_one_run_that_never_gets_there_is_cut_away_and_two_are_not() -> None:
    assert estimate([10, 20, 30, 40, NEVER]).value == 30.0
    assert estimate([10, 20, 30, NEVER, NEVER]).value == NEVER
    assert estimate([10, 20, 30, 40, NEVER]).high == NEVER


def test_an_interval_is_around_the_value_and_the_same_each_time() -> None:
    values = [57.0, 73.0, 61.0, 66.0, 90.0]
    found = estimate(values)
    assert min(values) <= found.low < found.value < found.high <= max(values)
    assert estimate(values) == found


@pytest.mark.parametrize("values", [[0.9], [0.9, 0.7]])
def test_of_one_or_two_seeds_there_is_no_interval(values: list[float]) -> None:
    found = estimate(values)
    assert (found.value, found.low, found.high) == (pytest.approx(np.mean(values)), None, None)
    ratio = estimate_ratio(values, values)
    assert ratio == Estimate(1.0, None, None)


def test_it_covers_the_true_value_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(3)
    draws = [estimate(chance.normal(10.0, 1.0, 20).tolist()) for _ in range(60)]
    covered = sum(each.low <= 10.0 <= each.high for each in draws)
    # A percentile bootstrap of 20 values is somewhat too narrow; far off would be a mistake.
    assert 50 <= covered <= 60


def test_nothing_cannot_be_estimated() -> None:
    with pytest.raises(ValueError, match="no value"):
        estimate([])


def test_a_ratio_of_equal_runs_is_one_whatever_seeds_are_drawn() -> None:
    values = [57.0, 73.0, 61.0, 66.0, 90.0]
    assert estimate_ratio(values, values) == Estimate(1.0, 1.0, 1.0)


def test_seeds_are_drawn_together() -> None:
    values = [57.0, 73.0, 61.0, 66.0, 90.0]
    apart = [66.0, 57.0, 90.0, 73.0, 61.0]
    found = estimate_ratio(values, apart)
    assert found is not None
    assert found.value == 1.0
    assert found.low is not None
    assert found.high is not None
    assert found.low < 1.0 < found.high
    with pytest.raises(ValueError, match="inhomogeneous"):
        estimate_ratio(values, values[:3])


def test_a_ratio_with_runs_that_never_got_there() -> None:
    some = [10.0, 20.0, 30.0, 40.0, 50.0]
    above = estimate_ratio([NEVER] * 5, some)
    below = estimate_ratio(some, [NEVER] * 5)
    assert above is not None
    assert above.value == above.low == NEVER
    assert below is not None
    assert below.value == 0.0
    assert estimate_ratio([NEVER] * 3, [NEVER] * 3) is None


@example([87381.68400095843, NEVER, NEVER])
@given(st.lists(st.floats(0.0, 1e6) | st.just(NEVER), min_size=3, max_size=9))
def test_bounds_enclose_the_value_whatever_the_runs(values: list[float]) -> None:
    found = estimate(values)
    assert not math.isnan(found.value)
    # The mean of equal numbers may differ from them in the last digit.
    slack = 1e-9 * max((each for each in values if math.isfinite(each)), default=0.0)
    assert min(values) - slack <= found.low <= found.high <= max(values) + slack
