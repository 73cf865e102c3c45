"""Interquartile means and bootstrap intervals over seeds, as Agarwal et al. (2021, arXiv 2108.13264) recommend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import trim_mean

RESAMPLES = 5000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """The interquartile mean over seeds, with a percentile bootstrap interval.

    Infinity stands for "not within the budget", so that a run that never got there counts as worse than every other.

    Args:
        value: the interquartile mean.
        low: the lower end of the interval.
        high: the upper end.
    """

    value: float
    low: float
    high: float


def interquartile_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of the middle half, along the last axis; of 5 values, that of the middle three."""
    # Infinities cut away are no trouble; those that remain make the mean infinite, as they should.
    mean: NDArray[np.float64] = trim_mean(values, 0.25, axis=-1)
    return mean


def estimate(values: Sequence[float]) -> Estimate:
    """The interquartile mean of one number for each seed, with its interval.

    Raises:
        ValueError: there is no number.
    """
    table = np.asarray(values, np.float64)
    resampled = _resampled(table)
    return _estimate(interquartile_mean(table), resampled)


def estimate_ratio(values: Sequence[float], others: Sequence[float]) -> Estimate | None:
    """The ratio of two interquartile means; the seeds of each are resampled apart from those of the other.

    Returns:
        None where both are infinite, so that their ratio says nothing.
    """
    above, below = np.asarray(values, np.float64), np.asarray(others, np.float64)
    value = interquartile_mean(above), interquartile_mean(below)
    if np.isinf(value).all():
        return None
    with np.errstate(invalid="ignore"):
        ratios = _resampled(above) / _resampled(below, seed=1)
    return _estimate(value[0] / value[1], ratios[~np.isnan(ratios)])


def _estimate(value: NDArray[np.float64], resampled: NDArray[np.float64]) -> Estimate:
    tail = (1 - LEVEL) / 2
    # Between two resamples nothing is interpolated: one of them may be infinite.
    low = np.quantile(resampled, tail, method="lower")
    high = np.quantile(resampled, 1 - tail, method="higher")
    return Estimate(float(value), float(low), float(high))


def _resampled(values: NDArray[np.float64], seed: int = 0) -> NDArray[np.float64]:
    """Interquartile means of draws with replacement, (RESAMPLES,); the same ones each time."""
    if not len(values):
        raise ValueError("There is no value to estimate from.")
    drawn = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    return interquartile_mean(values[drawn])
