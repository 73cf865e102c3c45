"""`car repeat`."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from car.cli.board import Board
from car.cli.film import check_run
from car.cli.output import Json, LowestLevel, note, notes, result
from car.cli.training import outcome_table
from car.errors import UserError

if TYPE_CHECKING:
    from car.train import Job


def repeat(
    run: Annotated[Path, typer.Argument(help="The folder of a finished training run, e.g. RUNS/generated/seed-0.")],
    out: Annotated[Path | None, typer.Option(help="The new folder; default: RUN-again.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --out.")] = False,
    allow_unreviewed: Annotated[
        bool, typer.Option("--allow-unreviewed", help="Also train with a bundle that no person has approved.")
    ] = False,
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Repeats a training run from its folder alone, and compares the two.

    Task, reward, settings and seed are those that the run keeps; its copy of the bundle is used, and nothing of the
    bundle that may have been generated since. On the same machine with the same versions the numbers are the same,
    unless the run was interrupted and resumed.

    Exit code 0: done, with the same numbers. 1: done, with others.

    Example: car repeat runs/doorkey-8x8/generated/seed-0 --out runs/again
    """
    from car.train import result_of
    from car.train.repeat import first_difference, other_conditions, repetition

    folder = out or (run if run.name else run.resolve()).with_name(f"{run.resolve().name}-again")
    if folder.resolve() == run.resolve():
        raise UserError(f"{folder} is the run itself; repeat it in another folder.")
    check_run(run)
    first = result_of(run)
    _train(repetition(run, folder, resume, allow_unreviewed, isolation))
    results = {"first": first, "again": result_of(folder)}
    difference, conditions = first_difference(run, folder), other_conditions(run, folder)
    said = "The numbers are the same." if difference is None else f"The numbers differ: {difference}."
    if conditions:
        said += f" Other than then: {'; '.join(conditions)}."
    document = {
        "folder": str(folder),
        "same": difference is None,
        "difference": difference,
        "conditions": conditions,
        "runs": {label: dataclasses.asdict(each) for label, each in results.items()},
    }
    result(as_json, document, outcome_table([((label,), each) for label, each in results.items()], "run"), said)
    raise typer.Exit(0 if difference is None else 1)


def _train(job: "Job") -> None:
    from rich.live import Live

    from car.train import run_jobs

    if job.folder.is_dir() and any(job.folder.iterdir()) and not job.resume:
        raise UserError(f"{job.folder} is not empty; go on with --resume, or choose another --out.")
    note(f"{job.task.name}, seed {job.settings.seed}, {job.settings.steps:,} steps; in {job.folder}")
    board = Board(1, job.settings.steps)
    try:
        with Live(board, console=notes, refresh_per_second=4, transient=True):
            run_jobs([job], on_progress=board.note)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Interrupted. The run is saved; go on with the same command and --out {job.folder} --resume."
        ) from None
