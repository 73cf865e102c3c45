"""The options that say what a CLIP reward is asked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from car.errors import UserError

if TYPE_CHECKING:
    from car.rewards.clip import ClipSettings

Goal = Annotated[
    list[str] | None, typer.Option("--goal", help="For CLIP: what a frame of the goal shows; several are averaged.")
]
Baseline = Annotated[
    list[str] | None, typer.Option("--baseline", help="For clip-cosine: what every frame shows; several are averaged.")
]
Alpha = Annotated[float | None, typer.Option("--alpha", help="For clip-cosine: regularisation, 0 to 1; default: 0.")]
Negatives = Annotated[
    str | None,
    typer.Option("--negatives", help="For clip-softmax: a file of other goals, one a line, or how many to draw."),
]
NegativesSeed = Annotated[
    int | None, typer.Option("--negatives-seed", help="For clip-softmax: which negatives are drawn; default: 0.", min=0)
]
Tau = Annotated[float | None, typer.Option("--tau", help="For clip-softmax: temperature.")]
Beta = Annotated[float | None, typer.Option("--beta", help="For clip-softmax: the threshold, 0 to 1.")]
Template = Annotated[
    list[str] | None,
    typer.Option(
        "--template",
        help="For clip-softmax: plain, open, open-app, screenshot, screenshot-android, '... [TASK]', a file.",
    ),
]
End = Annotated[bool, typer.Option("--end", help="For clip-softmax: the episode ends where the reward is 1.")]
Stretch = Annotated[
    bool, typer.Option("--stretch", help="For CLIP: stretch frames to the model's square, as VLM-RM does.")
]
Gate = Annotated[
    str | None, typer.Option("--gate", help="For CLIP: a bundle that says what is done; CLIP shapes what comes next.")
]


def asked_of_clip(
    goal: Sequence[str] | None = None,
    baseline: Sequence[str] | None = None,
    alpha: float | None = None,
    negatives: str | None = None,
    negatives_seed: int | None = None,
    tau: float | None = None,
    beta: float | None = None,
    template: Sequence[str] | None = None,
    end: bool = False,
    stretch: bool = False,
    gate: str | None = None,
) -> dict[str, Any]:
    """What was said of CLIP rewards, as parameters of `read_reference`; nothing of what was not said.

    Raises:
        UserError: the file of negatives cannot be read, or is empty.
    """
    asked: dict[str, Any] = {
        "goal": tuple(goal) if goal else None,
        "baseline": tuple(baseline) if baseline else None,
        "alpha": alpha,
        "seed": negatives_seed,
        "tau": tau,
        "beta": beta,
        "template": tuple(template) if template else None,
        "end": end or None,
        "stretch": stretch or None,
        "gate": gate,
    }
    if negatives is not None:
        asked |= _negatives(negatives)
    return {name: value for name, value in asked.items() if value is not None}


def _negatives(said: str) -> dict[str, Any]:
    from car.rewards.clip.templates import lines_of

    try:
        return {"negatives": int(said)}
    except ValueError:
        pass
    return {"negative": tuple(dict.fromkeys(lines_of(Path(said), "negatives")))}


def clip_settings(reference: str, asked: Mapping[str, Any], rewards: Path) -> "ClipSettings":
    """The CLIP reward that is meant: what the line says, and what the options say that go with its kind.

    Args:
        reference: as after ``--reward``.
        asked: of `asked_of_clip`.
        rewards: where a gate is looked for.

    Raises:
        UserError: see `read_reference`.
        BadBundle: there is no such gate.
    """
    from dataclasses import replace

    from car.bundle import find_bundle
    from car.rewards.clip import read_reference
    from car.rewards.clip.reference import parameters_of

    settings = read_reference(
        reference, {name: each for name, each in asked.items() if name in parameters_of(reference)}
    )
    return replace(settings, gate=str(find_bundle(settings.gate, rewards))) if settings.gate else settings


def check_used(asked: Mapping[str, Any], references: Sequence[str]) -> None:
    """Refuses options that no reward takes.

    Args:
        asked: of `asked_of_clip`.
        references: the CLIP rewards.

    Raises:
        UserError: there is such an option.
    """
    from car.rewards.clip.reference import parameters_of

    taken = {name for each in references for name in parameters_of(each)}
    if unused := [name for name in asked if name not in taken]:
        option = {"negative": "negatives", "seed": "negatives-seed"}.get(unused[0], unused[0])
        which = "another kind of CLIP reward" if references else "CLIP rewards, of which there is none"
        raise UserError(f"--{option} is for {which}; see docs/clip.md.")
