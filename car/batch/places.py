"""Where things lie in the folder of reward bundles while they are made, and the errand that makes them there."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from car.batch.order import Order
from car.errands import Errand
from car.task import Task
from car.vlm.choose import environment_of

_JOURNALS = ".journal"
_REPLAY = "replay/"


def journal_of(rewards: Path, task: str) -> Path:
    """The folder of the replies about a task."""
    return rewards / _JOURNALS / task


def made_in(rewards: Path, task: str) -> Path:
    """The folder in which the bundle of a task is made."""
    return rewards / _JOURNALS / ".made" / task


def errand_of(task: Task, order: Order, trajectories: Path, rewards: Path) -> Errand:
    """The generation for a task, for a process of its own.

    Args:
        task: the task.
        order: how it is to be done.
        trajectories: the folder of all recorded trajectories.
        rewards: the folder of reward bundles.
    """
    spec, reads = order.spec(task.name), {"trajectories": trajectories / task.name}
    if spec.startswith(_REPLAY) and Path(spec.removeprefix(_REPLAY)).is_file():
        reads["recording"] = Path(spec.removeprefix(_REPLAY))
    log = f"{_JOURNALS}/.log/{task.name}.txt"
    made = made_in(rewards, task.name).relative_to(rewards)
    return Errand(
        title=f"The generation for {task.name}",
        module="car.batch",
        fields={"task": task.as_dict(), "order": dataclasses.asdict(order)},
        folder=rewards,
        parts=(f"{_JOURNALS}/{task.name}", str(made), log),
        reads=reads,
        log=log,
        environment=environment_of(spec),
    )


def with_recording(order: Order, told: Mapping[str, Any]) -> Order:
    """The order with the recording where it lies on this machine, if it is a file."""
    return dataclasses.replace(order, vlm=_REPLAY + told["recording"]) if "recording" in told else order
