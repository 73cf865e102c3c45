"""`car bench`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from car.cli.board import Board
from car.cli.output import REWARDS, Json, LowestLevel, Rewards, note, notes, result
from car.errors import UserError

if TYPE_CHECKING:
    from car.bench import Row, RowFigures
    from car.bench.quality import Quality
    from car.train import Job, Progress


def bench(
    tasks: Annotated[list[str] | None, typer.Argument(help="Tasks; by default the seven of the suite.")] = None,
    reward: Annotated[
        list[str] | None,
        typer.Option(
            "--reward",
            help="sparse, generated, oracle, naive, hidden, options, clip-cosine, clip-softmax, clip-gated, a bundle's "
            "folder, clip-cosine:MODEL?goal=..., or module:attribute; several.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds: 0, 1, ...", min=1)] = 5,
    steps: Annotated[
        int | None,
        typer.Option(help="Environment steps of each run; default: the suite's, or 150,000.", min=1),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Runs that go on side by side.", min=1)] = 2,
    on: Annotated[str, typer.Option(help="Where: here, ray, or ray:ADDRESS of a cluster.")] = "here",
    out: Annotated[Path, typer.Option(help="Folder of the benchmark; what is there is not trained again.")] = Path(
        "runs/bench"
    ),
    quality_: Annotated[
        bool, typer.Option("--quality/--no-quality", help="Also measure how right the rewards are, frame by frame.")
    ] = True,
    rewards: Rewards = REWARDS,
    allow_unreviewed: Annotated[
        bool, typer.Option("--allow-unreviewed", help="Also train with bundles that no person has approved.")
    ] = False,
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Trains the same algorithm with different rewards on the same tasks and seeds, and compares.

    The rewards are the environment's own (sparse), the bundle of the task (generated), and one written by hand from the
    true sub-tasks (oracle). It ends with a table and a page with learning curves; figures are interquartile means over
    the seeds with bootstrap intervals. The same command goes on where it stopped.

    Examples:
    car bench doorkey-6x6 --seeds 3
    car bench unlock --reward sparse --reward naive --reward my_package.rewards:make --steps 50000
    """
    from car.bench import GENERATED, SUITE, check, rows_for, write_results
    from car.bench.quality import measured_quality
    from car.errands import check_place

    chosen: list[Row] = []
    for name in dict.fromkeys(tasks or SUITE):
        rows, missing = rows_for(name, reward or (), steps, rewards)
        chosen += rows
        for sentence in missing:
            note(sentence, "yellow")
    if not (tasks or reward or any(row.label == GENERATED for row in chosen)):
        raise UserError(f"There is no bundle in {rewards} for any task of the suite; --rewards names another folder.")
    check_place(on)
    check(chosen)
    _check_approved(chosen, allow_unreviewed)
    _trained(chosen, range(seeds), jobs, on, out, allow_unreviewed, isolation)
    with notes.status("measuring how right the rewards are ..."):
        quality = measured_quality(chosen, out, allow_unreviewed, isolation) if quality_ else []
    figures = write_results(chosen, range(seeds), out, quality=quality)
    document = {"folder": str(out), "page": str(out / "bench.html"), "rows": [each.as_dict() for each in figures]}
    document["quality"] = [each.as_dict() for each in quality]
    shown = [figures_table(figures), *([quality_table(quality)] if quality else []), f"Page: {out / 'bench.html'}"]
    result(as_json, document, *shown)


def _check_approved(rows: "Sequence[Row]", allow_unreviewed: bool) -> None:
    """Before anything is trained, since the first bundle that nobody has approved may come after hours."""
    from car.bench import bundles_of
    from car.bundle import load_bundle

    for path in bundles_of(rows):
        if not (allow_unreviewed or load_bundle(path).approved):
            raise UserError(
                f"Nobody has approved the bundle {path}: read it with `car review {path} --open` and approve it with "
                f"`car review {path} --approve`, or give --allow-unreviewed."
            )


def _trained(
    rows: "Sequence[Row]",
    seeds: Sequence[int],
    at_once: int,
    on: str,
    out: Path,
    allow_unreviewed: bool,
    isolation: int | None,
) -> None:
    from rich.live import Live

    from car.bench import jobs_for, unfinished, write_results
    from car.train import run_jobs

    every = jobs_for(rows, seeds, out, allow_unreviewed, isolation)
    waiting = unfinished(every)
    total, missing = (sum(job.settings.steps for job in some) for some in (every, waiting))
    note(f"{len(every)} run{'s' * (len(every) != 1)}, {len(every) - len(waiting)} of them done; in {out}")
    board = Board(at_once, total, total - missing, running_only=True)

    def take(job: "Job", line: "Progress") -> None:
        board.note(job, line)
        if line.evaluation is not None:
            write_results(rows, seeds, out, job.task.name)

    try:
        with Live(board, console=notes, refresh_per_second=4, transient=True):
            run_jobs(waiting, at_once, take, on, all_the_same=True)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Interrupted. Every run is saved; the same command goes on.") from None
    finally:
        write_results(rows, seeds, out)


def quality_table(quality: "Sequence[Quality]") -> Any:
    """How right the rewards are, by task and reward."""
    from car.bench.text import QUALITY_TITLES, quality_cells
    from car.cli.board import columns

    table = columns(*QUALITY_TITLES)
    for each in quality:
        table.add_row(*quality_cells(each))
    return table


def figures_table(figures: "Sequence[RowFigures]") -> Any:
    """The figures by task and reward, 80 columns wide: a task has its own line, and steps a second are left out."""
    from itertools import groupby

    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from car.bench.text import TITLES, cells

    titles, lines = TITLES[1:-1], [cells(row)[:-1] for row in figures]
    widths = [max(map(len, column)) for column in zip(titles, *(line[1:] for line in lines), strict=True)]
    parts: list[Text | Table] = []
    for task, rows in groupby(lines, key=lambda line: line[0]):
        table = Table(header_style="dim", box=None, padding=(0, 1, 0, 0), show_header=not parts)
        for number, (title, width) in enumerate(zip(titles, widths, strict=True)):
            table.add_column(title, justify="right" if number else "left", overflow="fold", min_width=width)
        for row in rows:
            table.add_row(*row[1:])
        parts += [Text(task, "bold"), table] if parts else [table]
        if len(parts) == 1:
            parts.insert(0, Text(task, "bold"))
    return Group(*parts)
