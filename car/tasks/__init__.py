"""The built-in tasks, and how a task is found by name."""

from pathlib import Path

from car.errors import BadTask, UnknownName
from car.task import Task, load_task, resolve
from car.tasks import minigrid, mountain_car, taxi

_BUILT_IN = {task.name: task for task in (*minigrid.TASKS, taxi.TASK, mountain_car.TASK)}


def all_tasks() -> dict[str, Task]:
    """The built-in tasks by name."""
    return dict(_BUILT_IN)


def find_task(name: str) -> Task:
    """The task called `name`.

    Args:
        name: a built-in name, the path of a ``.toml`` task file, or ``module:attribute`` of a `Task`.

    Raises:
        UnknownName: none of these.
        BadTask: the file or the module cannot be read, or does not hold a task.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if name.endswith(".toml"):
        return load_task(Path(name))
    if ":" not in name:
        raise UnknownName("task", name, sorted(_BUILT_IN))
    task = resolve(name)
    if not isinstance(task, Task):
        raise BadTask(f"{name!r} is a {type(task).__name__}; it must be a car.task.Task.")
    return task
