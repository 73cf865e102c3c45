"""Programs as a VLM writes them: texts, errors, imports and containers of the language."""

PROGRAMS = {
    "text": """
import re

LABEL = "{:.2f}"
PATTERN = re.compile(r"(?P<name>[a-z]+)-([0-9]+)", re.IGNORECASE)


def check(found, current):
    text = "Key-12, door-3".lower().replace(",", "")
    names = {match.group("name"): int(match.group(2)) for match in PATTERN.finditer(text)}
    first = PATTERN.search(text)
    words = [word.strip().title() for word in text.split() if word.startswith(("k", "d")) and not word.isdigit()]
    label = "{:>8} {:.2f} {name!r} {:{width}}".format("a", 1.5, 3, name="b", width=4) + "%s %d" % ("a", 3)
    return first is not None and first.start() == 0 and names["key"] == 12 and "-".join(words) != label


def explain(found, current):
    return {"mean": LABEL.format(current.mean()), "share": f"{current.any(axis=2).mean():.1%}"}
""",
    "errors are caught": """
import cv2
import numpy as np


def find(frame):
    try:
        return cv2.minAreaRect(np.argwhere(frame[..., 0] > 250).astype(np.float32))
    except cv2.error as error:
        return {"problem": str(error), "kind": type(error).__name__, "args": error.args}
    except (IndexError, ValueError, ZeroDivisionError) as exc:
        raise RuntimeError("no picture") from exc
    finally:
        pass


def check(found, current):
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nan_to_num(current[..., 0] / current[..., 1])
    return isinstance(find(current), tuple) and ratio.max() > 3
""",
    "cv2 may be missing": """
try:
    import cv2
except ImportError:
    cv2 = None

import numpy as np

HAS_CV2 = cv2 is not None


def check(found, current):
    if cv2 is None:
        return bool(current.max() > 3)
    return bool(cv2.mean(current)[0] > 3) and HAS_CV2
""",
    "imports within functions": """
def check(found, current):
    import numpy as np
    from math import hypot, pi

    return bool(np.sum(current) > hypot(3, 4) * pi)


def explain(found, current):
    import numpy as np

    return {"sum": int(np.sum(current))}
""",
    "run by itself": '''
import numpy as np

__all__ = ["check"]


def check(found: np.ndarray, current: np.ndarray) -> bool:
    """True if it changed."""
    assert isinstance(current, np.ndarray) and current.ndim == 3, "a frame"
    return not np.array_equal(found, current)


if __name__ == "__main__":
    import os
    import sys

    print(check(np.zeros((3, 3, 3)), np.ones((3, 3, 3))), os.getcwd(), sys.argv, open)
''',
    "annotations of cv2": """
import cv2
import numpy as np
from typing import Any, Sequence


def area(contours: Sequence[cv2.typing.MatLike], frame: cv2.Mat) -> float:
    return sum(cv2.contourArea(each) for each in contours) / frame.size


def check(found: Any, current: "np.ndarray") -> "bool | np.bool_":
    mask = cv2.inRange(current, np.array([250, 0, 0]), np.array([255, 5, 5]))
    return area(cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)[-2], current) > 0.1
""",
    "names like built-in functions": """
def check(found, current):
    dir = 3
    input = current
    vars = [dir, input.shape]
    type_ = "door"
    id = 4
    filter = sum(each for each in (id, 1))
    copyright = 3
    return len(vars) + filter + copyright > 10 and type_ == "door"
""",
    "sets, dicts and lists": """
import operator
from collections import ChainMap, OrderedDict, defaultdict


def check(found, current):
    groups = defaultdict(list)
    for value in current.reshape(-1, 3)[::97].tolist():
        groups[tuple(value)].append(value)
    ranked = sorted(groups.items(), key=operator.itemgetter(0))
    order = OrderedDict(ranked)
    order.move_to_end(next(iter(order)))
    both = ChainMap({"a": 1}, {"b": 2})
    rows = [1, 2, 3]
    rows.extend([4])
    rows.insert(0, 5)
    rows.remove(5)
    rows.sort(reverse=True)
    rows.pop()
    seen = {1, 2} | set(rows)
    seen.discard(2)
    seen.update({7})
    options = dict.fromkeys("ab", 0)
    options.setdefault("c", []).append(3)
    options.update(d=4)
    return both["a"] in seen.union({1}) and len(groups) > 3 and seen.issuperset({1}) and options.get("d") == 4
""",
    "generators and closures": """
from collections.abc import Iterable, Iterator


def tiles(frame, size: int = 8) -> Iterator:
    yield from (frame[y:y + size, x:x + size] for y in range(0, 64, size) for x in range(0, 64, size))


def counter():
    count = 0

    def add(step=1):
        nonlocal count
        count += step
        return count

    return add


def check(found, current):
    add = counter()
    bright = [add() for tile in tiles(current) if (mean := tile.mean()) > 100 and mean < 200]
    lit = {y: x for y, x in enumerate(bright)}
    *rest, last = [0, *lit.values()]
    return max(map(int, filter(None, rest)), default=0) < last and all(isinstance(each, int) for each in rest)
""",
    "objects that point to each other": """
from functools import cached_property, total_ordering


class Node:
    def __init__(self, value, parent=None):
        self.value, self.parent = value, parent
        self.children = []
        if parent is not None:
            parent.children.append(self)

    @cached_property
    def depth(self):
        return 0 if self.parent is None else self.parent.depth + 1

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()


@total_ordering
class Ranked:
    def __init__(self, node):
        self.node = node

    def __eq__(self, other):
        return self.node.depth == other.node.depth

    def __lt__(self, other):
        return self.node.depth < other.node.depth

    __hash__ = None


def check(found, current):
    root = Node(1)
    leaf = Node(2, Node(3, root))
    leaf.note = "deep"
    return max(map(Ranked, root.walk())).node.note == "deep" and leaf.depth > 3
""",
    "by the old names of python": """
import typing as t
import collections
import math as m
import itertools as it
import numpy as np
import cv2 as cv


def check(found: t.Dict[str, t.List[int]], current: np.ndarray) -> bool:
    pairs = list(it.combinations(range(3), 2)) + list(it.chain.from_iterable([[(1, 2)], [(3, 4)]]))
    counted = collections.Counter(pairs)
    box: t.Tuple[int, ...] = cv.boundingRect(np.argwhere(current[..., 0] > 3)[:5].astype(np.int32))
    return m.dist((0, 0), (3, 4)) == 5.0 and counted[(1, 2)] == 2 and box[2] > 100
""",
}
