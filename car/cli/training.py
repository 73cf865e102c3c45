"""`car train`."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from car.cli.output import REWARDS, Json, LowestLevel, Rewards, next_step, note, notes, result
from car.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from car.task import Task
    from car.train import Progress, TrainResult, TrainSettings

    Results = Mapping[str, Sequence[TrainResult]]

RUNS = Path("runs")


class Board:
    """A live table of runs: one line for each reward and seed.

    Args:
        total: steps of each run.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._rows: dict[tuple[str, int], Progress] = {}
        self._examined: dict[tuple[str, int], float] = {}
        self._failing: set[tuple[str, int]] = set()

    def note(self, label: str, seed: int, line: "Progress") -> None:
        """Takes a line of progress of one run."""
        self._rows[label, seed] = line
        if line.failures and (label, seed) not in self._failing:
            self._failing.add((label, seed))
            note(f"{label}, seed {seed}: a program gives no answer on some frames; see its progress.jsonl.", "yellow")
        if line.evaluation is None:
            return
        self._examined[label, seed] = line.evaluation.success
        if not notes.is_terminal:
            # A log has no table that changes in place.
            solved = _percent(line.train_success) or "none"
            reached = f"{solved} solved, {line.evaluation.success:.0%} in evaluation"
            note(f"{label}, seed {seed}: {line.steps:,} steps, {reached}")

    def __rich__(self) -> "Table | str":
        """The table; before the first line of progress, that there is none yet."""
        if not self._rows:
            return "  starting ..."
        table = _table("reward", "seed", "steps", "solved", "evaluation", "credited", "steps/s")
        for (label, seed), line in sorted(self._rows.items()):
            table.add_row(
                label,
                str(seed),
                f"{min(line.steps, self._total):,} of {self._total:,}",
                _percent(line.train_success),
                _percent(self._examined.get((label, seed))),
                _percent(line.credited),
                f"{line.steps / line.wall_seconds:,.0f}" if line.wall_seconds else "",
            )
        return table


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(header_style="dim", box=None, padding=(0, 2))
    for column in columns:
        table.add_column(column, justify="left" if column == "reward" else "right", no_wrap=True)
    return table


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
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Trains an agent with Stable-Baselines3 on a generated reward, or on the sparse one.

    Success is always the environment's own. The folder of a run holds all that is needed to repeat it: settings,
    versions, progress, TensorBoard events, checkpoints, the final policy and the learning curve.

    Example: car train doorkey-8x8 --reward doorkey-8x8 --reward sparse --algo ppo --steps 150000 --seeds 2 --jobs 2
    """
    from car.tasks import find_task
    from car.train import TrainSettings

    found = find_task(task)
    chosen = {"shaping": shaping, "env_reward": env_reward, "observe_milestones": milestones}
    changes = {name: value for name, value in chosen.items() if value is not None}
    settings = TrainSettings.for_algo(algo, steps=steps, **changes)
    named = _rewards(reward, found.env_id, rewards, allow_unreviewed)
    folder = _folder(out, resume, found.name)
    counted = f"{seeds} seed{'s' * (seeds != 1)}, {steps:,} steps each"
    note(f"{found.name}: {', '.join(named)}; {counted}; in {folder}")
    results = _watched(found, named, settings, seeds, folder, jobs, resume, allow_unreviewed, isolation)
    curve = folder / "curve.png"
    _draw(results, curve, found.name)
    runs = {label: [dataclasses.asdict(each) for each in some] for label, some in results.items()}
    document = {"folder": str(folder), "curve": str(curve), "runs": runs}
    result(as_json, document, summary_table(results), f"Curve: {curve}", next_step(f"tensorboard --logdir {folder}"))


def _rewards(names: list[str], env_id: str, folder: Path, allow_unreviewed: bool) -> dict[str, Path | str]:
    named: dict[str, Path | str] = {}
    for name in names:
        if name == "sparse":
            named["sparse"] = "sparse"
        else:
            named["generated"] = _usable(name, env_id, folder, allow_unreviewed)
    if len(named) < len(names):
        raise UserError("Give at most one bundle and `sparse`; compare two bundles in two runs.")
    return named


def _usable(name: str, env_id: str, folder: Path, allow_unreviewed: bool) -> Path:
    """A bundle that may be trained with; found out before any folder is made for the run."""
    from car.bundle import find_bundle, load_bundle

    path = find_bundle(name, folder)
    loaded = load_bundle(path)
    if not (loaded.approved or allow_unreviewed):
        said = "A person has rejected" if loaded.approval else "Nobody has approved"
        raise UserError(
            f"{said} the bundle {path}: read it with `car review {name} --open` and approve it with "
            f"`car review {name} --approve`, or train with --allow-unreviewed."
        )
    if not loaded.verdict.accepted:
        note(f"The verdict on {path} is {loaded.verdict.decision}; you train with it all the same.", "yellow")
    if loaded.task.env_id != env_id:
        note(f"The bundle {path} was verified on {loaded.task.env_id}, not on {env_id}.", "yellow")
    return path


def _folder(out: Path | None, resume: bool, task: str) -> Path:
    if resume and out is None:
        raise UserError("--resume goes with --out FOLDER, the folder of the runs to go on with.")
    folder = out or RUNS / f"{task}-{datetime.now():%Y%m%d-%H%M%S}"
    if folder.is_dir() and any(folder.iterdir()) and not resume:
        raise UserError(f"{folder} is not empty; go on with --resume, or choose another --out.")
    return folder


def _watched(
    task: "Task",
    rewards: Mapping[str, Path | str],
    settings: "TrainSettings",
    seeds: int,
    folder: Path,
    jobs: int,
    resume: bool,
    allow_unreviewed: bool,
    isolation: int | None,
) -> "Results":
    from rich.live import Live

    from car.train import train_many

    board = Board(settings.steps)
    try:
        with Live(board, console=notes, refresh_per_second=4, transient=True):
            some = range(seeds)
            return train_many(
                task, rewards, settings, some, folder, jobs, board.note, resume, allow_unreviewed, isolation
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Interrupted. Every run is saved; go on with the same command and --out {folder} --resume."
        ) from None


def _draw(results: "Results", path: Path, title: str) -> None:
    from car.train.curve import success_curve

    success_curve({label: [each.folder for each in runs] for label, runs in results.items()}, path, title)


def summary_table(results: "Results") -> Any:
    """The results of runs, by reward and seed."""
    table = _table("reward", "seed", "steps", "90% solved after", "evaluation", "CPU s")
    for label, runs in results.items():
        for seed, run in enumerate(runs):
            solved = "never" if run.solved_at is None else f"{run.solved_at:,}"
            success = None if run.evaluation is None else run.evaluation.success
            table.add_row(label, str(seed), f"{run.steps:,}", solved, _percent(success), f"{run.cpu_seconds:.0f}")
    return table
