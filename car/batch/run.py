"""Generates for many tasks."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from car.batch.order import Order
from car.batch.outcome import Outcome, Standing
from car.batch.places import errand_of, journal_of, made_in
from car.bundle import take_in
from car.errands import HERE, run
from car.errors import CarError, UserError
from car.generation import put_aside
from car.record.shelf import WHO, shelf_path
from car.task import Task
from car.vlm.journal import alone

_GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class Audience:
    """Who is told how a batch goes, in the thread of the caller.

    Args:
        standing: how far a task is.
        ended: what came of a task.
        stopping: it was interrupted, and the tasks that go on wait for answers that are on their way.
    """

    standing: Callable[[str, Standing], None] = lambda task, standing: None
    ended: Callable[[Outcome], None] = lambda outcome: None
    stopping: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Batch:
    """The generation of reward code for many tasks.

    Args:
        tasks: the tasks, with different names.
        order: how it is to be done for each.
        trajectories: the folder of recorded trajectories.
        rewards: the folder of reward bundles, where the replies are kept too.
        fresh: ask anew; the replies so far are put aside.
    """

    tasks: Sequence[Task]
    order: Order
    trajectories: Path
    rewards: Path
    fresh: bool = False

    def run(self, audience: Audience, at_once: int = 1, on: str = HERE) -> list[Outcome]:
        """Generates; gives what came of each task, in the order of the tasks.

        Args:
            audience: who is told.
            at_once: how many tasks go on at a time.
            on: where; see `car.errands.run`.

        Raises:
            UserError: the order cannot be carried out, or there is no such place.
            KeyboardInterrupt: Ctrl-C; every reply that has come is kept.
        """
        return _Run(self, audience).outcomes(at_once, on)


class _Run:
    def __init__(self, batch: Batch, audience: Audience) -> None:
        self._batch, self._audience = batch, audience
        self._standings: dict[str, Standing] = {}
        self._outcomes: dict[str, Outcome] = {}

    def outcomes(self, at_once: int, on: str) -> list[Outcome]:
        batch = self._batch
        with ExitStack() as locks:
            self._tasks = [task for task in batch.tasks if self._claimed(task.name, locks, on)]
            errands = [errand_of(task, batch.order, batch.trajectories, batch.rewards) for task in self._tasks]
            patience = batch.order.timeout + _GRACE_SECONDS
            run(errands, at_once, self._hear, self._end, on, patience, self._audience.stopping)
        return [self._outcomes[task.name] for task in batch.tasks]

    def _claimed(self, task: str, locks: ExitStack, on: str) -> bool:
        """Whether the replies about a task are ours alone; if not, it has failed.

        A process on this machine sees to that itself, so that it is still so if this one is killed.
        """
        journal = journal_of(self._batch.rewards, task)
        if not self._batch.order.paid:
            return True
        try:
            if self._batch.fresh:
                with alone(journal):
                    put_aside(journal)
            locks.enter_context(nullcontext() if on == HERE else alone(journal))
        except UserError as error:
            self._take(Outcome.failed(task, error, Standing()))
            return False
        return True

    def _hear(self, index: int, said: Mapping[str, Any]) -> None:
        task = self._tasks[index].name
        if "standing" in said:
            self._standings[task] = Standing.of(said["standing"])
            self._audience.standing(task, self._standings[task])
        elif "outcome" in said:
            self._outcomes[task] = Outcome.told(said["outcome"])

    def _end(self, index: int, error: CarError | None) -> None:
        task = self._tasks[index].name
        if error is not None:
            self._take(Outcome.failed(task, error, self._standings.get(task, Standing())))
            return
        if task not in self._outcomes:
            error = CarError(f"The generation for {task!r} ended without a verdict; the same command goes on.")
            self._take(Outcome.failed(task, error, self._standings.get(task, Standing())))
            return
        try:
            bundle = take_in(made_in(self._batch.rewards, task) / task, self._batch.rewards)
        except (OSError, CarError) as lost:
            # Whatever befell this one, the others were paid for as well.
            said = UserError(f"The bundle of {task!r} cannot be put into {self._batch.rewards}: {lost}")
            self._take(Outcome.failed(task, said, self._standings.get(task, Standing())))
            return
        self._take(replace(self._outcomes[task], bundle=bundle))

    def _take(self, outcome: Outcome) -> None:
        self._outcomes[outcome.task] = outcome
        self._audience.ended(outcome)


def recorded(tasks: Mapping[str, Task], trajectories: Path) -> tuple[list[Task], list[str]]:
    """The tasks with recorded trajectories, and the names of the others."""
    there = {name: any(shelf_path(trajectories, name, who).exists() for who in WHO) for name in tasks}
    return [task for name, task in tasks.items() if there[name]], [name for name in tasks if not there[name]]
