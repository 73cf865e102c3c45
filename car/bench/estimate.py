"""Interquartile means and bootstrap intervals over seeds, as Agarwal et al. (2021, arXiv 2108.13264) recommend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import trim_mean

RESAMPLES = 5000
LEVEL = 0.95
_FEWEST = 3


@dataclass(frozen=True)
class Estimate:
    """The interquartile mean over seeds, with a percentile bootstrap interval.

    Infinity stands for "not within the budget", so that a run that never got there counts as worse than every other.

    Args:
        value: the interquartile mean.
        low: the lower end of the interval; None with fewer than three seeds, of which resamples say nothing.
        high: the upper end, or None.
    """

    value: float
    low: float | None
    high: float | None


def interquartile_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of the middle half, along the last axis: of 5 values, of the middle three; of fewer than 4, of all."""
    # Infinities cut away are no trouble; those that remain make the mean infinite, as they should.
    mean: NDArray[np.float64] = trim_mean(values, 0.25, axis=-1)
    return mean


def estimate(values: Sequence[float]) -> Estimate:
    """The interquartile mean of one number for each seed, with its interval.

    Raises:
        ValueError: there is no number.
    """
    table = _table(values)
    return _estimate(interquartile_mean(table), interquartile_mean(_resampled(table)), len(table))


def estimate_ratio(values: Sequence[float], others: Sequence[float]) -> Estimate | None:
    """The ratio of two interquartile means over the same seeds, which are resampled together.

    Args:
        values: one for each seed.
        others: one for each seed, in the same order.

    Returns:
        None where both are infinite, so that their ratio says nothing.

    Raises:
        ValueError: there is no number, or not the same many of both.
    """
    pairs = _table([values, others])
    above, below = interquartile_mean(pairs)
    if np.isinf([above, below]).all():
        return None
    drawn = interquartile_mean(_resampled(pairs))
    with np.errstate(invalid="ignore"):
        ratios = drawn[0] / drawn[1]
    return _estimate(above / below, ratios[~np.isnan(ratios)], pairs.shape[1])


def _estimate(value: NDArray[np.float64], resampled: NDArray[np.float64], seeds: int) -> Estimate:
    if seeds < _FEWEST:
        return Estimate(float(value), None, None)
    tail = (1 - LEVEL) / 2
    # Between two resamples nothing is interpolated: one of them may be infinite.
    low = np.quantile(resampled, tail, method="lower")
    high = np.quantile(resampled, 1 - tail, method="higher")
    return Estimate(float(value), float(low), float(high))


def _table(values: Sequence[float] | Sequence[Sequence[float]]) -> NDArray[np.float64]:
    table = np.array(values, np.float64)
    if not table.size:
        raise ValueError("There is no value to estimate from.")
    return table


def _resampled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draws of seeds with replacement, (..., n) to (..., RESAMPLES, n); the same ones each time."""
    seeds = values.shape[-1]
    drawn: NDArray[np.float64] = values[..., np.random.default_rng(0).integers(seeds, size=(RESAMPLES, seeds))]
    return drawn
