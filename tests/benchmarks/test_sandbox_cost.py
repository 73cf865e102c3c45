"""What the sandbox costs beside a plain call in this process: the quickest of blocks that alternate in one run.

Both sides run on one processor, as they do on a busy machine; what the choice among idle ones adds is measured apart.

make costs
"""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from car.checker import Checker, SubTask
from car.frames import Frames
from car.sandbox import Limits, Session
from car.sandbox.process import ProcessSandbox

MASK = """
import cv2


def check(found, current):
    mask = cv2.inRange(current, (200, 0, 0), (255, 90, 90))
    return cv2.connectedComponentsWithStats(mask)[0] > 3
"""
MOST_ADDED = {64: 20.0, 160: 30.0}
"""Microseconds that a single call may take longer than a plain one, by the frame's side."""
MOST_FOR_PLACING = 10.0
"""Microseconds on top, where there are several processors to choose from."""
MOST_IN_BATCHES = 1.1
MOST_FOR_16 = 1.3
MOST_TO_START = 0.030
BLOCKS = 41

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]
Checked = Callable[[Frames, Frames], bool]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(autouse=True)
def one_processor(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    if "several" not in request.node.name:
        os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.fixture
def session() -> Iterator[Session]:
    with ProcessSandbox().open([Checker(SubTask("mask", "Red is there."), MASK)]) as opened:
        yield opened


@pytest.fixture(scope="module")
def plain() -> Checked:
    names: dict[str, Any] = {}
    exec(MASK, names)
    checked: Checked = names["check"]
    return checked


def pictures(count: int, side: int) -> Frames:
    noise = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return np.stack([cv2.blur(each, (7, 7)) for each in noise])


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def compared(benchmark: BenchmarkFixture, one: Callable[[], object], other: Callable[[], object], frames: int) -> None:
    """Times blocks of both in turn, and leaves what they say of a frame in the benchmark's extra information.

    The quickest block of each counts: what others do on the machine only ever adds time.
    """
    pairs = [(seconds(one) / frames, seconds(other) / frames) for _ in range(BLOCKS)]
    alone, boxed = (min(times) * 1e6 for times in zip(*pairs, strict=True))
    benchmark.extra_info |= {
        "plain_us": round(alone, 1),
        "sandboxed_us": round(boxed, 1),
        "added_us": round(boxed - alone, 1),
        "ratio": round(boxed / alone, 3),
    }
    benchmark.pedantic(other, rounds=5)


@pytest.mark.parametrize("side", [64, 160])
@pytest.mark.parametrize("processors", ["one", "several"])
def test_one_frame_at_a_time(
    benchmark: BenchmarkFixture, session: Session, plain: Checked, side: int, processors: str
) -> None:
    benchmark.group = "one frame at a time"
    frames = pictures(64, side)
    singles = [frames[i : i + 1] for i in range(64)]
    first = frames[0].copy()
    first.flags.writeable = False
    session.run(first, singles[0])
    compared(
        benchmark,
        lambda: [plain(first, each) for each in frames],
        lambda: [session.run(first, each) for each in singles],
        64,
    )
    assert benchmark.extra_info["added_us"] <= MOST_ADDED[side] + (MOST_FOR_PLACING if processors == "several" else 0)


@pytest.mark.parametrize("side", [64, 160, 320])
@pytest.mark.parametrize("count", [64, 512])
def test_batches(benchmark: BenchmarkFixture, session: Session, plain: Checked, side: int, count: int) -> None:
    benchmark.group = f"batches of {count}"
    frames = pictures(count, side)
    first = frames[0].copy()
    first.flags.writeable = False
    session.run(first, frames)
    compared(benchmark, lambda: [plain(first, each) for each in frames], lambda: session.run(first, frames), count)
    assert benchmark.extra_info["ratio"] <= MOST_IN_BATCHES


def test_a_step_of_16_environments(benchmark: BenchmarkFixture, session: Session, plain: Checked) -> None:
    benchmark.group = "16 environments, a first frame each"
    frames, firsts = pictures(16, 64), pictures(32, 64)[16:]
    ask = np.ones((16, 1), np.bool_)
    session.run(firsts, frames, ask)

    def alone() -> None:
        for _ in range(8):
            for first, each in zip(firsts, frames, strict=True):
                plain(first, each)

    def boxed() -> None:
        for _ in range(8):
            session.run(firsts, frames, ask)

    compared(benchmark, alone, boxed, 8 * 16)
    assert benchmark.extra_info["ratio"] <= MOST_FOR_16


def test_a_worker_starts(benchmark: BenchmarkFixture) -> None:
    benchmark.group = "from nothing to a program that is loaded and caged"
    program = Checker(SubTask("mask", "Red is there."), MASK)
    sandbox, limits = ProcessSandbox(), Limits()
    frame = pictures(1, 64)

    def start() -> None:
        with sandbox.open([program], limits) as opened:
            opened.run(frame[0], frame)

    start()
    benchmark.pedantic(start, rounds=BLOCKS)
    assert benchmark.stats.stats.median <= MOST_TO_START
