"""Right programs for the continuous mountain car, written by hand.

The body of the car is the only thing that is nearly black. Its middle moves with the position, 83 pixels a unit.
"""

from tests.planted.right_minigrid import Step

_LOOK = """
import numpy as np


def car_at(frame):
    # The column of the middle of the car's body; None on what is no picture of the track.
    body = frame.max(axis=2) < 60
    flag = (frame[:, :, 2] < 100) & (frame[:, :, 0] > 180)
    if not 20 <= body.sum() <= 45 or not 5 <= flag.sum() <= 60:
        return None
    return np.nonzero(body)[1].mean()
"""

_SWUNG_LEFT = (
    _LOOK
    + """

def check(found, current):
    column = car_at(current)
    return column is not None and bool(column <= 38.75)
"""
)

_AT_THE_FLAG = (
    _LOOK
    + """

def check(found, current):
    column = car_at(current)
    return column is not None and bool(column >= 136.7)


def progress(found, current):
    column, start = car_at(current), car_at(found)
    if column is None or start is None:
        return 0.0
    return min(1.0, max(0.0, (column - start) / (136.7 - start)))
"""
)

STEPS: tuple[Step, ...] = (
    ("car-up-on-the-left", "The car has swung high up on the left slope.", _SWUNG_LEFT),
    ("car-at-the-flag", "The car has reached the flag on the right hill.", _AT_THE_FLAG),
)
"""The sub-tasks of the mountain car, in order, under the names that the truth gives them."""
