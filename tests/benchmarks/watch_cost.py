"""What it costs to slip in known frames, and how soon a program that changes is found.

python -m tests.benchmarks.watch_cost
"""

import time
from statistics import median

import cv2
import numpy as np

from car.checker import Checker, SubTask
from car.errors import RewardChanged
from car.rewards.watch import Watch, WatchedSession
from car.sandbox import Answers, Session
from car.sandbox.process import ProcessSandbox

_SOURCE = """
import cv2


def check(found, current):
    hsv = cv2.cvtColor(current, cv2.COLOR_RGB2HSV)
    mask = cv2.inRange(hsv, (20, 100, 100), (35, 255, 255))
    return cv2.connectedComponentsWithStats(mask)[0] > 3
"""
_CHECKERS = [Checker(SubTask(f"mask-{number}", "A mask."), _SOURCE) for number in range(3)]
_FASTER = 20
"""How much more often than by default known frames are slipped in, so that the cost stands out of the noise."""


class _Instant:
    """A session that does nothing."""

    checkers = _CHECKERS
    answers = Answers(np.zeros((16, 3), np.int8), np.full((16, 3), np.nan), {})

    def run(self, initial: object, frames: object, ask: object = None, explain: bool = False) -> Answers:
        return self.answers


def _per_call(session: Session | _Instant, batches: np.ndarray, ask: np.ndarray) -> float:
    """Microseconds for a call."""
    began = time.perf_counter()
    for batch in batches:
        session.run(batches[0], batch, ask)
    return (time.perf_counter() - began) / len(batches) * 1e6


def _counting() -> str:
    """The cost of a call in which nothing happens."""
    batches, ask = np.zeros((5000, 16, 4, 4, 3), np.uint8), np.ones((16, 3), np.bool_)
    quiet = WatchedSession(_Instant(), Watch(every=0))  # type: ignore[arg-type]
    pairs = [(_per_call(_Instant(), batches, ask), _per_call(quiet, batches, ask)) for _ in range(9)]
    return f"nothing slipped in: {median(watched - plain for plain, watched in pairs):.2f} us a call"


def _all_in_all(side: int) -> str:
    """The share that watching adds to the time of three programs, 16 frames a call, renewals included."""
    batches = np.random.default_rng(0).integers(0, 256, (125, 16, side, side, 3)).astype(np.uint8)
    ask = np.ones((16, 3), np.bool_)
    with ProcessSandbox().open(_CHECKERS) as session:
        watched = WatchedSession(session, Watch(every=Watch().every // _FASTER))
        pairs = [(_per_call(session, batches, ask), _per_call(watched, batches, ask)) for _ in range(15)]
    plain = median(each for each, _ in pairs)
    added = (sum(each for _, each in pairs) - sum(each for each, _ in pairs)) / len(pairs) / _FASTER
    return f"{side} x {side}: {plain:.0f} us for 16 frames, {added / plain:.1%} added"


class _Sleeper(_Instant):
    """Its one program changes its answers after some frames."""

    checkers = _CHECKERS[:1]

    def __init__(self, frames: int, heals: bool) -> None:
        self.frames, self.heals, self.asked = frames, heals, 0

    def renew(self) -> None:
        self.asked = 0 if self.heals else self.asked

    def run(self, initial: object, frames: np.ndarray, ask: object = None, explain: bool = False) -> Answers:  # type: ignore[override]
        self.asked += len(frames)
        done = np.full((len(frames), 1), self.asked > self.frames, np.int8)
        return Answers(done, np.full(done.shape, np.nan), {})


def _found(after: int, heals: bool, runs: int = 100) -> str:
    """How many frames after a change it is found."""
    batch, late = np.zeros((16, 4, 4, 3), np.uint8), []
    for seed in range(runs):
        watched = WatchedSession(_Sleeper(after, heals), seed=seed)  # type: ignore[arg-type]
        try:
            while watched.asked < 1_000_000:
                watched.run(batch, batch)
        except RewardChanged:
            late.append(watched.asked - after)
    late.sort()
    when = f"a change after {after:,} frames{', healed by a renewal' if heals else ''}"
    return (
        f"{when}: found in {len(late)} of {runs} runs, half within {late[len(late) // 2]:,}, 90% within {late[-10]:,}"
    )


if __name__ == "__main__":
    cv2.setNumThreads(1)
    for heals in (False, True):
        for after in (100, 1000, 10_000):
            print(_found(after, heals))
    print(_counting())
    for size in (64, 160):
        print(_all_in_all(size))
