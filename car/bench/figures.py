"""What came out of a benchmark: a figure for each run, and estimates over the seeds of each row."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from car.bench.estimate import Estimate, estimate, estimate_ratio
from car.bench.plan import ORACLE, Row
from car.train import Progress
from car.train.folder import RunFolder, steps_to


@dataclass(frozen=True)
class RunFigure:
    """One run.

    Args:
        seed: of it.
        steps: environment steps so far.
        finished: whether it has all of its steps, and was evaluated.
        solved_at: steps after which 90% of the last 100 training episodes succeeded; None if never.
        solved_cpu_seconds: processor time of the training process by then; None if never.
        success: in the evaluation at the end, 0 to 1; None if there was none yet.
        credited: mean share of the sub-tasks that were credited in the last 100 training episodes; None without any.
        steps_per_second: by the clock, without evaluations; the median over the lines of progress. None if it is too
            short for that.
        cpu_seconds: processor time of the training process, without the processes in which programs run.
    """

    seed: int
    steps: int
    finished: bool
    solved_at: int | None
    solved_cpu_seconds: float | None
    success: float | None
    credited: float | None
    steps_per_second: float | None
    cpu_seconds: float


@dataclass(frozen=True)
class RowFigures:
    """One reward on one task, over its seeds. Estimates are interquartile means; "never" counts as infinitely many.

    They are those of finished runs: a run that goes on may still get there.

    Args:
        task: its name.
        label: of the reward.
        budget: environment steps of each run.
        runs: a figure for each seed that has begun.
        solved: steps to 90% success; None if no run is finished.
        solved_cpu_seconds: processor time to 90% success.
        success: in the evaluation at the end.
        to_oracle: `solved` over that of the oracle, both of the seeds that both have; None if there are none, or both
            are infinite.
        to_oracle_bound: where one of the two is infinite, the ratio with the budget in its place.
    """

    task: str
    label: str
    budget: int
    runs: tuple[RunFigure, ...]
    solved: Estimate | None
    solved_cpu_seconds: Estimate | None
    success: Estimate | None
    to_oracle: Estimate | None = None
    to_oracle_bound: float | None = None

    @property
    def finished(self) -> tuple[RunFigure, ...]:
        """The runs that are finished."""
        return tuple(run for run in self.runs if run.finished)

    @property
    def times_solved(self) -> int:
        """How many finished runs reached 90% success."""
        return sum(run.solved_at is not None for run in self.finished)

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON-serialisable fields; infinity is written as null."""
        fields = dataclasses.asdict(self)
        for name in ("solved", "solved_cpu_seconds", "success", "to_oracle"):
            if fields[name] is not None:
                fields[name] = {end: _finite(value) for end, value in fields[name].items()}
        return fields


def _finite(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None


def run_figure(folder: Path, seed: int) -> RunFigure | None:
    """The figure of the run in a folder; None if it has not begun.

    Raises:
        UserError: its progress is damaged.
    """
    run = RunFolder(folder)
    lines = run.lines()
    if not lines:
        return None
    last, solved_at = lines[-1], steps_to(folder)
    # The policy is written after whoever is told of the last line has read it.
    at_end = last.evaluation if run.finished or last.steps >= last.total else None
    return RunFigure(
        seed=seed,
        steps=last.steps,
        finished=at_end is not None,
        solved_at=solved_at,
        solved_cpu_seconds=next((line.cpu_seconds for line in lines if line.steps == solved_at), None),
        success=at_end.success if at_end is not None else None,
        credited=next((line.credited for line in reversed(lines) if line.credited is not None), None),
        steps_per_second=_rate(lines),
        cpu_seconds=last.cpu_seconds,
    )


def _rate(lines: Sequence[Progress]) -> float | None:
    """Steps a second while training, without evaluations: the median over the lines."""
    rates = [
        (after.steps - before.steps) / (after.wall_seconds - before.wall_seconds)
        for before, after in pairwise(lines)
        if after.steps > before.steps and after.evaluation is None and after.wall_seconds > before.wall_seconds
    ]
    return round(float(np.median(rates)), 1) if rates else None


def row_figures(rows: Sequence[Row], seeds: Sequence[int], out: Path) -> list[RowFigures]:
    """The figures of rows, as far as their runs have come.

    Raises:
        UserError: the progress of a run is damaged.
    """
    found = [_figures(row, seeds, out) for row in rows]
    oracles = {each.task: each for each in found if each.label == ORACLE}
    return [_compared(each, oracles.get(each.task)) for each in found]


def _figures(row: Row, seeds: Sequence[int], out: Path) -> RowFigures:
    runs = tuple(run for seed in seeds if (run := run_figure(row.folder(seed, out), seed)) is not None)
    finished = [run for run in runs if run.finished]
    return RowFigures(
        task=row.task.name,
        label=row.label,
        budget=row.settings.steps,
        runs=runs,
        solved=estimate([_or_never(run.solved_at) for run in finished]) if finished else None,
        solved_cpu_seconds=estimate([_or_never(run.solved_cpu_seconds) for run in finished]) if finished else None,
        success=estimate([run.success for run in finished if run.success is not None]) if finished else None,
    )


def _compared(row: RowFigures, oracle: RowFigures | None) -> RowFigures:
    if oracle is None or row is oracle:
        return row
    own, its = ({run.seed: _or_never(run.solved_at) for run in each.finished} for each in (row, oracle))
    common = sorted(own.keys() & its.keys())
    if not common:
        return row
    steps = [[each[seed] for seed in common] for each in (own, its)]
    ratio = estimate_ratio(*steps)
    if ratio is None or 0 < ratio.value < math.inf:
        return dataclasses.replace(row, to_oracle=ratio)
    bounded = np.minimum(steps, [[row.budget], [oracle.budget]]).tolist()
    bound = estimate_ratio(*bounded)
    return dataclasses.replace(row, to_oracle=ratio, to_oracle_bound=None if bound is None else bound.value)


def _or_never(value: float | None) -> float:
    return math.inf if value is None else float(value)
