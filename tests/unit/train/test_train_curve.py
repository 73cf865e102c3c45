from pathlib import Path

import cv2
import numpy as np
import pytest

from car.train.curve import success_curve
from car.train.folder import RunFolder
from car.train.settings import Evaluation, Progress


def a_run(folder: Path, *points: tuple[int, float]) -> Path:
    folder.mkdir(parents=True)
    for steps, success in points:
        RunFolder(folder).append(Progress(steps - 1, 99, 0.0, 0.0, 0))
        RunFolder(folder).append(Progress(steps, 99, 0.0, 0.0, 0, evaluation=Evaluation(20, success, 5.0, 0.1)))
    return folder


def test_a_thin_line_for_each_seed_and_a_thick_mean_with_a_shade(tmp_path: Path) -> None:
    dense = [a_run(tmp_path / "0", (10, 0.0), (20, 1.0), (30, 1.0)), a_run(tmp_path / "1", (10, 0.0), (20, 0.5))]
    sparse = [a_run(tmp_path / "2", (10, 0.25), (40, 0.5))]
    figure = success_curve({"dense": dense, "sparse": sparse}, tmp_path / "c.png", "A title")
    axes = figure.axes[0]
    lines = [(line.get_xdata(), line.get_ydata()) for line in axes.lines]
    assert [list(xs) for xs, _ in lines] == [[10, 20, 30], [10, 20], [10, 20], [10, 40]]
    assert [list(ys) for _, ys in lines] == [[0, 1, 1], [0, 0.5], [0, 0.75], [0.25, 0.5]]
    assert len(axes.collections) == 1
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["dense (2 seeds)", "sparse (1 seed)"]
    assert axes.get_title(loc="left") == "A title"


def test_the_picture_is_1600_by_900(tmp_path: Path) -> None:
    success_curve({"a": [a_run(tmp_path / "0", (10, 0.5))]}, tmp_path / "deep" / "c.png", "t")
    picture = cv2.imread(str(tmp_path / "deep" / "c.png"))
    assert picture is not None
    assert picture.shape == (900, 1600, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize("runs", [{}, {"a": []}])
def test_nothing_to_draw_is_an_empty_diagram(tmp_path: Path, runs: dict[str, list[Path]]) -> None:
    success_curve(runs, tmp_path / "c.png", "t")
    assert (tmp_path / "c.png").exists()


def test_runs_evaluated_at_different_steps_are_averaged_between_them(tmp_path: Path) -> None:
    runs = [a_run(tmp_path / "0", (10, 0.0), (30, 1.0)), a_run(tmp_path / "1", (20, 0.0), (30, 1.0))]
    mean = success_curve({"a": runs}, tmp_path / "c.png", "t").axes[0].lines[-1]
    assert list(mean.get_xdata()) == [20, 30]
    assert list(mean.get_ydata()) == [0.25, 1.0]
