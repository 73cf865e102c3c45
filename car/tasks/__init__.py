"""The built-in tasks, and how a task is found by name."""

from pathlib import Path

from car.errors import BadTask, UnknownName
from car.task import Task, load_task, resolve
from car.tasks import cart_pole, minigrid, mountain_car, taxi

_BUILT_IN = {task.name: task for task in (*minigrid.TASKS, taxi.TASK, mountain_car.TASK, cart_pole.TASK)}
_FILES = Path(__file__).parent / "files"


def all_tasks() -> dict[str, Task]:
    """The built-in tasks by name."""
    return dict(_BUILT_IN)


def shipped_files() -> dict[str, Path]:
    """The task files that come with the package, by the task's name; their environments need further packages."""
    return {path.stem: path for path in sorted(_FILES.glob("*.toml"))}


def find_task(name: str) -> Task:
    """The task called `name`.

    Args:
        name: a built-in name, that of a shipped task file, the path of a ``.toml`` task file, or ``module:attribute``
            of a `Task`.

    Raises:
        UnknownName: none of these.
        BadTask: the file or the module cannot be read, or does not hold a task.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    files = shipped_files()
    if name in files or name.endswith(".toml"):
        return load_task(files.get(name, Path(name)))
    if ":" not in name:
        raise UnknownName("task", name, sorted([*_BUILT_IN, *files]))
    task = resolve(name)
    if not isinstance(task, Task):
        raise BadTask(f"{name!r} is a {type(task).__name__}; it must be a car.task.Task.")
    return task
