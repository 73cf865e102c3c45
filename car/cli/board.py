"""The live table of training runs."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from car.cli.output import note, notes

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.table import Table
    from rich.text import Text

    from car.train import Job, Progress

_LEFT = ("task", "reward", "run", "sub-task", "sentence", "model", "template", "size")
_RECENT = 8
_TITLES = ("reward", "seed", "steps", "done", "solved", "eval", "credited", "steps/s", "left")
_INDENT, _GAP = "  ", "  "
_NARROWEST = 6

Cells = Sequence[str]
"""What a line of the live table says: the reward, and eight numbers."""


class Board:
    """A live table of runs: one line for each task, reward and seed that has begun, and the time left.

    Args:
        at_once: how many runs go on at a time.
        total: environment steps of all runs together.
        done: steps of runs that were finished before.
        running_only: whether runs that have ended leave the table; for many runs.
    """

    def __init__(self, at_once: int, total: int, done: int = 0, running_only: bool = False) -> None:
        self._at_once, self._total, self._done, self._running_only = at_once, total, done, running_only
        self._rows: dict[_Key, _Run] = {}
        self._failing: set[_Key] = set()

    def note(self, job: "Job", line: "Progress") -> None:
        """Takes a line of progress of one run."""
        key = job.task.name, job.label, job.settings.seed
        run = self._rows.setdefault(key, _Run())
        run.take(line)
        named = f"{job.task.name}, {job.label}, seed {job.settings.seed}"
        if line.failures and key not in self._failing:
            self._failing.add(key)
            note(f"{named}: a program gives no answer on some frames; see its progress.jsonl.", "yellow")
        if line.evaluation is not None and not notes.is_terminal:
            # A log has no table that changes in place.
            solved = percent(line.solved) or "none"
            reached = f"{solved} solved, {line.evaluation.success:.0%} in evaluation"
            note(f"{named}: {line.steps:,} steps, {reached}")

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "Iterator[Text]":
        """The table, as wide as it must be; before the first line of progress, that there is none yet."""
        from rich.text import Text

        if not self._rows:
            yield Text("  starting ...")
            return
        rows = list(self._shown(options.size.height))
        total = len(self._rows) > 1 or self._total > sum(run.last.total for run in self._rows.values())
        last = ("all", "", "", percent(self._steps() / self._total), "", "", "", "", clock(self._left()))
        lines = [_TITLES, *(cells for _, cells in rows), *([last] if total else [])]
        several, before = self._running_only or len(self._tasks()) > 1, ""
        indent = _INDENT * (1 + several)
        widths = _widths(lines, options.max_width - len(indent))
        yield _line(_TITLES, widths, indent, "dim")
        for task, cells in rows:
            if several and task != before:
                yield Text(_INDENT + task, no_wrap=True, overflow="ellipsis")
            before = task
            yield _line(cells, widths, indent)
        if total:
            yield _line(last, widths, indent, "bold")

    def _tasks(self) -> set[str]:
        return {task for task, _, _ in self._rows}

    def _shown(self, height: int) -> "Iterator[tuple[str, Cells]]":
        """The task and the cells of each run that is shown; what has ended makes way where there is no room."""
        crowded = len(self._rows) + len(self._tasks()) + 3 > height
        for (task, label, seed), run in sorted(self._rows.items()):
            if not ((self._running_only or crowded) and run.ended):
                yield task, (label, str(seed), *run.cells())

    def _steps(self) -> int:
        return self._done + sum(min(run.last.steps, run.last.total) for run in self._rows.values())

    def _left(self) -> float | None:
        """Seconds until all runs are done, if those that wait are as fast as those that go on."""
        rates = [run.rate for run in self._rows.values() if run.rate]
        if not rates:
            return None
        return (self._total - self._steps()) / (sum(rates) / len(rates)) / self._at_once


_Key = tuple[str, str, int]


def _widths(lines: Sequence[Cells], width: int) -> list[int]:
    """How wide each column is: the numbers whole, and for the names what is left."""
    name, *numbers = (max(map(len, column)) for column in zip(*lines, strict=True))
    room = width - sum(numbers) - len(_GAP) * len(numbers)
    return [max(min(name, room), _NARROWEST), *numbers]


def _line(cells: Cells, widths: Sequence[int], indent: str, style: str = "") -> "Text":
    """One line: the name on the left and cut if it must be, the numbers on the right."""
    from rich.text import Text

    name, *numbers = cells
    first = name if len(name) <= widths[0] else f"{name[: widths[0] - 1]}\u2026"
    aligned = (number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True))
    return Text(indent + _GAP.join([first.ljust(widths[0]), *aligned]), style, no_wrap=True, overflow="ellipsis")


class _Run:
    """The latest lines of one run."""

    def __init__(self) -> None:
        self._lines: list[Progress] = []
        self._evaluated: float | None = None

    @property
    def last(self) -> "Progress":
        return self._lines[-1]

    @property
    def ended(self) -> bool:
        return self.last.steps >= self.last.total and self.last.evaluation is not None

    @property
    def rate(self) -> float | None:
        """Steps a second lately, evaluations included."""
        first, seconds = self._lines[0], self.last.wall_seconds - self._lines[0].wall_seconds
        if seconds > 0:
            return (self.last.steps - first.steps) / seconds
        return self.last.steps / self.last.wall_seconds if self.last.wall_seconds else None

    def take(self, line: "Progress") -> None:
        self._lines = [*self._lines, line][-_RECENT:]
        if line.evaluation is not None:
            self._evaluated = line.evaluation.success

    def cells(self) -> Sequence[str]:
        line, rate = self.last, self.rate
        left = max(0, line.total - line.steps) / rate if rate else None
        return (
            f"{line.steps:,}",
            percent(min(line.steps, line.total) / line.total),
            percent(line.solved),
            percent(self._evaluated),
            percent(line.credited),
            f"{rate:,.0f}" if rate else "",
            clock(left),
        )


def percent(share: float | None) -> str:
    """A share in whole percent; nothing for None."""
    return "" if share is None else f"{share:.0%}"


def clock(seconds: float | None) -> str:
    """A time as h:mm:ss or m:ss; nothing for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def columns(*names: str) -> "Table":
    """A table without lines: what a thing is called on the left, numbers on the right.

    Where the terminal is too narrow, cells go on in another line; nothing is cut.
    """
    from rich.table import Table

    table = Table(header_style="dim", box=None, padding=(0, 1))
    for name in names:
        table.add_column(name, justify="left" if name in _LEFT else "right", overflow="fold")
    return table
