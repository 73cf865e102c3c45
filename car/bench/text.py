"""Figures of a benchmark as words."""

import math
from collections.abc import Sequence

from car.bench.estimate import Estimate
from car.bench.figures import RowFigures
from car.bench.quality import Quality

TITLES = (
    "task",
    "reward",
    "90% after, k",
    "solved",
    "CPU s",
    "at the end",
    "to oracle",
    "steps/s",
)
"""Of the columns: steps to 90% success in thousands, seeds that got there, success in the end."""


QUALITY_TITLES = ("task", "reward", "frames/s", "sub-task", "precision", "recall")
"""Of the table about the rewards themselves."""


def quality_cells(quality: Quality) -> tuple[str, ...]:
    """A row of the table about the rewards, in the order of `QUALITY_TITLES`; a line for each part."""
    parts = quality.parts
    return (
        quality.task,
        quality.label,
        f"{quality.frames_per_second:,.0f}",
        "\n".join(each.name for each in parts),
        "\n".join(_percent(each.precision) for each in parts),
        "\n".join(_percent(each.recall) for each in parts),
    )


def quality_markdown(rows: Sequence[Quality]) -> str:
    """The table about the rewards as Markdown."""
    lines = ["| " + " | ".join(QUALITY_TITLES) + " |", "| --- | --- | ---: | --- | ---: | ---: |"]
    for row in rows:
        lines.append("| " + " | ".join(cell.replace("\n", "<br>") for cell in quality_cells(row)) + " |")
    return "\n".join(lines) + "\n"


def _percent(share: float | None) -> str:
    return "\N{EN DASH}" if share is None else f"{100 * share:.1f}%"


def cells(row: RowFigures) -> tuple[str, ...]:
    """A row of the table, in the order of `TITLES`."""
    budget = row.budget / 1000
    never = f">{budget:,.0f}" if budget >= 1 else f">{budget:.1g}"
    rates = sorted(run.steps_per_second for run in row.runs if run.steps_per_second is not None)
    going_on = len(row.runs) - len(row.finished)
    return (
        row.task,
        row.label,
        _thousands(row.solved, never),
        f"{row.times_solved} of {len(row.finished)}" + (f" +{going_on}" if going_on else ""),
        _seconds(row.solved_cpu_seconds),
        _share(row.success),
        _ratio(row.to_oracle, row.to_oracle_bound),
        f"{rates[len(rates) // 2]:,.0f}" if rates else "",
    )


def markdown(rows: Sequence[RowFigures]) -> str:
    """The table as Markdown; a task is named in its first row."""
    lines = ["| " + " | ".join(TITLES) + " |", "| --- | --- |" + " ---: |" * (len(TITLES) - 2)]
    before = ""
    for row in rows:
        named, *rest = cells(row)
        lines.append("| " + " | ".join(["" if named == before else named, *rest]) + " |")
        before = named
    return "\n".join(lines) + "\n"


def _thousands(steps: Estimate | None, never: str) -> str:
    if steps is None:
        return ""
    if math.isinf(steps.value):
        return never + _span(steps, 1 / 1000, 0)
    return f"{steps.value / 1000:.0f}{_span(steps, 1 / 1000, 0)}"


def _seconds(seconds: Estimate | None) -> str:
    return "" if seconds is None or math.isinf(seconds.value) else f"{seconds.value:.0f}"


def _share(success: Estimate | None) -> str:
    if success is None:
        return ""
    return f"{100 * success.value:.1f}%{_span(success, 100, 0)}"


def _ratio(ratio: Estimate | None, bound: float | None) -> str:
    if ratio is None:
        return ""
    if bound is not None:
        return f"{'>' if math.isinf(ratio.value) else '<'}{bound:.1f}"
    return f"{ratio.value:.2f}{_span(ratio, 1, 2)}"


def _span(estimate: Estimate, factor: float, digits: int) -> str:
    """The interval in brackets; nothing if there is none, or if it is infinite throughout."""
    if estimate.low is None or estimate.high is None or math.isinf(estimate.low):
        return ""
    low, high = factor * estimate.low, factor * estimate.high
    return f" ({low:.{digits}f}\N{EN DASH}{'never' if math.isinf(high) else f'{high:.{digits}f}'})"
