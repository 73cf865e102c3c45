"""The page of a benchmark, one HTML file."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from car.bench.curves import task_curves
from car.bench.figures import RowFigures, row_figures
from car.bench.plan import ROWS, Row
from car.bench.quality import Quality
from car.bench.text import QUALITY_TITLES, TITLES, cells, markdown, quality_cells, quality_markdown
from car.files import write_text
from car.page import png_uri, render

FORMAT = "car-bench/1"


def write_results(
    rows: Sequence[Row], seeds: Sequence[int], out: Path, changed: str | None = None, quality: Sequence[Quality] = ()
) -> list[RowFigures]:
    """Writes the figures as ``bench.json``, the table as ``bench.md``, the curves as PNG, and ``bench.html``.

    As far as the runs have come: it may be called while they go on.

    Args:
        rows: what is trained.
        seeds: with which.
        out: the folder of the benchmark.
        changed: the only task with news since the last call, whose curves are drawn anew; None draws all.
        quality: of the rewards, if that was measured.

    Returns:
        The figures of all rows.

    Raises:
        UserError: the progress of a run is damaged.
    """
    figures = row_figures(rows, seeds, out)
    curves = {name: out / f"{name}.png" for name in dict.fromkeys(row.task.name for row in rows)}
    for name, path in curves.items():
        if changed in (None, name) or not path.exists():
            task_curves(_folders(name, rows, seeds, out), path, name)
    about = _about(rows, seeds)
    found = {"rows": [each.as_dict() for each in figures], "quality": [each.as_dict() for each in quality]}
    write_text(out / "bench.json", json.dumps({**about, **found}, indent=1) + "\n")
    write_text(out / "bench.md", markdown(figures) + (f"\n{quality_markdown(quality)}" if quality else ""))
    write_text(out / "bench.html", _page(figures, curves, about, quality))
    return figures


def _folders(name: str, rows: Sequence[Row], seeds: Sequence[int], out: Path) -> dict[str, list[Path]]:
    """The runs of a task, by reward."""
    return {row.label: [row.folder(seed, out) for seed in seeds] for row in rows if row.task.name == name}


def _about(rows: Sequence[Row], seeds: Sequence[int]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "seeds": list(seeds),
        "settings": {f"{row.task.name}/{row.label}": row.settings.as_dict() for row in rows},
        "machine": {"cpus": os.cpu_count(), "platform": platform.platform(), "python": platform.python_version()},
    }


def _page(
    figures: Sequence[RowFigures], curves: Mapping[str, Path], about: Mapping[str, Any], quality: Sequence[Quality]
) -> str:
    tasks = [
        {
            "name": name,
            "curve": png_uri(path.read_bytes()),
            "rows": [cells(row)[1:] for row in figures if row.task == name],
            "quality": [quality_cells(each)[1:] for each in quality if each.task == name],
        }
        for name, path in curves.items()
    ]
    shown = {row.label for row in figures}
    return render(
        "bench",
        tasks=tasks,
        titles=TITLES[1:],
        quality_titles=QUALITY_TITLES[1:],
        seeds=about["seeds"],
        machine=f"{about['machine']['cpus']} processors, {about['machine']['platform']}",
        rewards={label: said for label, said in ROWS.items() if label in shown},
    )
