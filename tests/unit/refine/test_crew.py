"""Work side by side, in threads or in none."""

import threading

import pytest

from car.refine.crew import Crew


@pytest.mark.parametrize("limit", [0, 1, 4])
def test_results_come_with_their_keys(limit: int) -> None:
    crew: Crew[int] = Crew(limit)
    found = {}
    for key in range(9):
        if crew.full:
            done, result = crew.result()
            found[done] = result
        crew.begin(key, lambda key=key: key * key)  # type: ignore[misc]
    while crew.busy:
        done, result = crew.result()
        found[done] = result
    assert found == {key: key * key for key in range(9)}


def test_so_many_run_at_once_and_no_more() -> None:
    crew: Crew[int] = Crew(3)
    meet = threading.Barrier(3, timeout=10)
    for key in range(3):
        assert not crew.full
        crew.begin(key, meet.wait)
    assert crew.full
    assert sorted(crew.result()[0] for _ in range(3)) == [0, 1, 2]
    assert not crew.full


@pytest.mark.parametrize("limit", [0, 2])
def test_what_is_raised_is_a_result(limit: int) -> None:
    def work() -> int:
        raise OSError("no disk")

    crew: Crew[int] = Crew(limit)
    crew.begin(7, work)
    key, result = crew.result()
    assert key == 7
    assert isinstance(result, OSError)
    assert crew.busy == 0


def test_without_threads_work_runs_in_the_callers_and_can_be_interrupted() -> None:
    def work() -> int:
        assert threading.current_thread() is threading.main_thread()
        raise KeyboardInterrupt

    crew: Crew[int] = Crew(0)
    with pytest.raises(KeyboardInterrupt):
        crew.begin(0, work)
    assert crew.running == 0
    crew.wait()


def test_waiting_ends_when_no_thread_is_at_work_whatever_was_counted() -> None:
    """An interrupt may come between a result and its count: waiting must not go by the count."""
    crew: Crew[int] = Crew(3)
    go_on = threading.Event()
    for key in range(2):
        crew.begin(key, lambda: int(go_on.wait(10)))
    assert crew.running == 2
    crew.busy += 1
    threading.Timer(0.1, go_on.set).start()
    crew.wait()
    assert crew.running == 0
    assert sorted(crew.result() for _ in range(2)) == [(0, 1), (1, 1)]
