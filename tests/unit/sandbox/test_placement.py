import os
import time

import pytest

from car.sandbox.placement import Placement, allowed, place

several = pytest.mark.skipif(len(allowed()) < 2, reason="there is one processor to choose from")


def called(placement: Placement, seconds: float = 0.0) -> set[int]:
    """One call that takes so long; returns where its workers may run."""
    processors = placement.take()
    time.sleep(seconds)
    placement.let_go()
    placement.note_end()
    return processors


@several
def test_it_stays_where_it_is_until_it_is_let_go() -> None:
    before = allowed()
    placement = Placement(alone=True)
    chosen = placement.take()
    assert len(chosen) == 1
    assert allowed() == chosen
    placement.let_go()
    assert allowed() == before
    placement.let_go()
    assert allowed() == before


@several
def test_long_answers_may_come_from_any_processor() -> None:
    placement = Placement(alone=False)
    assert [len(called(placement, 0.002)) for _ in range(3)] == [1, 1, 1]
    assert called(placement) == allowed()


@several
def test_short_answers_come_from_near_again() -> None:
    placement = Placement(alone=False)
    for seconds in (0.002, 0.002, 0.002, 0.0, 0.0, 0.0):
        called(placement, seconds)
    assert len(called(placement)) == 1


@several
def test_one_long_answer_changes_nothing() -> None:
    placement = Placement(alone=False)
    for seconds in (0.002, 0.0, 0.002, 0.0):
        called(placement, seconds)
    assert len(called(placement)) == 1


def test_a_process_that_is_gone_is_no_matter() -> None:
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    before = allowed()
    place(child, {0})
    assert allowed() == before
