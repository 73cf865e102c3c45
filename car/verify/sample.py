"""An even choice of frames, for what need not look at all of them."""

from collections.abc import Sequence

import numpy as np

from car.trajectory import Trajectory


def distinct_times(trajectory: Trajectory) -> list[int]:
    """When each distinct frame is first seen, in order."""
    _, first = np.unique(trajectory.order, return_index=True)
    return sorted(first.tolist())


def evenly(values: Sequence[int], most: int) -> list[int]:
    """At most so many of the values, spread evenly, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    return [values[round(place)] for place in np.linspace(0, len(values) - 1, most).tolist()]
