"""The two figures of an evaluation, as the papers have them."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from car.clip.evaluation import ClipFigures, Curve, Distance
from car.files import write_atomically

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("solid", (0, (4, 2)), (0, (1, 2)), (0, (6, 2, 1, 2)), (0, (2, 1)))
_INK, _GRID = "#222222", "#DDDDDD"


def plot_precision_recall(figures: ClipFigures, path: Path) -> None:
    """Precision over recall of the binary reward, a curve for each model and template, as PNG."""
    figure, axes = _new(f"{figures.task}: is the goal reached?")
    colours = _colours(figures.curves)
    templates = list(dict.fromkeys(each.template for each in figures.curves))
    for each in figures.curves:
        axes.step(
            [0.0, *each.curve.recall],
            [each.curve.precision[0], *each.curve.precision],
            where="pre",
            color=colours[each.model],
            linestyle=_DASHES[templates.index(each.template) % len(_DASHES)],
            linewidth=2.5,
            label=f"{each.model}{_sized(each.parameters)}, {each.template}",
        )
    share = figures.goals / figures.frames
    axes.axhline(share, color=_INK, linewidth=1, linestyle=(0, (1, 3)))
    axes.annotate("by chance", (1.0, share), ha="right", va="bottom", fontsize=14, color=_INK)
    axes.set_xlabel("recall of frames that show the goal", fontsize=17, color=_INK)
    axes.set_ylabel("precision of the reward", fontsize=17, color=_INK)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.05)
    _finish(figure, axes, path)


def plot_distance(figures: ClipFigures, path: Path) -> None:
    """The EPIC distance to the goal's label over alpha, a curve for each model, as PNG."""
    figure, axes = _new(f"{figures.task}: distance of the reward from the goal's label")
    models = list(dict.fromkeys(each.model for each in figures.distances))
    colours = _colours(figures.distances)
    for number, model in enumerate(models):
        of_model = [each for each in figures.distances if each.model == model]
        axes.plot(
            [each.alpha for each in of_model],
            [each.epic for each in of_model],
            color=colours[model],
            marker="osD^vPX"[number % 7],
            markersize=9,
            linewidth=2.5,
            label=f"{model}{_sized(of_model[0].parameters)}",
        )
    axes.axhline(0.5**0.5, color=_INK, linewidth=1, linestyle=(0, (1, 3)))
    axes.annotate("says nothing", (1.0, 0.5**0.5), ha="right", va="bottom", fontsize=14, color=_INK)
    axes.set_xlabel("alpha: strength of the goal-baseline regularisation", fontsize=17, color=_INK)
    axes.set_ylabel("EPIC distance, lower is better", fontsize=17, color=_INK)
    axes.set_ylim(0.0, 0.8)
    _finish(figure, axes, path)


def _colours(found: Sequence[Curve] | Sequence[Distance]) -> dict[str, str]:
    """A colour for each model; models with equally many weights are of one size, and share it."""
    sizes = {each.model: each.parameters or each.model for each in found}
    order = list(dict.fromkeys(sizes.values()))
    return {model: _COLOURS[order.index(size) % len(_COLOURS)] for model, size in sizes.items()}


def _sized(parameters: int | None) -> str:
    if parameters is None:
        return ""
    return f" ({parameters / 1e6:.2g} M)" if parameters >= 1e5 else f" ({parameters / 1e3:.0f} k)"


def _new(title: str) -> tuple[Figure, Axes]:
    figure = Figure(
        figsize=(14, 7.5), dpi=100, layout=ConstrainedLayoutEngine(w_pad=0.25, h_pad=0.2), facecolor="white"
    )
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=20, pad=14, color=_INK, loc="left", fontweight="bold")
    return figure, axes


def _finish(figure: Figure, axes: Axes, path: Path) -> None:
    axes.tick_params(labelsize=14, colors=_INK, length=0)
    axes.grid(color=_GRID, linewidth=1)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.legend(fontsize=13, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, labelcolor=_INK)
    with write_atomically(path) as stream:
        figure.savefig(stream, format="png")


def plots(figures: ClipFigures, folder: Path) -> Sequence[Path]:
    """Draws both figures into a folder."""
    paths = folder / "precision-recall.png", folder / "epic.png"
    plot_precision_recall(figures, paths[0])
    plot_distance(figures, paths[1])
    return paths
