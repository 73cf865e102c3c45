"""Learning curves of a task: the interquartile mean over seeds, and its bootstrap interval."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, PercentFormatter
from numpy.typing import NDArray

from car.bench.estimate import estimate
from car.bench.plan import ORACLE
from car.files import write_atomically
from car.train.folder import RunFolder

# Okabe and Ito's colours; a reward has the same one on every task.
_LOOKS: Mapping[str, tuple[str, str]] = {
    "sparse": ("#D55E00", "s"),
    "generated": ("#0072B2", "o"),
    "oracle": ("#009E73", "^"),
    "naive": ("#CC79A7", "D"),
    "hidden": ("#E69F00", "v"),
    "options": ("#56B4E9", "P"),
    "clip-cosine": ("#8C564B", "p"),
    "clip-softmax": ("#7F7F7F", "h"),
    "clip-gated": ("#000000", "X"),
}
_OTHERS = (("#BCBD22", "*"), ("#17BECF", "d"), ("#9467BD", "<"), ("#FF9896", ">"))
_INK, _GRID = "#222222", "#DDDDDD"
_POINTS = 60

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def task_curves(runs: Mapping[str, Sequence[Path]], path: Path, title: str) -> None:
    """Draws training success over environment steps, 1600 x 900 pixels, and saves it as PNG.

    Args:
        runs: for each reward the folders of its runs; those that are not finished are left out, unless all are.
        path: of the PNG file.
        title: one line above.

    Raises:
        UserError: the progress of a run is damaged.
    """
    layout = ConstrainedLayoutEngine(w_pad=0.35, h_pad=0.25)
    figure = Figure(figsize=(16, 9), dpi=100, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    others = iter(_OTHERS * len(runs))
    for label, folders in runs.items():
        done = [folder for folder in folders if RunFolder(folder).finished]
        curves = [curve for folder in done or folders if len((curve := _curve(folder))[0])]
        if curves:
            _draw(axes, label, curves, *(_LOOKS.get(label) or next(others)))
    _dress(axes, title)
    with write_atomically(path) as stream:
        figure.savefig(stream, format="png")


def _curve(folder: Path) -> Curve:
    """How many of the last 100 episodes succeeded, at each line of a run."""
    pairs = [(line.steps, line.solved or 0.0) for line in RunFolder(folder).lines()]
    steps, success = np.array(pairs, np.float64).reshape(-1, 2).T
    return steps, success


def _draw(axes: Axes, label: str, curves: Sequence[Curve], colour: str, marker: str) -> None:
    last = min(steps[-1] for steps, _ in curves)
    grid = np.linspace(0.0, last, _POINTS)
    table = np.stack([np.interp(grid, np.append(0.0, steps), np.append(0.0, success)) for steps, success in curves])
    for row in table:
        axes.plot(grid, row, color=colour, linewidth=0.8, alpha=0.3)
    estimates = [estimate(column) for column in table.T]
    low, high = ([value for each in estimates if (value := getattr(each, end)) is not None] for end in ("low", "high"))
    if low and high:
        axes.fill_between(grid, low, high, color=colour, alpha=0.15, linewidth=0)
    seeds = f"{len(curves)} seed{'s' * (len(curves) != 1)}"
    axes.plot(
        grid,
        [each.value for each in estimates],
        color=colour,
        # What is right gives the very runs of the oracle, which must not hide it.
        linewidth=2 if label == ORACLE else 5,
        zorder=3 if label == ORACLE else 2,
        linestyle=(0, (3, 2)) if label == ORACLE else "solid",
        marker=marker,
        markersize=9,
        markerfacecolor="white" if label == ORACLE else colour,
        markevery=6,
        label=f"{label} ({seeds})",
    )


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=26, pad=18, color=_INK, loc="left", fontweight="bold")
    axes.set_xlabel("environment steps", fontsize=20, color=_INK, labelpad=10)
    axes.set_ylabel("success in the last 100 training episodes", fontsize=20, color=_INK, labelpad=10)
    axes.set_xlim(left=0)
    axes.set_ylim(-0.03, 1.03)
    axes.axhline(0.9, color=_INK, linewidth=1, linestyle=(0, (4, 4)))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda steps, _: f"{steps:,.0f}"))
    axes.tick_params(labelsize=17, colors=_INK, length=0)
    axes.grid(color=_GRID, linewidth=1)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=18, loc="best", frameon=True, framealpha=0.9, edgecolor=_GRID, labelcolor=_INK)
