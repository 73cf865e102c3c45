"""Right checkers, written by hand, for every built-in task with a goal to reach: what a verifier may never reject."""

from car.checker import Checker
from car.errors import UnknownName
from tests.planted import right_minigrid, right_mountain_car, right_taxi

_STEPS = {
    **right_minigrid.STEPS,
    "taxi": right_taxi.STEPS,
    "mountaincar-continuous": right_mountain_car.STEPS,
}


def tasks_with_a_chain() -> list[str]:
    """The built-in tasks for which there are right checkers."""
    return list(_STEPS)


def right_chain(task_name: str) -> list[Checker]:
    """The right checkers of a built-in task, in the chain's order; the last is the goal.

    The sub-tasks have the names of the true predicates in `car.truth`.

    Raises:
        UnknownName: there are none for this task.
    """
    if task_name not in _STEPS:
        raise UnknownName("right checkers for the task", task_name, sorted(_STEPS))
    return right_minigrid.chain_of(*_STEPS[task_name])
