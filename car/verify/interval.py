"""How sure a share is that was counted on a few trajectories."""

from collections.abc import Callable

INTERVAL = 0.95
"""The confidence of the intervals that a verdict shows where nobody asks for another."""

_MOST = 100_000


def clopper_pearson(hits: int, total: int, confidence: float = INTERVAL) -> tuple[float, float]:
    """The exact interval for a share (Clopper and Pearson, Biometrika 26, 1934), two-sided.

    Args:
        hits: how many of them had it, 0 to `total`.
        total: how many were looked at; for none, the interval is (0, 1).
        confidence: at least this share of such intervals holds the true value, 0 < confidence < 1.

    Raises:
        ValueError: numbers out of their range.
    """
    if not 0 <= hits <= total or not 0.0 < confidence < 1.0:
        raise ValueError(f"hits = {hits}, total = {total}, confidence = {confidence}")
    # Half of a start of the command line would go into this import.
    from scipy.special import betaincinv

    tail = (1.0 - confidence) / 2.0
    low = float(betaincinv(hits, total - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, total - hits, 1.0 - tail)) if hits < total else 1.0
    return low, high


def more_until(settled: Callable[[int, int], bool], hits: int, total: int) -> int | None:
    """How many more are needed until a question is settled, if the share stays what it is.

    Args:
        settled: whether it would be, of (hits, total); once settled by a share, it stays so with more of the same.
        hits: how many had it so far; rounded to the nearest whole number as the total grows.
        total: how many were looked at so far.

    Returns:
        The smallest number, or None where even 100,000 would not do.
    """

    def would(total_then: int) -> bool:
        return settled(round(hits * total_then / total) if total else 0, total_then)

    step = 1
    while step < _MOST and not would(total + step):
        step *= 2
    if step >= _MOST:
        return None
    # Rounding makes it a little uneven near the limit, so the last stretch is walked.
    return next(more for more in range(max(step // 2, 1), step + 1) if would(total + more))
