"""`car generate` for many tasks."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from car.cli.board import clock
from car.cli.output import next_step, note, notes, result
from car.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from car.batch import Batch, Order, Outcome, Standing
    from car.refine import Course, Forecast
    from car.task import Task
    from car.vlm.price import Pricing

_STYLES = {"accepted": "green", "rejected": "red", "failed": "red", "undecided": "yellow"}
_NUMBERS = ("calls", "tokens in + out", "cost")
_TITLES = ("task", "verdict", *_NUMBERS)
_INTERRUPTED = "Interrupted. Every answer that has come is kept; the same command goes on from there."
_STOPPING = "Interrupted. Waiting for answers on the way, to be paid for anyhow; Ctrl-C again leaves at once."


@dataclass(frozen=True)
class Many:
    """What is asked of the command beside the order.

    Args:
        names: tasks as typed; none for all that are recorded.
        trajectories: the folder of recorded trajectories.
        rewards: the folder of reward bundles.
        fresh: ask anew.
        jobs: tasks that go on side by side.
        on: where.
        dry_run: only say what it would use.
        as_json: print one document for machines.
    """

    names: Sequence[str]
    trajectories: Path
    rewards: Path
    fresh: bool
    jobs: int
    on: str
    dry_run: bool
    as_json: bool


def generate_many(many: Many, order: "Order") -> int:
    """Generates for many tasks; gives the exit code.

    Raises:
        UserError: no task is recorded, one is named twice, or a person would have to answer.
    """
    from car.batch import Batch, exit_code_of
    from car.errands import check_place

    order.check()
    check_place(many.on)
    if order.vlm.partition("/")[0] == "manual":
        raise UserError("With --vlm manual a person answers about one task at a time; name one, without --on.")
    tasks, missing = _tasks(many)
    if many.dry_run:
        _foretell(many, tasks, order)
        return 0
    _say_plan(many, tasks, missing, order)
    batch = Batch(tasks, order, many.trajectories, many.rewards, many.fresh)
    outcomes = _watched(batch, many)
    document = {"tasks": {each.task: each.as_dict() for each in outcomes}, "not_recorded": missing}
    errors = [f"{each.task}: {each.error}" for each in outcomes if each.error]
    steps = [next_step("car review TASK --open")] if any(each.bundle for each in outcomes) else []
    result(many.as_json, document, outcome_table(outcomes, order.budget.price), *errors, *steps)
    return exit_code_of(outcomes)


def _tasks(many: Many) -> "tuple[list[Task], list[str]]":
    from car.batch import recorded
    from car.tasks import all_tasks, find_task

    if many.names:
        named = [find_task(each) for each in many.names]
        if len({each.name for each in named}) < len(named):
            raise UserError("Two of the tasks have the same name, and would be kept in the same place.")
        return named, []
    tasks, missing = recorded(all_tasks(), many.trajectories)
    if not tasks:
        raise UserError(f"No task is recorded in {many.trajectories}; `car record TASK` records one.")
    return tasks, missing


def _say_plan(many: Many, tasks: "Sequence[Task]", missing: Sequence[str], order: "Order") -> None:
    note(f"{len(tasks)} task{'s' * (len(tasks) != 1)}: {', '.join(each.name for each in tasks)}; with {order.vlm}")
    if missing:
        note(f"Not recorded, and left out: {', '.join(missing)}; `car record TASK` records one.")
    if order.paid:
        from car.refine.forecast import in_words

        likely = _sum([each.likely for each in _forecasts(many, tasks, order).values()])
        limits = [name for name in ("calls", "tokens", "cost") if getattr(order, name) is not None]
        held = f" The limit of {' and '.join(limits)} holds for each task." if limits else ""
        note(f"Expected for all: {in_words(likely, order.budget.price)}.{held}")


def _forecasts(many: Many, tasks: "Sequence[Task]", order: "Order") -> "dict[str, Forecast]":
    """By task; those whose trajectories cannot be used are left out, and fail later."""
    from car.record import load_set
    from car.refine import forecast, scene_of
    from car.verify import split

    made = {}
    for each in tasks:
        try:
            made[each.name] = forecast(scene_of(split(*load_set(many.trajectories, each.name))), order.budget)
        except UserError as error:
            note(f"{each.name}: {error}", "yellow")
    return made


def _foretell(many: Many, tasks: "Sequence[Task]", order: "Order") -> None:
    from rich.table import Table

    from car.refine.forecast import in_words

    price, forecasts = order.budget.price, _forecasts(many, tasks, order)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("task", "three sub-tasks, each mended once", "every limit is used up"):
        table.add_column(title, overflow="fold")
    rows = [(name, each.likely, each.most) for name, each in forecasts.items()]
    rows.append(("all", _sum([row[1] for row in rows]), _sum([row[2] for row in rows])))
    for name, likely, most in rows:
        table.add_row(name, in_words(likely, price), in_words(most, price))
    document = {"forecasts": {name: each.as_dict() for name, each in forecasts.items()}, "prices": price.source}
    told = f"Estimated from the prompts; prices: {price.source}. Limits hold for each task. Nothing was asked."
    result(many.as_json, document, table, told)


def _sum(courses: "Sequence[Course]") -> "Course":
    from car.refine import Course
    from car.vlm.tokens import Range

    tokens = sum((each.tokens for each in courses), Range(0, 0))
    costs = [each.cost for each in courses if each.cost is not None]
    known = len(costs) == len(courses)
    cost = (sum(low for low, _ in costs), sum(high for _, high in costs)) if known else None
    return Course(sum(each.calls for each in courses), tokens, cost)


def _watched(batch: "Batch", many: Many) -> "list[Outcome]":
    from rich.live import Live

    from car.batch import Audience

    board = Tasks([each.name for each in batch.tasks], batch.order.budget.price)
    audience = Audience(board.take, board.end, lambda: note(_STOPPING, "yellow"))
    try:
        with Live(board, console=notes, refresh_per_second=4, transient=True):
            return batch.run(audience, many.jobs, many.on)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_INTERRUPTED) from None


class Tasks:
    """A live table: what goes on for each task that has begun.

    Args:
        names: of the tasks.
        price: what tokens cost.
    """

    def __init__(self, names: Sequence[str], price: "Pricing") -> None:
        self._names, self._price = names, price
        self._doing: dict[str, Standing] = {}
        self._began: dict[str, float] = {}
        self._ended: dict[str, Outcome] = {}

    def take(self, task: str, standing: "Standing") -> None:
        """Takes note of how far a task is."""
        self._began.setdefault(task, time.monotonic())
        self._doing[task] = standing

    def end(self, outcome: "Outcome") -> None:
        """Says what came of a task."""
        self._ended[outcome.task] = outcome
        number = f"{len(self._ended)} of {len(self._names)}"
        said = outcome.error or f"{outcome.decision}, {_used(outcome, self._price)}"
        note(f"{outcome.task} ({number}): {said}", _STYLES.get(outcome.decision, ""))

    def __rich__(self) -> "Table | str":
        """The tasks that go on."""
        going = {name: each for name, each in self._doing.items() if name not in self._ended}
        if not going:
            return "" if self._ended else "  starting ..."
        table = _table("task", "", "used", "time")
        for name, standing in going.items():
            seconds = clock(time.monotonic() - self._began[name])
            table.add_row(name, standing.doing, _used(standing, self._price), seconds)
        return table


def outcome_table(outcomes: "Sequence[Outcome]", price: "Pricing") -> "Table":
    """What came of the tasks, and what all of them used; without columns that would be empty."""
    from rich.text import Text

    rows = [(each.task, each.decision, *_spent(each, price)) for each in outcomes]
    if len(outcomes) > 1:
        accepted = f"{sum(each.exit_code == 0 for each in outcomes)} of {len(outcomes)} accepted"
        rows.append(("all", accepted, *_spent(_together(outcomes), price)))
    shown = [index for index, _ in enumerate(_TITLES) if any(row[index] for row in rows)]
    table = _table(*(_TITLES[index] for index in shown))
    for row in rows:
        cells = [Text(row[index], _STYLES.get(row[index], "")) for index in shown]
        table.add_row(*cells, style="bold" if row[0] == "all" else "")
    return table


def _together(outcomes: "Sequence[Outcome]") -> "Standing":
    from car.batch import Standing

    costs = [each.cost for each in outcomes]
    cost = None if None in costs else sum(each for each in costs if each is not None)
    tokens = sum(each.tokens[0] for each in outcomes), sum(each.tokens[1] for each in outcomes)
    return Standing("", sum(each.calls for each in outcomes), tokens, cost)


def _spent(of: "Standing | Outcome", price: "Pricing") -> tuple[str, str, str]:
    """Calls, tokens and cost; empty where nothing is counted, or nobody is paid."""
    from car.refine.purse import money
    from car.vlm.price import Free

    cost = "unknown" if of.cost is None else money(of.cost, price)
    counted = f"{of.tokens[0]:,} + {of.tokens[1]:,}" if any(of.tokens) else ""
    return str(of.calls), counted, "" if isinstance(price, Free) else cost


def _used(of: "Standing | Outcome", price: "Pricing") -> str:
    from car.cli.show import used
    from car.vlm import Usage

    return used(of.calls, Usage(*of.tokens), of.cost, price)


def _table(*names: str) -> "Table":
    from rich.table import Table

    table = Table(header_style="dim", box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold")
    return table
