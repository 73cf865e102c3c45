"""Checkers for MiniGrid UnlockPickup at 8 pixels a cell, written by hand: all right, and one of them weak.

What the agent carries is not drawn, so that each program says what may be seen: the key is carried where it is nowhere,
and the box is taken where it is nowhere, the key lies somewhere, and so the hands were free. One thing cannot be seen:
a box that was opened with free hands is gone as well, and the frame is the same as after taking it.
"""

from car.checker import Checker, SubTask

KEY = SubTask("key-picked-up", "The key is no longer on the floor.")
DOOR = SubTask("door-open", "The door is open.", ("key-picked-up",))
ROOM = SubTask("in-box-room", "The agent is in the room of the box.", ("key-picked-up", "door-open"))
KEY_DOWN = SubTask("key-put-down", "The key lies on the floor again.", ("key-picked-up", "door-open"))


def _box(*before: SubTask) -> SubTask:
    return SubTask("box-picked-up", "The agent holds the box.", tuple(each.name for each in before), goal=True)


_COMMON = """
import numpy as np

KEY = ("000000", "001110", "001110", "001110", "001100", "001100", "001100")
BOX = ("000000", "111111", "100001", "111111", "111111", "100001", "111111")


def cells(frame):
    rows, columns = frame.shape[0] // 8, frame.shape[1] // 8
    return frame.reshape(rows, 8, columns, 8, 3).swapaxes(1, 2)


def showing(frame, drawing):
    wanted = np.array([[pixel == "1" for pixel in row] for row in drawing[1:]])
    return ((cells(frame)[:, :, 1:7, 1:7] > 0).any(axis=4) == wanted).all(axis=(2, 3))


def walls(frame):
    return (cells(frame) == 100).all(axis=(2, 3, 4))


def agents(frame):
    inner = cells(frame)[:, :, 1:7, 1:7]
    return ((inner[..., 0] == 255) & (inner[..., 1] == 0) & (inner[..., 2] == 0)).sum(axis=(2, 3)) >= 10


def locked_door(frame):
    whole = (cells(frame) > 0).any(axis=4).all(axis=(2, 3)) & ~walls(frame)
    row, column = np.argwhere(whole)[0]
    return int(row), int(column)


def usual(found, current):
    there = walls(current)
    return bool(there.sum() > 20 and there[0].all() and there[-1].all() and agents(current).sum() == 1)


def door(found, current):
    return cells(current)[found[0], found[1]]
"""

_IDENTIFY = """

def identify(initial):
    return locked_door(initial)
"""

RIGHT_KEY = (
    _COMMON
    + _IDENTIFY
    + """

def check(found, current):
    return usual(found, current) and not bool(showing(current, KEY).any())
"""
)

RIGHT_DOOR = (
    _COMMON
    + _IDENTIFY
    + """

def check(found, current):
    return usual(found, current) and not bool(door(found, current)[7, 1:7].any())
"""
)

RIGHT_ROOM = (
    _COMMON
    + _IDENTIFY
    + """

def check(found, current):
    return usual(found, current) and bool(agents(current)[:, found[1] :].any())
"""
)

RIGHT_KEY_DOWN = (
    _COMMON
    + _IDENTIFY
    + """

def check(found, current):
    unlocked = not bool((door(found, current) > 0).any(axis=2).all())
    return usual(found, current) and unlocked and bool(showing(current, KEY).any())
"""
)

RIGHT_BOX = (
    _COMMON
    + _IDENTIFY
    + """

def check(found, current):
    free = bool(showing(current, KEY).any())
    return usual(found, current) and free and not bool(showing(current, BOX).any())
"""
)


def strong_chain() -> list[Checker]:
    """Key, door, the room of the box, box: each of them a step on the way."""
    box = _box(KEY, DOOR, ROOM)
    return [Checker(KEY, RIGHT_KEY), Checker(DOOR, RIGHT_DOOR), Checker(ROOM, RIGHT_ROOM), Checker(box, RIGHT_BOX)]


def weak_chain() -> list[Checker]:
    """Key, door, the key on the floor again, box: the third is told rightly and can be done anywhere."""
    down, box = Checker(KEY_DOWN, RIGHT_KEY_DOWN), _box(KEY, DOOR, KEY_DOWN)
    return [Checker(KEY, RIGHT_KEY), Checker(DOOR, RIGHT_DOOR), down, Checker(box, RIGHT_BOX)]
