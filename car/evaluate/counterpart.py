"""Which true predicate a sub-task means: the VLM chose its own names.

Compared are the times at which each is first true, because a reward pays a sub-task once. Frame by frame, "the key has
left its place" would look more like "the door is open" than like "the agent holds the key", as soon as the key is put
down again. Each program is taken by itself: another one, which must come first, may be the wrong one.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from car.evaluate.episodes import FreshEpisode

NEAR = 4
"""First times that are so many steps apart, or more, have nothing to do with each other."""

LEAST_AGREEMENT = 0.5
"""A sub-task whose best agreement is below this has no counterpart."""


def agreements(episodes: Sequence[FreshEpisode]) -> NDArray[np.float64]:
    """How well the first times of each checker agree with those of each predicate: F1 over the episodes, (k, m).

    A first time of both in one episode is a hit, but counts a quarter less for each step between them. A share of hits
    on the same frame alone would call a program that is always one step late a program for nothing; the time after
    the first one would call "beside the key" a program for "holds the key" in long episodes.
    """
    hits = np.zeros((episodes[0].done.shape[1], episodes[0].truth.shape[1]))
    said, held = np.zeros(hits.shape[0]), np.zeros(hits.shape[1])
    for each in episodes:
        done, truth = _first(each.done), _first(each.truth)
        apart = abs(done[:, None] - truth[None, :])
        hits += np.clip(1.0 - np.nan_to_num(apart, nan=NEAR) / NEAR, 0.0, 1.0)
        said += ~np.isnan(done)
        held += ~np.isnan(truth)
    total = said[:, None] + held[None, :]
    return np.divide(2.0 * hits, total, out=np.zeros_like(hits), where=total > 0)


def _first(columns: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The first time at which each column is true, NaN where never."""
    return np.where(columns.any(axis=0), columns.argmax(axis=0), np.nan)


def counterparts(agreement: NDArray[np.float64], fixed: Mapping[int, int]) -> list[int | None]:
    """For each checker its predicate, or None.

    The best agreement of all is settled first, then the best of what is left. A predicate is given away once: a
    sub-task just before another one would else be taken for the same, and be blamed for coming early.

    Args:
        agreement: (k, m).
        fixed: the predicate of checkers for which nothing needs to be found; nobody else gets these predicates.
    """
    chosen: list[int | None] = [fixed.get(checker) for checker in range(len(agreement))]
    left = agreement.copy()
    left[list(fixed), :] = -1.0
    left[:, list(fixed.values())] = -1.0
    while left.size and left.max() >= LEAST_AGREEMENT:
        checker, predicate = (int(each) for each in np.unravel_index(left.argmax(), left.shape))
        chosen[checker] = predicate
        left[checker, :] = left[:, predicate] = -1.0
    return chosen
