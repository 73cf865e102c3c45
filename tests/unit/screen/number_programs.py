"""Programs as a VLM writes them with numpy and the standard library, and single expressions."""

PROGRAMS = {
    "colour mask and centroid": """
import numpy as np

TARGET = np.array([255, 0, 0], dtype=np.int16)

def _mask(frame: np.ndarray, colour: np.ndarray, tolerance: int = 20) -> np.ndarray:
    return np.abs(frame.astype(np.int16) - colour).max(axis=-1) <= tolerance

def identify(initial):
    ys, xs = np.nonzero(_mask(initial, TARGET))
    return {"center": (float(xs.mean()), float(ys.mean())) if xs.size else None, "area": int(xs.size)}

def check(found, current):
    mask = _mask(current, TARGET)
    return bool(mask.sum() < 0.5 * found["area"])

def progress(found, current):
    return float(np.clip(1.0 - _mask(current, TARGET).sum() / max(1, found["area"]), 0.0, 0.99))

def explain(found, current):
    return {"area": int(_mask(current, TARGET).sum()), "was": found["area"], "center": str(found["center"])}
""",
    "own breadth-first search and heaps": """
import heapq
import itertools
import math
from bisect import bisect_left, insort
from functools import lru_cache, partial, reduce


@lru_cache(maxsize=None)
def neighbours(row, column, height, width):
    steps = itertools.product((-1, 0, 1), repeat=2)
    return tuple(
        (row + dr, column + dc)
        for dr, dc in steps
        if abs(dr) + abs(dc) == 1 and 0 <= row + dr < height and 0 <= column + dc < width
    )


def distance(free, start, goal):
    counter = itertools.count()
    heap = [(0.0, next(counter), start)]
    best = {start: 0.0}
    while heap:
        cost, _, at = heapq.heappop(heap)
        if at == goal:
            return cost
        for near in neighbours(*at, len(free), len(free[0])):
            if free[near[0]][near[1]] and cost + 1 < best.get(near, math.inf):
                best[near] = cost + 1
                heapq.heappush(heap, (cost + 1, next(counter), near))
    return math.inf


def check(found, current):
    free = (current[::8, ::8].sum(axis=2) > 100).tolist()
    total = reduce(lambda a, b: a + b, (sum(row) for row in free), 0)
    values = [3, 5]
    insort(values, 4)
    half = partial(distance, free)
    return half((0, 0), (1, 1)) < math.inf and bisect_left(values, 4) == 1 and math.isclose(total, 1)


def progress(found, current):
    free = (current[::8, ::8].sum(axis=2) > 100).tolist()
    steps = distance(free, (0, 0), (3, 3))
    return 0.0 if math.isinf(steps) else max(0.0, min(0.99, 1 - steps / 64))
""",
    "fourier, linear algebra, statistics": """
import statistics as st

import numpy as np
import numpy.fft
import numpy.linalg as la
from numpy.linalg import LinAlgError, norm
from numpy.lib.stride_tricks import sliding_window_view


def check(found, current):
    gray = current.mean(axis=2)
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(gray)))
    u, s, vh = np.linalg.svd(gray, full_matrices=False)
    try:
        solved = la.solve(np.eye(3) + gray[:3, :3], np.ones(3))
    except LinAlgError:
        return False
    values, vectors = np.linalg.eigh(np.cov(current.reshape(-1, 3), rowvar=False))
    windows = sliding_window_view(gray, (3, 3)).mean(axis=(-1, -2))
    spread = st.pstdev(s[:3].tolist()) + st.median(values.tolist())
    decomposed = np.linalg.svd(gray)
    energy = decomposed.S.sum() + np.add.reduce(s) + np.maximum.accumulate(s)[-1]
    return norm(solved) > 3 and spread > 1 and windows.max() > energy and spectrum.argmax() == vectors.size
""",
    "empty lists of points": """
import numpy as np


def points(frame):
    ys, xs = np.nonzero(frame[..., 2] > 200)
    return np.stack([xs, ys], axis=1) if len(xs) else np.empty((0, 2), dtype=np.int64)


def check(found, current):
    now = points(current)
    return now.shape[0] == 0 or np.empty(0).size > 0 or bool((now[:, 0] > 3).all())
""",
    "tables made at the top level": """
import numpy as np

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0)}
TABLE = np.zeros((256, 3), dtype=np.uint8)
for index, (name, colour) in enumerate(COLOURS.items()):
    TABLE[index] = colour
    TABLE[index] += 1
del index, name
if TABLE.max() > 3:
    LIMIT: int = 3
else:
    LIMIT = 4
GRID_Y, GRID_X = np.mgrid[0:8, 0:8]
CORNERS = np.r_[0, 1], np.c_[np.arange(3), np.arange(3)], np.s_[1:3], np.ix_([0, 1], [1])


def check(found, current):
    return bool((current[:8, :8][GRID_Y > 3] > LIMIT).any())
""",
    "kinds of numbers": """
import numpy as np


def check(found, current):
    a = current.astype(np.float32) / np.iinfo(np.uint8).max
    b = np.array(a, dtype=np.dtype("int32"), copy=True).view(np.uint32)
    tiny = np.finfo(np.float64).eps
    value = np.float64(3.0).item() + np.uint8(3) + int(np.int64(3)) + float.fromhex("0x1p3") + (3).bit_length()
    packed = np.packbits(current > 128).tobytes().hex()
    flat = a.flat[0] + a.T.shape[0] + a.real.max() + a.nbytes + a.itemsize + a.strides[0]
    return value > tiny and len(packed) > 3 and a.flags.c_contiguous and b.dtype.kind == "u" and flat > 0
""",
    "masks and sorting in numpy": """
import numpy as np


def check(found, current):
    packed = current.astype(np.uint32) @ np.array([65536, 256, 1], dtype=np.uint32)
    values, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rare = np.isin(packed, values[order[3:]])
    rows, columns = np.any(rare, axis=1), np.any(rare, axis=0)
    if not rows.any():
        return False
    top, bottom = np.where(rows)[0][[0, -1]]
    left, right = np.flatnonzero(columns)[[0, -1]]
    crop = np.pad(current[top:bottom + 1, left:right + 1], ((1, 1), (1, 1), (0, 0)), mode="edge")
    grid = np.add.outer(np.arange(3), np.arange(3)) + np.kron(np.eye(2), np.ones((2, 2)))[:3, :3]
    logic = np.logical_and.reduce([rare, ~rare | True, np.ones_like(rare)])
    chosen = np.select([packed > 5, packed > 3], [1, 2], default=0)
    dots = np.einsum("ijk,k->ij", current.astype(float), [0.3, 0.6, 0.1])
    moved = np.roll(np.rot90(np.flip(current, axis=1)), 1, axis=0)
    return bool(np.percentile(dots, 90) > 3 and crop.ndim == 3 and logic.any() and chosen.max() and grid.trace()
                and np.allclose(moved.mean(), current.mean()) and np.diff([left, right]).size == 1)
""",
    "what is on a grid": """
import numpy as np

CELL = 8


def tile(frame, row, column):
    return frame[row * CELL:(row + 1) * CELL, column * CELL:(column + 1) * CELL]


def grid(frame):
    height, width = frame.shape[0] // CELL, frame.shape[1] // CELL
    return frame[:height * CELL, :width * CELL].reshape(height, CELL, width, CELL, 3).swapaxes(1, 2)


def triangle_heading(mask):
    halves = {
        "right": mask[:, :CELL // 2].sum() - mask[:, CELL // 2:].sum(),
        "down": mask[:CELL // 2].sum() - mask[CELL // 2:].sum(),
    }
    return max(halves, key=halves.get)


def identify(initial):
    cells = grid(initial)
    walls = (np.ptp(cells.reshape(*cells.shape[:2], -1, 3).astype(int), axis=-1) < 5).mean(axis=-1) > 0.9
    return {"walls": walls, "free": np.argwhere(~walls).tolist(), "shape": walls.shape}


def check(found, current):
    now = identify(current)
    return now["shape"] == found["shape"] and bool(np.logical_xor(now["walls"], found["walls"]).sum() == 1)


def explain(found, current):
    heading = triangle_heading(tile(current, 1, 1)[..., 0] > 200)
    return {"walls": int(found["walls"].sum()), "free": len(found["free"]), "heading": heading}
""",
}

EXPRESSIONS = [
    "np.bitwise_xor(current, current).any()",
    "np.lib.stride_tricks.sliding_window_view(current[..., 0], (2, 2)).max()",
    "np.linalg.norm(current.astype(np.float64), axis=-1).max()",
    "np.quantile(current, [0.1, 0.9])[1] - np.nanmean(current)",
    "np.histogram(current, bins=16, range=(0, 256))[0].argmax()",
    "np.apply_along_axis(np.sum, 2, current[:2, :2]).tolist()",
    "np.take_along_axis(current, current.argsort(axis=2), axis=2)[0, 0, 0]",
    "np.vectorize(lambda value: value + 1)(current[0, 0]).sum()",
    "np.unravel_index(current.argmax(), current.shape)[0]",
    "np.interp(3, [0, 10], [0, 1]) + np.convolve([1, 2], [1]).sum() + np.polyfit([0, 1], [0, 1], 1)[0]",
    "np.meshgrid(np.arange(3), np.arange(4), indexing='ij')[0].shape",
    "np.broadcast_to(current[:1], current.shape).ndim",
    "cv2.addWeighted(current, 0.5, current, 0.5, 0).max()",
    "cv2.absdiff(current, found).sum(axis=2).max()",
    "cv2.blur(current, (3, 3)).std() + cv2.bilateralFilter(current, 5, 50, 50).mean()",
    "cv2.pyrDown(current).shape + cv2.pyrUp(current).shape",
    "cv2.remap(current, *np.float32(np.meshgrid(np.arange(8), np.arange(8))), cv2.INTER_LINEAR).shape",
    "cv2.copyMakeBorder(current, 1, 1, 1, 1, cv2.BORDER_REFLECT_101).shape",
    "cv2.cvtColor(current, cv2.COLOR_RGB2Lab)[..., 1].max() - cv2.COLOR_RGB2YCrCb",
    "cv2.applyColorMap(current[..., 0], cv2.COLORMAP_JET).shape",
    "cv2.LUT(current, np.arange(256, dtype=np.uint8)).max()",
    "cv2.dft(np.float32(current[..., 0])).max() + cv2.getGaussianKernel(3, 1).sum()",
    "cv2.matchShapes(*[np.array([[[0, 0]], [[1, 0]], [[0, 1]]])] * 2, cv2.CONTOURS_MATCH_I1, 0)",
    "cv2.rotate(current, cv2.ROTATE_90_CLOCKWISE).shape + cv2.flip(current, 1).shape",
    "cv2.reduce(current[..., 0], 0, cv2.REDUCE_AVG).shape",
    "cv2.inRange(current, np.uint8([0, 0, 0]), np.uint8([9, 9, 9])).astype(bool).sum()",
    "cv2.QRCodeDetector().detect(current)[0]",
    "cv2.getTextSize('A', cv2.FONT_HERSHEY_PLAIN, 1.0, 1)[0][0]",
    "cv2.grabCut is not None and cv2.inpaint is not None and cv2.seamlessClone is not None",
    "math.sqrt(current.var()) + math.tau + math.floor(3.5)",
    "f'{current.mean():.2f} {current.shape!r:>20}'",
    "'{0} {0:.1f} {1}'.format(1.5, 'a')",
    "[*map(tuple, np.argwhere(current[..., 0] > 250).tolist())]",
    "sorted({'a': 1}.items(), key=lambda item: (-item[1], item[0]))[0]",
    "(lambda a, /, b=1, *c, d, **e: a + b + d)(1, d=2)",
    "(current > 3).nonzero()[0].cumsum().clip(0, 3).round(1).squeeze().repeat(2).searchsorted(1)",
    "current.copy().reshape((-1, 3)).transpose().ravel().take([0]).tolist() + list(current.flat[:3])",
    "current.min(initial=3), current.dot([1, 2, 3]).size, current.conj().all(), current.imag.any()",
    "print('seen', current.shape) or True",
    "hasattr(cv2, 'ximgproc') and cv2.Canny is not None",
    "list(map('{:.2f} {}'.format, [1.5], [2])) and current.flags.writeable",
]
"""What stands behind ``return`` in a `check`; ``np``, ``cv2`` and ``math`` are imported."""


def around(expression: str) -> str:
    """A program that returns the expression."""
    return f"import math\n\nimport cv2\nimport numpy as np\n\n\ndef check(found, current):\n    return {expression}\n"
