"""How a session uses its workers."""

from collections.abc import Iterator

import numpy as np
import pytest

from car.checker import Checker, SubTask
from car.frames import Frames
from car.sandbox.child import Child
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
