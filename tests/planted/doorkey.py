"""Checkers for MiniGrid DoorKey at 8 pixels a tile, written by hand: three right ones and many wrong ones."""

from car.checker import Checker, SubTask

KEY = SubTask("pick-up-the-key", "The key is no longer on the floor.")
DOOR = SubTask("open-the-door", "The door is open.", ("pick-up-the-key",))
GOAL = SubTask("reach-the-goal", "The agent is on the green square.", ("pick-up-the-key", "open-the-door"), goal=True)

_COMMON = """
import numpy as np


def yellow(frame):
    wide = frame.astype(np.int64)
    return (wide[..., 0] > 60) & (abs(wide[..., 0] - wide[..., 1]) < 12) & (wide[..., 2] < 20)


def tile_of(mask):
    rows, columns = np.nonzero(mask)
    return int(rows.min()) // 8 * 8, int(columns.min()) // 8 * 8


def door_tile(frame):
    mask = yellow(frame)
    for row in range(0, frame.shape[0], 8):
        for column in range(0, frame.shape[1], 8):
            if mask[row : row + 8, column : column + 8].sum() > 55:
                return row, column
    raise ValueError("there is no closed door")


def outside_door(frame, tile):
    mask = yellow(frame)
    mask[tile[0] : tile[0] + 8, tile[1] : tile[1] + 8] = False
    return int(mask.sum())


def red(frame):
    return (frame[..., 0] > 100) & (frame[..., 1] < 60) & (frame[..., 2] < 60)


def green(frame):
    return (frame[..., 0] < 60) & (frame[..., 1] > 200) & (frame[..., 2] < 60)
"""

RIGHT_KEY = (
    _COMMON
    + """

def identify(initial):
    return door_tile(initial)


def check(found, current):
    return outside_door(current, found) < 3


def explain(found, current):
    return {"yellow_outside_door": outside_door(current, found)}
"""
)

RIGHT_DOOR = (
    _COMMON
    + """

def identify(initial):
    return door_tile(initial)


def check(found, current):
    row, column = found
    return bool(yellow(current)[row : row + 8, column : column + 8].sum() < 40)
"""
)

RIGHT_GOAL = (
    _COMMON
    + """

def identify(initial):
    return tile_of(green(initial))


def check(found, current):
    row, column = found
    return bool(red(current)[row : row + 8, column : column + 8].sum() > 5)


def progress(found, current):
    rows, columns = np.nonzero(red(current))
    distance = abs(rows.mean() - found[0] - 4) + abs(columns.mean() - found[1] - 4)
    return float(1.0 - min(1.0, distance / (current.shape[0] + current.shape[1])))
"""
)

ALWAYS_TRUE = "def check(found, current):\n    return True\n"
ALWAYS_FALSE = "def check(found, current):\n    return False\n"
INVERTED_KEY = RIGHT_KEY.replace("< 3", ">= 3")
WRONG_COLOUR_KEY = """
def identify(initial):
    return int(((initial[..., 2] > 200) & (initial[..., 0] < 60)).sum())


def check(found, current):
    return bool(found > 0 and ((current[..., 2] > 200) & (current[..., 0] < 60)).sum() == 0)
"""
GOAL_ONE_STEP_EARLY = RIGHT_GOAL.replace(
    "red(current)[row : row + 8, column : column + 8].sum() > 5",
    "red(current)[max(row - 8, 0) : row + 16, max(column - 8, 0) : column + 16].sum() > 5",
)
ANY_MOVEMENT = "def check(found, current):\n    return bool((found != current).any())\n"
HAS_TURNED = (
    _COMMON
    + """

def shape(frame):
    row, column = tile_of(red(frame))
    return red(frame)[row : row + 8, column : column + 8]


def check(found, current):
    return bool((shape(found) != shape(current)).any())
"""
)
KEEPS_STATE = """
seen = []


def check(found, current):
    if (found != current).any():
        seen.append(current.sum())
    return len(seen) > 5 and len(seen) % 2 == 0
"""
MUTATES_FRAME = """
def check(found, current):
    current[0, 0] = 0
    return False
"""
CRASHES_WHEN_DONE = RIGHT_KEY.replace(
    "return outside_door(current, found) < 3", "return 1 // outside_door(current, found) > 9"
)
ANSWERS_A_NUMBER = RIGHT_KEY.replace(
    "return outside_door(current, found) < 3", "return int(outside_door(current, found) < 3)"
)
ASSUMES_THE_LAYOUT = """
import numpy as np


def check(found, current):
    return bool((current[8:16, 8:16, 0] > 100).any())
"""


def chain(key: str = RIGHT_KEY, door: str = RIGHT_DOOR, goal: str = RIGHT_GOAL) -> list[Checker]:
    """The chain of three, with some of its programs exchanged."""
    return [Checker(KEY, key), Checker(DOOR, door), Checker(GOAL, goal)]
