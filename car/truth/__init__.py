"""What is really the case in an environment, read from its state. For evaluation only.

A prompt, a checker, verification, refinement and training must not know any of this: the import contract in
pyproject.toml keeps every other module from importing it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from car.errors import UnknownName
from car.task import Env
from car.truth import cart_pole, minigrid, mountain_car, taxi

_TRUTH = minigrid.TRUTH | taxi.TRUTH | mountain_car.TRUTH | cart_pole.TRUTH


@dataclass(frozen=True)
class Predicate:
    """One true sub-task.

    Args:
        name: what it is called in tables.
        holds: whether the environment's present state fulfils it.
    """

    name: str
    holds: Callable[[Env], bool]


def truth_for(task_name: str) -> list[Predicate]:
    """The sub-tasks of a built-in task, in the order in which they must be done.

    Raises:
        UnknownName: there is no ground truth for this task.
    """
    if task_name not in _TRUTH:
        raise UnknownName("ground truth for the task", task_name, sorted(_TRUTH))
    return [Predicate(name, _on_world(holds)) for name, holds in _TRUTH[task_name].items()]


def _on_world(holds: Callable[[Any], bool]) -> Callable[[Env], bool]:
    return lambda env: bool(holds(env.unwrapped))
