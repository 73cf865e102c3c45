"""`car train`."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from car.cli.board import Board, columns, percent
from car.cli.clip_options import (
    Alpha,
    Baseline,
    Beta,
    End,
    Gate,
    Goal,
    Negatives,
    NegativesSeed,
    Stretch,
    Tau,
    Template,
    asked_of_clip,
    check_used,
    clip_settings,
)
from car.cli.film import film_runs, formats_of
from car.cli.output import REWARDS, Json, LowestLevel, Rewards, next_step, note, notes, result
from car.errors import UserError

if TYPE_CHECKING:
    from car.task import Task
    from car.train import TrainResult, TrainSettings

    Results = Mapping[str, Sequence[TrainResult]]

RUNS = Path("runs")
LOG = "log.txt"


def train(
    task: Annotated[str, typer.Argument(help="A built-in task, a TOML file, or module:attribute.")],
    reward: Annotated[
        list[str],
        typer.Option(
            "--reward",
            help="A bundle's folder, its task, sparse, clip-cosine:MODEL, clip-softmax:MODEL, or module:attribute; "
            "several compare.",
        ),
    ],
    algo: Annotated[str, typer.Option(help="ppo, a2c, dqn or sac.")] = "ppo",
    steps: Annotated[int, typer.Option(help="Environment steps of each run.", min=1)] = 100_000,
    seeds: Annotated[int, typer.Option(help="How many seeds: 0, 1, ...", min=1)] = 1,
    shaping: Annotated[str | None, typer.Option(help="bonus or potential; default: bonus.")] = None,
    env_reward: Annotated[str | None, typer.Option(help="add the environment's own reward, or replace it.")] = None,
    monotone_progress: Annotated[
        bool, typer.Option("--monotone-progress", help="Let potential count the largest progress so far.")
    ] = False,
    milestones: Annotated[
        bool | None, typer.Option("--milestones/--no-milestones", help="Let the agent see what is credited.")
    ] = None,
    hierarchical: Annotated[
        bool, typer.Option("--hierarchical", help="A policy for each sub-task; the milestones say which one acts.")
    ] = False,
    every: Annotated[
        int, typer.Option(help="The reward looks at each k-th step and the last; for dear frames.", min=1)
    ] = 1,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE of any other setting, e.g. scale=10 or learning_rate=0.0003; several."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Runs that go on side by side.", min=1)] = 1,
    on: Annotated[str, typer.Option(help="Where: here, ray, or ray:ADDRESS of a cluster.")] = "here",
    out: Annotated[Path | None, typer.Option(help="Folder of the runs; default: a new one in runs/.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --out.")] = False,
    allow_unreviewed: Annotated[
        bool, typer.Option("--allow-unreviewed", help="Also train with a bundle that no person has approved.")
    ] = False,
    rewards: Rewards = REWARDS,
    goal: Goal = None,
    baseline: Baseline = None,
    alpha: Alpha = None,
    negatives: Negatives = None,
    negatives_seed: NegativesSeed = None,
    tau: Tau = None,
    beta: Beta = None,
    template: Template = None,
    end: End = False,
    stretch: Stretch = False,
    gate: Gate = None,
    film: Annotated[str, typer.Option(help="Film of the first seed with each reward: gif, mp4 or both.")] = "gif",
    no_film: Annotated[bool, typer.Option("--no-film", help="Make no film.")] = False,
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Trains an agent with Stable-Baselines3 on a generated reward, or on the sparse one.

    Success is always the environment's own. The folder of a run holds all that is needed to repeat it (`car repeat`):
    settings, versions, the bundle, progress, TensorBoard events, checkpoints, the final policy, the learning curve and
    a film of the trained agent.

    A CLIP reward scores every frame by what a sentence says; docs/clip.md has its options.

    Example: car train doorkey-8x8 --reward doorkey-8x8 --reward sparse --algo ppo --steps 150000 --seeds 2 --jobs 2
    """
    from car.tasks import find_task
    from car.train import TrainSettings
    from car.train.run import NO_SUBTASKS

    formats_of(film)
    found = find_task(task)
    chosen = {"shaping": shaping, "env_reward": env_reward, "observe_milestones": milestones}
    chosen |= {"hierarchical": hierarchical or None, "monotone_progress": monotone_progress or None}
    changes = {name: value for name, value in chosen.items() if value is not None}
    changes |= _others(set_ or [])
    settings = TrainSettings.for_algo(algo, steps=steps, every=every, **changes)
    if hierarchical and "sparse" in reward:
        raise UserError(NO_SUBTASKS)
    asked = asked_of_clip(goal, baseline, alpha, negatives, negatives_seed, tau, beta, template, end, stretch, gate)
    named = _rewards(reward, found, rewards, allow_unreviewed, asked)
    folder = _folder(out, resume, found.name)
    rounded = "" if settings.rounded_steps == steps else f" ({settings.rounded_steps:,} in whole rollouts)"
    counted = f"{seeds} seed{'s' * (seeds != 1)}, {steps:,} steps each{rounded}"
    note(f"{found.name}: {', '.join(named)}; {counted}; in {folder}")
    results = _watched(found, named, settings, seeds, folder, jobs, resume, allow_unreviewed, isolation, on)
    curve = folder / "curve.png"
    _draw(results, curve, found.name)
    runs = {label: [dataclasses.asdict(each) for each in some] for label, some in results.items()}
    films = {} if no_film else film_runs(results, film, isolation)
    document = {"folder": str(folder), "curve": str(curve), "films": films, "runs": runs}
    shown = [f"Curve: {curve}", *(f"Film: {path}" for paths in films.values() for path in paths)]
    result(as_json, document, summary_table(results), *shown, next_step(f"tensorboard --logdir {folder}"))


_OPTIONS = ("algo", "steps", "seed", "shaping", "env_reward", "observe_milestones", "hierarchical", "every",
            "monotone_progress")  # fmt: skip


def _others(pairs: list[str]) -> dict[str, Any]:
    """Settings that have no option of their own."""
    from car.train import TrainSettings

    said = TrainSettings.said(pairs)
    if own := sorted(set(said) & set(_OPTIONS)):
        own_option = "--seeds says how many" if own[0] == "seed" else "it has an option of its own"
        raise UserError(f"{own[0]} is not for --set; {own_option}, see `car train --help`.")
    return said


def _rewards(
    names: list[str], task: "Task", folder: Path, allow_unreviewed: bool, asked: Mapping[str, Any]
) -> dict[str, Path | str]:
    from car.bundle import label_of
    from car.rewards import is_made
    from car.rewards.clip import is_clip

    check_used(asked, [name for name in names if is_clip(name)])
    bundles = [name for name in names if name != "sparse" and not is_made(name)]
    named: dict[str, Path | str] = {}
    for name in names:
        reward: Path | str
        if name == "sparse":
            label, reward = name, name
        elif is_clip(name):
            label, reward = _clip_reward(name, task, asked, folder)
        elif is_made(name):
            label, reward = name.rpartition(":")[2], name
        else:
            label = "generated" if len(bundles) == 1 else label_of(name)
            reward = _usable(name, task.env_id, folder, allow_unreviewed)
        if label in named:
            raise UserError(f"Two of the rewards would be called {label!r}; give each one once, named differently.")
        named[label] = reward
    return named


def _clip_reward(reference: str, task: "Task", asked: Mapping[str, Any], folder: Path) -> tuple[str, str]:
    """What to call it and the reward in one line, with all that it takes from the task written out."""
    from car.rewards.clip import with_prompts

    settings = with_prompts(clip_settings(reference, asked, folder), task)
    return settings.kind + ("-gated" if settings.gate else ""), settings.reference


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
    if not (resume or _is_free(folder)):
        raise UserError(f"{folder} is not empty; go on with --resume, or choose another --out.")
    return folder


def _is_free(folder: Path) -> bool:
    """Whether nothing is there but the logs of runs that failed before they began."""
    return not folder.exists() or all(path.is_dir() or path.name == LOG for path in folder.rglob("*"))


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
    on: str,
) -> "Results":
    from rich.live import Live

    from car.train import train_many

    board = Board(jobs, settings.steps * seeds * len(rewards))
    try:
        with Live(board, console=notes, refresh_per_second=4, transient=True):
            some = range(seeds)
            return train_many(
                task, rewards, settings, some, folder, jobs, board.note, resume, allow_unreviewed, isolation, on
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
    rows = [((label, str(seed)), run) for label, runs in results.items() for seed, run in enumerate(runs)]
    return outcome_table(rows, "reward", "seed")


def outcome_table(rows: "Sequence[tuple[Sequence[str], TrainResult]]", *named: str) -> Any:
    """The results of runs.

    Args:
        rows: what each run is called, in as many columns as there are names for them, and its result.
        named: the titles of these columns.
    """
    table = columns(*named, "steps", "90% solved after", "evaluation", "CPU s")
    for called, run in rows:
        solved = "never" if run.solved_at is None else f"{run.solved_at:,}"
        success = None if run.evaluation is None else run.evaluation.success
        table.add_row(*called, f"{run.steps:,}", solved, percent(success), f"{run.cpu_seconds:.0f}")
    return table
