"""When sub-tasks are credited: once, and only after those they depend on."""

from collections.abc import Sequence

import numpy as np

from car.checker import Checker


def prerequisites(checkers: Sequence[Checker]) -> list[list[int]]:
    """For each checker the indices of those that must come before it; sub-tasks without a checker are left out."""
    names = [each.subtask.name for each in checkers]
    return [[names.index(name) for name in each.subtask.after if name in names] for each in checkers]


def credited(done: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], after: Sequence[Sequence[int]]) -> list[int | None]:
    """When each sub-task is credited: the first time at which it is done and those before it have been credited.

    Args:
        done: what the checkers said, bool, shape (T+1, k).
        after: for each sub-task the indices, all smaller than its own, of those that must come before it.
    """
    times: list[int | None] = []
    for index, before in enumerate(after):
        earliest = [times[each] for each in before]
        if any(each is None for each in earliest):
            times.append(None)
            continue
        start = max((each for each in earliest if each is not None), default=0)
        hits = np.flatnonzero(done[start:, index])
        times.append(start + int(hits[0]) if len(hits) else None)
    return times
