"""How a session uses its workers."""

import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np
import pytest

from car.checker import Checker, SubTask
from car.errors import SandboxUnavailable, UserError
from car.frames import Frames
from car.sandbox import launch
from car.sandbox.child import Child
from car.sandbox.isolation import Layer
from car.sandbox.placement import allowed
from car.sandbox.process import ProcessSandbox, ProcessSession

BRIGHT = Checker(SubTask("bright", "It is bright."), "def check(found, current): return bool(current.mean() > 99)")
COUNTS = Checker(
    SubTask("counts", "It counts."), "calls = []\ndef check(found, current):\n calls.append(1)\n return len(calls) > 2"
)


def shades(*values: int) -> Frames:
    return np.stack([np.full((8, 8, 3), value, np.uint8) for value in values])


@pytest.fixture
def session() -> Iterator[ProcessSession]:
    with ProcessSandbox().open([BRIGHT, COUNTS]) as opened:
        yield opened


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of every request that is sent."""
    sent: list[int] = []
    send = Child.send

    def noted(child: Child, nonce: int, count: int, shape: tuple[int, ...], what: int) -> bool:
        sent.append(count)
        return send(child, nonce, count, shape, what)

    monkeypatch.setattr(Child, "send", noted)
    return sent


def test_the_frames_of_16_environments_go_in_one_round_trip(session: ProcessSession, requests: list[int]) -> None:
    frames, firsts = shades(*range(90, 106)), shades(*range(16))
    only_first = np.tile([True, False], (16, 1))
    for _ in range(3):
        requests.clear()
        answers = session.run(firsts, frames, only_first)
        assert requests == [16]
    assert answers.done[:, 0].tolist() == [0] * 10 + [1] * 6


def test_renewed_workers_have_forgotten(session: ProcessSession) -> None:
    frames = shades(1, 2, 3)
    assert session.run(frames[0], frames).done[:, 1].tolist() == [0, 0, 1]
    assert session.run(frames[0], frames).done[:, 1].tolist() == [1, 1, 1]
    session.renew()
    assert session.run(frames[0], frames).done[:, 1].tolist() == [0, 0, 1]


def test_first_frames_are_found_again_after_a_renewal(session: ProcessSession) -> None:
    firsts = shades(7, 8)
    before = session.run(firsts, shades(1, 200)).done[:, 0].tolist()
    session.renew()
    assert session.run(firsts, shades(1, 200)).done[:, 0].tolist() == before == [0, 1]


def test_a_first_frame_that_was_changed_in_place_is_seen() -> None:
    same = Checker(SubTask("same", "."), "def check(found, current): return bool((found == current).all())")
    with ProcessSandbox().open([same]) as session:
        first = shades(5)[0]
        assert session.run(first, shades(5)).done.tolist() == [[1]]
        first[:] = 9
        assert session.run(first, shades(5)).done.tolist() == [[0]]
        fixed = first.copy()
        fixed.flags.writeable = False
        assert [session.run(fixed, shades(value)).done.tolist() for value in (9, 5, 9)] == [[[1]], [[0]], [[1]]]


def test_the_seed_decides_the_order_of_sets() -> None:
    order = Checker(
        SubTask("order", "."),
        "def check(found, current): return True\n"
        "def explain(found, current): return {'order': list({'a', 'b', 'c', 'd', 'e', 'f', 'g'})}",
    )
    said = []
    for seed in (0, 0, 1):
        with ProcessSandbox().open([order], seed=seed) as session:
            facts = session.run(shades(1)[0], shades(1), explain=True).facts
        said.append(facts[0, 0]["order"])
    assert said[0] == said[1] != said[2]


def test_a_session_is_for_the_process_that_opened_it(session: ProcessSession) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            session.run(shades(1)[0], shades(1))
        except SandboxUnavailable as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 200) == b"This session belongs to the process that opened it; open another one here."
    for file in (reading, writing):
        os.close(file)
    assert session.run(shades(1)[0], shades(200)).done[:, 0].tolist() == [1]


def test_a_forked_process_may_open_a_session_of_its_own(session: ProcessSession) -> None:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with ProcessSandbox().open([BRIGHT]) as own:
                code = 0 if own.run(shades(1)[0], shades(200)).done.tolist() == [[1]] else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert session.run(shades(1)[0], shades(200)).done[:, 0].tolist() == [1]


def test_a_worker_that_is_replaced_in_the_middle_may_run_everywhere() -> None:
    dies = Checker(SubTask("dies", "."), "import os\ndef check(f, c):\n if c[0, 0, 0] == 3: os._exit(1)\n return True")
    with ProcessSandbox().open([dies]) as session:
        for _ in range(3):
            assert session.run(shades(1)[0], shades(1, 3, 2)).done[:, 0].tolist() == [1, -2, 1]
        assert allowed() == os.sched_getaffinity(0)
        (runner,) = session._runners
        assert runner._child is not None
        assert os.sched_getaffinity(runner._child._pid) == allowed()


def test_a_zygote_that_isolates_less_than_the_first_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = (Layer.LIMITS, Layer.NAMESPACES)
    sandbox = ProcessSandbox(at_least=0, layers=layers)
    with sandbox.open([BRIGHT]) as session:
        if Layer.NAMESPACES not in session.isolation.layers:
            pytest.skip("there are no namespaces here")
    monkeypatch.setattr(launch, "_namespaces", tuple)
    with pytest.raises(SandboxUnavailable, match=r"not be isolated any more .*: limits, namespaces were in force"):
        sandbox.open([BRIGHT], seed=5)


def test_too_few_descriptors_are_told_in_a_sentence() -> None:
    ProcessSandbox().open([]).close()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    for more in range(1, 12):
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + more, before[1]))
        try:
            with pytest.raises(SandboxUnavailable, match="raise the limits of open files"):
                ProcessSandbox().open([BRIGHT] * 9)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
    with ProcessSandbox().open([BRIGHT]) as session:
        assert session.run(shades(1)[0], shades(200)).done.tolist() == [[1]]


def test_only_some_rows_of_a_large_batch(session: ProcessSession) -> None:
    frames = shades(*range(256))
    ask = np.zeros((256, 2), np.bool_)
    for rows in (slice(90, 120), slice(0, 256, 7)):
        ask[:] = False
        ask[rows, 0] = True
        answers = session.run(frames[0], frames, ask)
        assert answers.done[rows, 0].tolist() == [int(shade > 99) for shade in range(256)[rows]]


@pytest.mark.parametrize("level", [-1, 4])
def test_a_level_that_is_none_is_refused(level: int) -> None:
    with pytest.raises(UserError, match="levels 0 to 3"):
        ProcessSandbox(at_least=level)


@pytest.mark.parametrize("seed", [-1, 1 << 32])
def test_a_seed_that_is_none_is_refused(seed: int) -> None:
    with pytest.raises(UserError, match="seed of hashes"):
        ProcessSandbox().open([BRIGHT], seed=seed)


def interrupted_at(line: int, call: Callable[[], object]) -> bool:
    """Calls it with Ctrl-C at this line of the sandbox's code, counted from 1; False if it has fewer lines."""
    lines = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        if "/car/sandbox/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            lines += 1
            if lines == line:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("side", [8, 16])
def test_after_ctrl_c_at_any_line_the_answers_are_right(side: int) -> None:
    same = Checker(SubTask("same", "."), "def check(f, c): return bool((f == c).all())")
    frames = np.repeat(np.repeat(shades(3, 3, 4, 4), side // 8, axis=1), side // 8, axis=2)
    firsts = np.repeat(frames[:1], 4, axis=0)
    tried = 0
    for line in range(1, 2000, 2):
        with ProcessSandbox().open([same]) as session:
            session.run(shades(1, 1), shades(1, 2))
            if not interrupted_at(line, lambda opened=session: opened.run(firsts, frames)):  # type: ignore[misc]
                break
            answers = session.run(firsts, frames)
            assert (answers.done[:, 0].tolist(), answers.failures) == ([1, 1, 0, 0], {}), line
            tried += 1
    assert tried > 20


def test_another_thread_is_refused_while_a_session_is_busy() -> None:
    slow = Checker(
        SubTask("slow", "."),
        "import time\ndef check(f, c):\n"
        " end = time.perf_counter() + 0.5\n while time.perf_counter() < end: pass\n return True",
    )
    with ProcessSandbox().open([slow]) as session:
        said: list[object] = []
        other = threading.Thread(target=lambda: said.append(session.run(shades(1)[0], shades(1)).done.tolist()))
        other.start()
        time.sleep(0.2)
        with pytest.raises(SandboxUnavailable, match="busy in another thread"):
            session.run(shades(1)[0], shades(2))
        other.join()
        assert said == [[[1]]]


def test_a_session_that_is_dropped_while_the_zygote_is_asked_waits_for_nothing() -> None:
    session = ProcessSandbox().open([BRIGHT])
    zygote = launch.zygote_for(tuple(Layer), 0)
    with zygote._lock:
        session.close()
    assert len(zygote._dropped) == 1
    with ProcessSandbox().open([BRIGHT]):
        assert not zygote._dropped


def test_a_worker_that_computes_on_after_its_answer_is_ended() -> None:
    goes_on = Checker(
        SubTask("goes-on", "."),
        """
import os, sys

def check(found, current):
    frame = sys._getframe()
    while "nonce" not in frame.f_locals:
        frame = frame.f_back
    record = sys.modules["worker"].RECORD
    nonce, mailbox = frame.f_locals["nonce"], frame.f_locals["program"]._mailbox
    record.pack_into(mailbox, sys.modules["worker"].RECORDS_AT, 0.0, 0, 0, 2, 1, 1)
    os.write(4, sys.modules["worker"].PING.pack(nonce))
    while True:
        pass
""",
    )
    with ProcessSandbox().open([goes_on]) as session:
        assert session.run(shades(1)[0], shades(1)).done.tolist() == [[1]]
        time.sleep(1.1)
        outcome = session.run(shades(1)[0], shades(1)).outcome(0, 0)
        assert outcome is not None
        assert outcome.kind == "timed out"
