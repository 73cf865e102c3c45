"""The learning curve as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, PercentFormatter
from numpy.typing import NDArray

from car.files import write_atomically
from car.train.folder import RunFolder

# Okabe and Ito's colours, which people with any colour vision can tell apart; each also has a marker of its own.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_INK, _GRID = "#222222", "#DDDDDD"

Points = tuple[NDArray[np.float64], NDArray[np.float64]]


def success_curve(runs: Mapping[str, Sequence[Path]], path: Path, title: str) -> Figure:
    """Draws success in evaluation over environment steps, 1600 x 900 pixels, and saves it as PNG.

    A thin line for each run, and for each label with several runs their mean as a thick line and the range from worst
    to best as a shade, as far as all of them have come.

    Args:
        runs: for each label the folders of its runs, one for each seed.
        path: of the PNG file.
        title: one line above.

    Raises:
        UserError: the progress of a run is damaged.
    """
    layout = ConstrainedLayoutEngine(w_pad=0.35, h_pad=0.25)
    figure = Figure(figsize=(16, 9), dpi=100, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    furthest = 0.0
    for number, (label, folders) in enumerate(runs.items()):
        curves = [points for points in (_evaluations(folder) for folder in folders) if len(points[0])]
        furthest = max([furthest, *(float(steps[-1]) for steps, _ in curves)])
        _draw(axes, label, curves, number)
    _dress(axes, title, furthest)
    with write_atomically(path) as stream:
        figure.savefig(stream, format="png")
    return figure


def _evaluations(folder: Path) -> Points:
    """The steps and the success of each evaluation of a run."""
    pairs = [(line.steps, line.evaluation.success) for line in RunFolder(folder).lines() if line.evaluation is not None]
    steps, success = np.array(pairs, np.float64).reshape(-1, 2).T
    return steps, success


def _draw(axes: Axes, label: str, curves: Sequence[Points], number: int) -> None:
    colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
    seeds = f"{len(curves)} seed{'s' * (len(curves) != 1)}"
    thick = {"color": colour, "marker": marker, "markersize": 9, "linewidth": 4, "label": f"{label} ({seeds})"}
    if len(curves) == 1:
        axes.plot(*curves[0], **thick)  # type: ignore[arg-type]
        return
    for steps, success in curves:
        axes.plot(steps, success, color=colour, linewidth=1.2, alpha=0.55)
    if not curves:
        axes.plot([], [], **thick)  # type: ignore[arg-type]
        return
    steps, table = _on_one_axis(curves)
    axes.fill_between(steps, table.min(axis=0), table.max(axis=0), color=colour, alpha=0.15, linewidth=0)
    axes.plot(steps, table.mean(axis=0), **thick)  # type: ignore[arg-type]


def _on_one_axis(curves: Sequence[Points]) -> Points:
    """The steps that all runs have reached, and each run's success there, shape (runs, steps)."""
    first, last = max(steps[0] for steps, _ in curves), min(steps[-1] for steps, _ in curves)
    every = np.unique(np.concatenate([steps for steps, _ in curves]))
    common = every[(every >= first) & (every <= last)]
    return common, np.stack([np.interp(common, steps, success) for steps, success in curves])


def _dress(axes: Axes, title: str, furthest: float) -> None:
    axes.set_title(title, fontsize=26, pad=18, color=_INK, loc="left", fontweight="bold")
    axes.set_xlabel("environment steps", fontsize=20, color=_INK, labelpad=10)
    axes.set_ylabel("episodes solved in evaluation", fontsize=20, color=_INK, labelpad=10)
    axes.set_xlim(0, max(1.0, furthest * 1.02))
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda steps, _: f"{steps:,.0f}"))
    axes.tick_params(labelsize=17, colors=_INK, length=0)
    axes.grid(color=_GRID, linewidth=1)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=18, loc="best", frameon=True, framealpha=0.9, edgecolor=_GRID, labelcolor=_INK)
