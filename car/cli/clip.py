"""`car clip`: CLIP models of our own, and measurements of CLIP rewards."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from car.cli.board import columns
from car.cli.clip_options import (
    Baseline,
    Goal,
    Negatives,
    NegativesSeed,
    Stretch,
    Tau,
    Template,
    asked_of_clip,
    clip_settings,
)
from car.cli.output import REWARDS, Json, next_step, note, progress, result
from car.errors import UserError

if TYPE_CHECKING:
    from car.clip.calibration import Calibration
    from car.clip.evaluation import ClipFigures
    from car.clip.labelled import LabelSet
    from car.clip.making import Made
    from car.rewards.clip import ClipSettings
    from car.rewards.clip.encoder import Encoder
    from car.task import Task

Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="A CLIP: worlds (ours), a folder, ARCHITECTURE/WEIGHTS, ORGANISATION/NAME; several."),
]
Episodes = Annotated[int, typer.Option(help="Labelled episodes: expert, mixed and random in turn.", min=6)]
Seed = Annotated[int, typer.Option(help="Which labelled episodes.", min=0)]


def train(
    size: Annotated[list[str] | None, typer.Option("--size", help="xs, s, m or l; several. Default: m.")] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds: 0, 1, ...", min=1)] = 1,
    frames: Annotated[int, typer.Option(help="Different frames to collect for each seed.", min=200)] = 12_000,
    steps: Annotated[int, typer.Option(help="Gradient steps.", min=10)] = 2_500,
    threads: Annotated[int, typer.Option(help="PyTorch threads.", min=1)] = 2,
    out: Annotated[Path, typer.Option(help="Folder of the models; what is there is not trained again.")] = Path(
        "runs/clip"
    ),
    as_json: Json = False,
) -> None:
    """Trains small CLIPs on rendered frames and generated captions, and measures them on frames they never saw.

    The frames are of MiniGrid, the mountain car and the cart-pole; a caption says what really holds on its frame. Such
    a CLIP knows these worlds and no other: it is for trying out CLIP rewards without a download, not zero-shot.

    Example: car clip train --size s --size m --seeds 3
    """
    from car.clip.making import make_clips
    from car.clip.sizes import find_size

    sizes = list(dict.fromkeys(size or ["m"]))
    for name in sizes:
        find_size(name)
    with progress("collecting frames", len(sizes) * seeds * steps) as advance:
        try:
            made = make_clips(sizes, range(seeds), frames, steps, threads, out, advance)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"Interrupted. Finished models are in {out}; the same command goes on.") from None
    document = {"folder": str(out), "models": [each.as_dict() for each in made]}
    best = max(made, key=lambda each: each.goal_auc)
    result(as_json, document, _made_table(made), next_step(f"car clip evaluate doorkey-6x6 --model {best.folder}"))


def evaluate(
    task: Annotated[str, typer.Argument(help="A built-in task, a TOML file, or module:attribute.")],
    model: Models = None,
    template: Template = None,
    alpha: Annotated[
        list[float] | None, typer.Option("--alpha", help="0 to 1; several. Default: 0, 0.2, ..., 1.")
    ] = None,
    goal: Goal = None,
    baseline: Baseline = None,
    negatives: Negatives = None,
    negatives_seed: NegativesSeed = None,
    tau: Tau = None,
    stretch: Stretch = False,
    episodes: Episodes = 60,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Folder of the plots and figures.")] = Path("runs/clip-evaluation"),
    as_json: Json = False,
) -> None:
    """Measures CLIP rewards on labelled frames as the papers do.

    Precision and recall of the binary reward over beta, for each model and prompt template (Baumli et al., figure 4),
    and the EPIC distance of the regularised cosine, for each model and alpha (Rocamonde et al., figure 4).

    Example: car clip evaluate doorkey-8x8 --model worlds --template plain --template screenshot
    """
    from car.clip.evaluation import ALPHAS, evaluate_clip
    from car.clip.plots import plots
    from car.files import write_text
    from car.rewards.clip.templates import templates_of
    from car.tasks import find_task

    found = find_task(task)
    templates = template or ["plain"]
    templates_of(templates)
    asked = asked_of_clip(goal, baseline, None, negatives, negatives_seed, tau, stretch=stretch)
    settings = _softmax(found, asked)
    encoders = _encoders(model, settings.stretch)
    labels = _labels(found, episodes, seed)
    alphas = alpha or (ALPHAS if settings.baseline else (0.0,))
    figures = evaluate_clip(labels, encoders, settings, templates, alphas)
    out.mkdir(parents=True, exist_ok=True)
    document = figures.as_dict()
    write_text(out / "clip.json", json.dumps(document, indent=1) + "\n")
    drawn = plots(figures, out)
    result(as_json, {**document, "plots": [str(each) for each in drawn]}, *_tables(figures), *map(str, drawn))


def calibrate(
    task: Annotated[str, typer.Argument(help="A built-in task, a TOML file, or module:attribute.")],
    model: Models = None,
    template: Template = None,
    goal: Goal = None,
    negatives: Negatives = None,
    negatives_seed: NegativesSeed = None,
    stretch: Stretch = False,
    episodes: Episodes = 60,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Chooses tau and beta of the softmax reward on labelled frames, and says how and how good they are.

    On a task without ground truth, the last frame of each successful episode is the goal, and no other frame.

    Example: car clip calibrate doorkey-8x8 --model worlds
    """
    from car.clip.calibration import HOW, calibrate
    from car.tasks import find_task

    found = find_task(task)
    if model and len(model) > 1:
        raise UserError("A calibration is of one model; give --model once.")
    asked = asked_of_clip(goal, None, None, negatives, negatives_seed, template=template, stretch=stretch)
    settings = _softmax(found, asked, *(model or []))
    (encoder,) = _encoders(model, settings.stretch)
    chosen = calibrate(_labels(found, episodes, seed), encoder, settings)
    shown = [_calibration_table(chosen), HOW, next_step(f"car train {task} --reward '{chosen.settings.reference}'")]
    result(as_json, chosen.as_dict(), *shown)


def _softmax(task: "Task", asked: dict[str, Any], model: str = "worlds") -> "ClipSettings":
    """The settings with the task's prompts, the baseline among them."""
    from dataclasses import replace

    from car.rewards.clip import with_prompts

    baseline = asked.pop("baseline", ())
    settings = with_prompts(clip_settings(f"clip-softmax:{model}", asked, REWARDS), task)
    cosine = with_prompts(replace(settings, kind="clip-cosine", alpha=1.0, baseline=baseline), task)
    return replace(settings, baseline=cosine.baseline)


def _encoders(models: list[str] | None, stretch: bool) -> "list[Encoder]":
    from car.rewards.clip.loading import load_encoder

    return [load_encoder(name, stretch) for name in dict.fromkeys(models or ["worlds"])]


def _labels(task: "Task", episodes: int, seed: int) -> "LabelSet":
    from car.clip.labelled import label_episodes

    with progress("playing labelled episodes", episodes) as advance:
        labels = label_episodes(task, episodes, seed, advance)
    if not labels.own_labels:
        note(f"{task.name} has no ground truth: the last frame of each successful episode is the goal.", "yellow")
    return labels


def _made_table(made: "list[Made]") -> Any:
    table = columns("size", "seed", "weights", "CPU s", "goal AUC", "sub-tasks", "never seen")
    for each in made:
        cells = (
            f"{each.parameters:,}",
            f"{each.cpu_seconds:.0f}",
            *map(_score, (each.goal_auc, each.auc, each.unseen_auc)),
        )
        table.add_row(each.size, str(each.seed), *cells)
    return table


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _tables(figures: "ClipFigures") -> list[Any]:
    share = f"{figures.goals:,} of {figures.frames:,} frames of {figures.task} show the goal."
    curves = columns("model", "template", "average precision", "ROC-AUC")
    for each in figures.curves:
        curves.add_row(each.model, each.template, f"{each.curve.average_precision:.3f}", f"{each.auc:.3f}")
    distances = columns("model", "alpha", "EPIC distance", "ROC-AUC")
    for row in figures.distances:
        distances.add_row(row.model, f"{row.alpha:g}", f"{row.epic:.3f}", f"{row.auc:.3f}")
    subtasks = columns("model", "sub-task", "sentence", "share", "ROC-AUC")
    for part in figures.subtasks:
        subtasks.add_row(part.model, part.name, part.sentence, f"{100 * part.share:.1f}%", _score(part.auc))
    tendencies = [
        f"{each.figure} by size, {each.models} models: rank correlation {each.correlation:.2f}, p = {each.p_value:.2g}."
        for each in figures.tendencies
        if each.correlation is not None
    ]
    return [share, "", curves, "", distances, "", subtasks, "", *tendencies]


def _calibration_table(chosen: "Calibration") -> Any:
    table = columns("tau", "beta", "F0.5 where chosen", "precision", "recall")
    cells = (
        f"{chosen.tau:g}",
        f"{chosen.beta:g}",
        f"{chosen.chosen_score:.3f}",
        _score(chosen.precision),
        f"{chosen.recall:.3f}",
    )
    table.add_row(*cells)
    return table
