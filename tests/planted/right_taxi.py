"""Right programs for Taxi, written by hand.

The taxi's body is yellow when it is empty and green when the passenger is in it. A passenger who stands where the taxi
is cannot be seen: they are there if the taxi is empty and nobody stands at another landmark.
"""

from tests.planted.right_minigrid import Step

_LOOK = """
import numpy as np

EMPTY, FULL = np.array([232, 196, 88], np.int16), np.array([152, 184, 110], np.int16)
WINDOW, DARK = np.array([198, 224, 242], np.int16), np.array([56, 58, 70], np.int16)
LANDMARKS = ((0, 0), (0, 4), (4, 0), (4, 3))


def near(pixels, colour):
    return np.abs(pixels - colour).max(axis=-1) <= 8


def everywhere(frame, down, across):
    # One pixel of each of the 5 x 5 cells, at the same place in the cell.
    return frame[64 + down : 204 : 28, 24 + across : 244 : 44]


def inside(frame, cell):
    top, left = 64 + 28 * cell[0], 24 + 44 * cell[1]
    return frame[top : top + 28, left : left + 44]


def scenery(frame):
    # The house and the frame's left and right side, which nothing covers.
    return np.concatenate([frame[20:60:4, 201:240:4].reshape(-1, 3), frame[66:200:8, 18:21].reshape(-1, 3)])


def identify(initial):
    (goal,) = [each for each in LANDMARKS if near(inside(initial, each)[6:22, 2:6], DARK).all()]
    return scenery(initial).copy(), goal


def taxi_in(found, frame):
    # The taxi's cell and whether someone is in it; None on what is no picture of this episode.
    if not np.array_equal(scenery(frame), found[0]):
        return None
    glass = near(everywhere(frame, 9, 21), WINDOW) | near(everywhere(frame, 19, 21), WINDOW)
    body = everywhere(frame, 14, 21)
    cells = np.argwhere(glass & (near(body, EMPTY) | near(body, FULL))).tolist()
    if len(cells) != 1:
        return None
    row, column = cells[0]
    return (row, column), bool(near(body[row, column], FULL))


def stands_at(frame, cell):
    return bool(near(inside(frame, cell)[14, 18:25], DARK).all())
"""

_TAKEN_IN = (
    _LOOK
    + """

def check(found, current):
    taxi = taxi_in(found, current)
    return taxi is not None and taxi[1]
"""
)

_SET_DOWN = (
    _LOOK
    + """

def check(found, current):
    taxi, goal = taxi_in(found, current), found[1]
    if taxi is None or taxi[1] or taxi[0] != goal:
        return False
    return not any(stands_at(current, each) for each in LANDMARKS if each != goal)
"""
)

STEPS: tuple[Step, ...] = (
    ("passenger-in-taxi", "The taxi is green: the passenger is in it.", _TAKEN_IN),
    ("passenger-at-destination", "The taxi has set the passenger down at the framed landmark.", _SET_DOWN),
)
"""The sub-tasks of Taxi, in order, under the names that the truth gives them."""
