from car.sandbox.deadline import Deadline


class Worker:
    """A worker whose processor time and sleep the test sets."""

    def __init__(self) -> None:
        self.used: float | None = 0.0
        self.asleep = False

    def processor_seconds(self) -> float | None:
        return self.used

    def sleeps(self) -> bool:
        return self.asleep


def after(deadline: Deadline, seconds: float) -> None:
    """As if the answer had begun earlier."""
    deadline._since -= seconds


def test_in_time_nobody_is_late() -> None:
    worker, deadline = Worker(), Deadline(2.0, 10.0)
    worker.used = 100.0
    assert not deadline.passed(worker)


def test_processor_time_counts_not_the_clock_on_the_wall() -> None:
    worker, deadline = Worker(), Deadline(2.0, 10.0)
    assert not deadline.passed(worker)
    after(deadline, 5.0)
    worker.used = 1.9
    assert not deadline.passed(worker)
    worker.used = 2.0
    assert deadline.passed(worker)


def test_what_was_used_for_earlier_answers_does_not_count() -> None:
    worker, deadline = Worker(), Deadline(2.0, 10.0)
    worker.used = 50.0
    deadline.restart()
    assert not deadline.passed(worker)
    after(deadline, 3.0)
    worker.used = 51.0
    assert not deadline.passed(worker)


def test_one_that_sleeps_is_late_at_once() -> None:
    worker, deadline = Worker(), Deadline(2.0, 10.0)
    worker.asleep = True
    assert not deadline.passed(worker)
    after(deadline, 2.0)
    assert deadline.passed(worker)


def test_patience_ends() -> None:
    worker, deadline = Worker(), Deadline(2.0, 10.0)
    assert not deadline.passed(worker)
    after(deadline, 20.0)
    assert deadline.passed(worker)


def test_without_a_clock_for_the_processor_the_wall_clock_counts() -> None:
    worker, deadline = Worker(), Deadline(2.0, 10.0)
    worker.used = None
    after(deadline, 2.0)
    assert deadline.passed(worker)
