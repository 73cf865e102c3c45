import os
import time

import pytest

from car.sandbox.placement import Placement, allowed, place

several = pytest.mark.skipif(len(allowed()) < 2, reason="there is one processor to choose from")


@several
def test_it_stays_where_it_is_until_it_is_let_go() -> None:
    before = allowed()
    placement = Placement(alone=True)
    chosen = placement.take()
    assert allowed() == {chosen}
    placement.release()
    assert allowed() == before


@several
def test_long_answers_may_come_from_any_processor() -> None:
    placement = Placement(alone=False)
    for _ in range(3):
        assert placement.take() is not None
        time.sleep(0.002)
        placement.release()
    assert placement.take() is None
    placement.release()


@several
def test_short_answers_come_from_near_again() -> None:
    placement = Placement(alone=False)
    for _ in range(3):
        placement.take()
        time.sleep(0.002)
        placement.release()
    for _ in range(3):
        placement.take()
        placement.release()
    assert placement.take() is not None
    placement.release()


@several
def test_one_long_answer_changes_nothing() -> None:
    placement = Placement(alone=False)
    for seconds in (0.002, 0.0, 0.002, 0.0):
        placement.take()
        time.sleep(seconds)
        placement.release()
    assert placement.take() is not None
    placement.release()


def test_a_process_that_is_gone_is_no_matter() -> None:
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    place(child, {0})
