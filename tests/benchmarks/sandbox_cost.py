"""What the sandbox costs beside a plain call in this process, as ratios measured in one run.

python -m tests.benchmarks.sandbox_cost
"""

import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np

from car.checker import Checker, SubTask
from car.sandbox.process import ProcessSandbox

_SOURCE = """
import cv2


def check(found, current):
    hsv = cv2.cvtColor(current, cv2.COLOR_RGB2HSV)
    mask = cv2.inRange(hsv, (20, 100, 100), (35, 255, 255))
    return cv2.connectedComponentsWithStats(mask)[0] > 3
"""


def _microseconds(call: Callable[[], object], frames: int, repeats: int = 9) -> float:
    """The median time for a frame."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) / frames * 1e6)
    return median(times)


def _cost(side: int) -> str:
    """The plain call at one size, and what a single call and a batch of 64 cost beside it."""
    plainly: dict[str, Callable[..., bool]] = {}
    exec(_SOURCE, plainly)
    frames = np.random.default_rng(0).integers(0, 256, (256, side, side, 3)).astype(np.uint8)
    first = frames[0].copy()
    with ProcessSandbox().open([Checker(SubTask("mask", "A mask."), _SOURCE)]) as session:
        session.run(first, frames[:64])
        plain = _microseconds(lambda: [plainly["check"](first, each) for each in frames], 256)
        single = _microseconds(lambda: [session.run(first, frames[i : i + 1]) for i in range(256)], 256)
        batch = _microseconds(lambda: [session.run(first, frames[i : i + 64]) for i in range(0, 256, 64)], 256)
    return f"{side} x {side}: plain {plain:.0f} us, single {single / plain:.2f} x, batch of 64 {batch / plain:.2f} x"


if __name__ == "__main__":
    cv2.setNumThreads(1)
    for size in (64, 160):
        print(_cost(size))
