"""`car train`."""

import dataclasses
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.table import Table

from car.cli.output import REWARDS, Json, Rewards, notes, result
from car.errors import UserError

RUNS = Path("runs")


class Board:
    """A live table of runs: one line for each reward and seed.

    Args:
        total: steps of each run.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._rows: dict[tuple[str, int], Any] = {}

    def note(self, label: str, seed: int, line: Any) -> None:
        """Takes a line of progress of one run."""
        self._rows[label, seed] = line

    def __rich__(self) -> Table:
        table = Table(header_style="dim", box=None, padding=(0, 2))
        for column in ("reward", "seed", "steps", "success, last 100", "evaluation", "sub-tasks credited", "steps/s"):
            table.add_column(column, justify="left" if column == "reward" else "right")
        for (label, seed), line in sorted(self._rows.items()):
            table.add_row(label, str(seed), f"{line.steps:,} of {self._total:,}", *_numbers(line))
        return table


def _numbers(line: Any) -> tuple[str, str, str, str]:
    return (
        "" if line.train_success is None else f"{line.train_success:.0%}",
        "" if line.evaluation is None else f"{line.evaluation.success:.0%}",
        "" if line.credited is None else f"{line.credited:.0%}",
        f"{line.steps / line.wall_seconds:,.0f}" if line.wall_seconds else "",
    )


def train(
    task: Annotated[str, typer.Argument(help="A built-in task, a TOML file, or module:attribute.")],
    reward: Annotated[
        list[str],
        typer.Option("--reward", help="A bundle's folder, its task, or sparse; give it twice to compare."),
    ],
    algo: Annotated[str, typer.Option(help="ppo, a2c, dqn or sac.")] = "ppo",
    steps: Annotated[int, typer.Option(help="Environment steps of each run.", min=1)] = 100_000,
    seeds: Annotated[int, typer.Option(help="How many seeds: 0, 1, ...", min=1)] = 1,
    shaping: Annotated[str | None, typer.Option(help="bonus or potential; default: see docs/training.md.")] = None,
    env_reward: Annotated[str | None, typer.Option(help="add the environment's own reward, or replace it.")] = None,
    milestones: Annotated[
        bool | None, typer.Option("--milestones/--no-milestones", help="Let the agent see what is credited.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Runs that go on side by side.", min=1)] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder of the runs; default: a new one in runs/.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --out.")] = False,
    allow_unreviewed: Annotated[
        bool, typer.Option("--allow-unreviewed", help="Also train with a bundle that no person has approved.")
    ] = False,
    rewards: Rewards = REWARDS,
    as_json: Json = False,
) -> None:
    """Trains an agent with Stable-Baselines3 on a generated reward, or on the sparse one.

    Success is always the environment's own. The folder of a run holds all that is needed to repeat it: settings,
    versions, progress, TensorBoard events, checkpoints, the final policy and the learning curve.

    Example: car train doorkey-8x8 --reward doorkey-8x8 --reward sparse --algo ppo --steps 150000 --seeds 2 --jobs 2
    """
    from car.tasks import find_task
    from car.train import TrainSettings, train_many
    from car.train.curve import success_curve

    found = find_task(task)
    chosen = {"shaping": shaping, "env_reward": env_reward, "observe_milestones": milestones}
    changes = {name: value for name, value in chosen.items() if value is not None}
    settings = TrainSettings.for_algo(algo, steps=steps, **changes)
    named = _rewards(reward, rewards)
    folder = out or RUNS / f"{found.name}-{datetime.now():%Y%m%d-%H%M%S}"
    if folder.exists() and any(folder.iterdir()) and not resume:
        raise UserError(f"{folder} is not empty; go on with --resume, or choose another --out.")
    notes.print(f"[bold]{found.name}[/]: {', '.join(named)}; {seeds} seeds, {steps:,} steps each, in {folder}")
    board = Board(steps)
    with Live(board, console=notes, refresh_per_second=4):
        results = train_many(found, named, settings, range(seeds), folder, jobs, board.note, resume, allow_unreviewed)
    curve = folder / "curve.png"
    success_curve({label: [each.folder for each in runs] for label, runs in results.items()}, curve, found.name)
    runs = {label: [dataclasses.asdict(each) for each in some] for label, some in results.items()}
    document = {"folder": str(folder), "curve": str(curve), "runs": runs}
    result(as_json, document, summary_table(results), f"Curve: {curve}")


def _rewards(names: list[str], folder: Path) -> dict[str, Path | str]:
    from car.bundle import find_bundle

    named: dict[str, Path | str] = {}
    for name in names:
        if name == "sparse":
            named["sparse"] = "sparse"
        else:
            named["generated"] = find_bundle(name, folder)
    if len(named) < len(names):
        raise UserError("Give at most one bundle and `sparse`; compare two bundles in two runs.")
    return named


def summary_table(results: Any) -> Table:
    """The results of runs, by reward and seed."""
    table = Table(header_style="dim", box=None, padding=(0, 2))
    for column in ("reward", "seed", "steps", "90% after", "evaluation", "CPU s"):
        table.add_column(column, justify="left" if column == "reward" else "right")
    for label, runs in results.items():
        for seed, run in enumerate(runs):
            solved = "never" if run.solved_at is None else f"{run.solved_at:,}"
            success = "" if run.evaluation is None else f"{run.evaluation.success:.0%}"
            table.add_row(label, str(seed), f"{run.steps:,}", solved, success, f"{run.cpu_seconds:.0f}")
    return table
