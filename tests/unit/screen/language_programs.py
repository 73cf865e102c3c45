"""Programs as a VLM writes them, each with another part of the language."""

PROGRAMS = {
    "dataclasses, properties and type hints": """
from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, List, NamedTuple, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Point = Tuple[float, float]


class Size(NamedTuple):
    width: int
    height: int


@dataclass(frozen=True)
class Box:
    left: int
    top: int
    size: Size
    label: str = ""
    limit: ClassVar[int] = 3

    @property
    def area(self) -> int:
        return self.size.width * self.size.height

    @classmethod
    def around(cls, mask: NDArray[np.bool_]) -> Optional[Box]:
        ys, xs = np.nonzero(mask)
        if not len(xs):
            return None
        return cls(int(xs.min()), int(ys.min()), Size(int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1))

    def __contains__(self, point: Point) -> bool:
        return self.left <= point[0] < self.left + self.size.width

    def overlaps(self, other: Box) -> bool:
        return abs(self.left - other.left) < max(self.size.width, other.size.width)


@dataclass
class Scene:
    boxes: List[Box] = field(default_factory=list)
    base: Optional[Box] = None

    def __post_init__(self) -> None:
        self._ready = True
        self.__hidden = len(self.boxes)

    def largest(self) -> Optional[Box]:
        return max(self.boxes, key=lambda box: box.area, default=self.base) if self._ready and self.__hidden else None


def identify(initial: Frame) -> Scene:
    box = Box.around(initial[..., 0] > 128)
    return Scene([replace(box, label="start")] if box is not None else [], base=box)


def check(found: Scene, current: Frame) -> bool:
    now = Box.around(current[..., 0] > 128)
    before = found.largest()
    if now is None or before is None:
        return False
    return not now.overlaps(before) and (1.0, 2.0) not in now and found.base is not None
""",
    "named tuples, enumerations, match": """
from collections import Counter, deque, namedtuple
from enum import Enum, IntEnum, auto

import numpy as np

Cell = namedtuple("Cell", "row column kind")
Spot = namedtuple("Spot", ["x", "y"], defaults=(0, 0))


class Kind(Enum):
    WALL = (100, 100, 100)
    GOAL = (0, 255, 0)
    UNKNOWN = None

    @classmethod
    def of(cls, colour):
        for kind in cls:
            if kind.value == colour:
                return kind
        return cls.UNKNOWN


class Direction(IntEnum):
    RIGHT = auto()
    DOWN = auto()


def cells(frame, size=8):
    for row in range(frame.shape[0] // size):
        for column in range(frame.shape[1] // size):
            tile = frame[row * size:(row + 1) * size, column * size:(column + 1) * size].reshape(-1, 3)
            colours, counts = np.unique(tile, axis=0, return_counts=True)
            yield Cell(row, column, Kind.of(tuple(int(c) for c in colours[counts.argmax()])))


def check(found, current):
    grid = list(cells(current))
    tally = Counter(cell.kind.name for cell in grid)
    queue = deque([(0, 0)], maxlen=100)
    seen = {(0, 0)}
    while queue:
        row, column = queue.popleft()
        for dr, dc in ((0, 1), (1, 0)):
            if (row + dr, column + dc) not in seen and row + dr < 4 and column + dc < 4:
                seen.add((row + dr, column + dc))
                queue.append((row + dr, column + dc))
    first = grid[0]._replace(kind=Kind.WALL)
    match first:
        case Cell(row=0, column=0, kind=Kind.WALL):
            corner = True
        case (row, column, kind) if row == column:
            corner = False
        case int() | str():
            corner = False
        case {"kind": "wall", **rest}:
            corner = bool(rest)
        case _:
            corner = False
    return corner and tally.most_common(1)[0][0] == "UNKNOWN" and Spot(1).y == 0 and Direction.DOWN > Direction.RIGHT
""",
    "a class without dataclass": '''
import numpy as np


class Detector(object):
    """Finds things."""

    __slots__ = ("colour", "tolerance", "_cache")

    def __init__(self, colour, tolerance=10):
        super().__init__()
        self.colour = np.asarray(colour, dtype=int)
        self.tolerance = tolerance
        self._cache = None

    def __call__(self, frame):
        return self.locate(frame)

    def __repr__(self):
        return f"Detector({self.colour.tolist()!r})"

    def mask(self, frame):
        return (np.abs(frame.astype(int) - self.colour) <= self.tolerance).all(axis=2)

    def locate(self, frame):
        where = np.argwhere(self.mask(frame))
        return where.mean(axis=0) if where.size else None

    @staticmethod
    def near(a, b):
        return a is not None and b is not None and float(np.linalg.norm(a - b)) < 5


class Twice(Detector):
    def __init__(self, *colours):
        super().__init__(colours[0])
        self.others = [Detector(colour) for colour in colours[1:]]

    def locate(self, frame):
        return super().locate(frame)


AGENT = Detector((255, 0, 0))
BOTH = Twice((0, 255, 0), (0, 0, 255))


def check(found, current):
    return Detector.near(AGENT(current), BOTH.locate(current)) or len(BOTH.others) > 1


def explain(found, current):
    return {"agent": repr(AGENT), "type": type(BOTH).__name__, "at": str(AGENT.locate(current))}
''',
}
