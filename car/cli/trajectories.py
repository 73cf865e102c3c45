"""`car tasks` and `car record`."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from car.cli.output import TRAJECTORIES, Json, Trajectories, next_step, progress, result
from car.errors import UserError

if TYPE_CHECKING:
    from car.task import Task


def tasks(as_json: Json = False) -> None:
    """Lists the built-in tasks.

    A task of your own is a TOML file or module:attribute; see docs/tasks.md.

    Example: car tasks
    """
    from rich.table import Table
    from rich.text import Text

    from car.tasks import all_tasks

    table = Table(header_style="dim", box=None, padding=(0, 2, 0, 0))
    table.add_column("task", no_wrap=True, style="bold")
    table.add_column("environment", no_wrap=True)
    table.add_column("what it is")
    for task in all_tasks().values():
        table.add_row(task.name, task.env_id, Text(task.summary))
    document = {"tasks": [task.as_dict() for task in all_tasks().values()]}
    result(as_json, document, table, "", next_step("car record TASK"))


def record(
    task: Annotated[str, typer.Argument(help="A built-in task, a TOML file, or module:attribute.")],
    expert: Annotated[int, typer.Option(help="Episodes of the expert.", min=0)] = 25,
    random: Annotated[int, typer.Option(help="Episodes of uniformly random actions.", min=0)] = 125,
    seed: Annotated[int, typer.Option(help="Seed of the first expert episode.", min=0)] = 0,
    max_steps: Annotated[
        int | None, typer.Option(help="Longest episode, in steps; default: the task's own.", min=1)
    ] = None,
    import_: Annotated[
        Path | None,
        typer.Option("--import", help="Take episodes from a Minari dataset, a folder of pictures, or a video instead."),
    ] = None,
    who: Annotated[str, typer.Option(help="Who acts in what is imported: expert or random.")] = "expert",
    every: Annotated[int, typer.Option(help="Keep every k-th frame of an imported video.", min=1)] = 1,
    export: Annotated[
        str | None,
        typer.Option("--export", help="Write what is recorded to this Minari dataset id, e.g. me/doorkey-v0."),
    ] = None,
    folder: Trajectories = TRAJECTORIES,
    as_json: Json = False,
) -> None:
    """Records expert and random episodes of a task, or imports or exports them.

    The same seed gives the same bytes; an interrupted recording goes on where it stopped.

    Examples:
    car record doorkey-8x8 --expert 25 --random 125 --seed 0
    car record my-task.toml --import demos/ --who expert
    """
    from car.tasks import find_task

    found = find_task(task)
    if who not in ("expert", "random"):
        raise UserError(f"--who must be expert or random, not {who!r}.")
    if import_ is not None and export is not None:
        raise UserError("Either --import or --export, not both.")
    if import_ is not None:
        _import(found, import_, who, every, folder, as_json)
    elif export is not None:
        _export(found, export, folder, as_json)
    else:
        _record(found, task, (expert, random, seed, max_steps), folder, as_json)


def _record(task: "Task", given: str, wanted: tuple[int, int, int, int | None], folder: Path, as_json: bool) -> None:
    from car.record import Progress, record_to

    expert, random, seed, max_steps = wanted
    with progress(f"recording {task.name}", expert + random) as advance:
        done = {"expert": 0, "random": 0}

        def tell(told: Progress) -> None:
            steps, done[told.who] = told.done - done[told.who], told.done
            advance(f"{task.name}: {told.who} {told.done}/{told.wanted}", steps)

        summary = record_to(folder, task, expert, random, seed, max_steps=max_steps, progress=tell)
    said = (
        f"{summary.folder}: {summary.expert} expert and {summary.random} random episodes "
        f"({summary.new_expert} and {summary.new_random} new); {summary.frames:,} frames, "
        f"{summary.distinct:,} distinct."
    )
    if summary.failed_seeds:
        said += f"\nThe expert failed for the seeds {', '.join(map(str, summary.failed_seeds))}; they are not kept."
    document = {"recorded": dataclasses.asdict(summary)}
    result(as_json, document, said, next_step(f"car generate {given} --vlm anthropic/MODEL (or manual, without a key)"))


def _import(task: "Task", source: Path, who: str, every: int, folder: Path, as_json: bool) -> None:
    from car.importing import import_from
    from car.record import add_to

    imported = import_from(source, task, who, every=every)
    added = add_to(folder, task.name, imported)
    frames = sum(len(each) for each in imported)
    said = f"{folder / task.name}: {added} of {len(imported)} {who} episodes added, {frames:,} frames."
    result(as_json, {"imported": len(imported), "added": added, "frames": frames}, said)


def _export(task: "Task", dataset: str, folder: Path, as_json: bool) -> None:
    from car.importing import export_minari
    from car.record import load_set

    experts, _ = load_set(folder, task.name)
    where = export_minari(experts, task, dataset)
    result(as_json, {"dataset": dataset, "path": str(where)}, f"{len(experts)} expert episodes written to {where}.")
