"""Makes CLIPs of our own: collects frames, trains, measures on frames that were not trained on, and saves."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from car.clip.model import IMAGE, PROCESSOR
from car.clip.sizes import find_size
from car.clip.training import Course, Trained, train_clip
from car.clip.worlds import UNSEEN, WORLDS, Seen, collect
from car.errors import UserError
from car.files import write_text
from car.rewards.clip.agreement import roc_auc
from car.rewards.clip.encoder import Encoder
from car.rewards.clip.preprocessing import Preprocessing
from car.rewards.clip.transformer import TransformerClip, save
from car.tasks.sentences import SENTENCES

_HELD_OUT = 900
_HELD_OUT_FRAMES = 3000
_FEWEST = 3

_CARD = """\
---
license: mit
library_name: transformers
---
# A small CLIP of known worlds

{parameters:,} weights, trained from nothing by `car clip train` (Code as Reward) on {frames:,} rendered frames,
with captions made from what really holds on them. The worlds:

{worlds}.

**It is not zero-shot**: of other pictures and other sentences it knows nothing. It is there so that CLIP rewards can be
tried out, tested and compared without a download.

Frames of up to 96 x 96 pixels are padded; larger ones are made smaller first, which the processor of `transformers`
refuses to do.

Held-out ROC-AUC, seeds that were not trained on: goal {goal_auc:.3f}, all sub-tasks {auc:.3f}; on worlds that were
never trained on ({unseen}): {unseen_auc:.3f}. Size {size}, seed {seed}, {steps:,} gradient steps, {cpu_seconds:.0f} s
of a processor.
"""


@dataclass(frozen=True)
class Made:
    """One CLIP that was made.

    Args:
        folder: where it is, as `load_encoder` takes it.
        size: its size.
        seed: of its frames, weights and batches.
        parameters: how many weights it has.
        frames: how many frames it was trained on.
        steps: how many gradient steps.
        cpu_seconds: processor time of the training, without collecting frames.
        goal_auc: mean ROC-AUC of the goals of the worlds that it was trained on, on other seeds.
        auc: of all sub-tasks there.
        unseen_auc: of all sub-tasks of the worlds that it was never trained on.
        by_subtask: the ROC-AUC of each sub-task, by ``task/sub-task``.
    """

    folder: str
    size: str
    seed: int
    parameters: int
    frames: int
    steps: int
    cpu_seconds: float
    goal_auc: float
    auc: float
    unseen_auc: float
    by_subtask: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """JSON-serialisable fields; `Made(**fields)` makes it again."""
        return asdict(self)


Advance = Callable[..., None]
"""``advance(text=None, steps=1)``, as a progress bar takes it."""


def make_clips(
    sizes: Sequence[str], seeds: Iterable[int], frames: int, steps: int, threads: int, out: Path, advance: Advance
) -> list[Made]:
    """Makes a CLIP of every size with every seed; one whose folder is finished is not made again.

    Args:
        sizes: keys of `SIZES`.
        seeds: each collects frames of its own.
        frames: how many to collect.
        steps: gradient steps of each.
        threads: PyTorch threads.
        out: each is kept in ``SIZE/seed-N`` there.
        advance: told of progress, a step at a time.

    Raises:
        UserError: a folder holds a CLIP that was made otherwise, or something else.
    """
    made: list[Made] = []
    held_out: list[Seen] = []
    for seed in seeds:
        seen: list[Seen] = []
        for size in sizes:
            folder = out / size / f"seed-{seed}"
            course = Course(steps=steps, seed=seed, threads=threads)
            before = _made_before(folder, steps)
            if before is not None:
                made.append(before)
                advance(steps=steps)
                continue
            seen = seen or collect(seed, frames, lambda task, _: advance(f"collected {task}", 0))
            held_out = held_out or collect(
                _HELD_OUT, _HELD_OUT_FRAMES, lambda task, _: advance(f"held out {task}", 0), (*WORLDS, *UNSEEN)
            )
            trained = train_clip(
                seen,
                find_size(size),
                course,
                lambda step, loss, size=size, seed=seed: advance(f"{size}, seed {seed}: {loss:.2f}"),  # type: ignore[misc]
            )
            made.append(_kept(trained, folder, size, course, len(seen), held_out))
    return made


def _made_before(folder: Path, steps: int) -> Made | None:
    about = folder / "made.json"
    if not about.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise UserError(f"{folder} is not empty, and holds no finished CLIP; remove it, or choose another --out.")
        return None
    try:
        made = Made(**{**json.loads(about.read_text(encoding="utf-8")), "folder": str(folder)})
    except (ValueError, TypeError) as error:
        raise UserError(f"{about} is damaged; remove {folder}, or choose another --out.") from error
    if made.steps != steps:
        raise UserError(f"{folder} holds a CLIP of {made.steps:,} steps, not {steps:,}; choose another --out.")
    return made


def _kept(trained: Trained, folder: Path, size: str, course: Course, frames: int, held_out: Sequence[Seen]) -> Made:
    encoder = TransformerClip(trained.model, trained.tokeniser, Preprocessing.of(PROCESSOR, IMAGE), size, "", "cpu")
    scores = held_out_aucs(encoder, held_out)
    known = {name: auc for name, auc in scores.items() if name.split("/")[0] in WORLDS}
    goals = {name: auc for name, auc in known.items() if name in _goals(held_out)}
    made = Made(
        folder=str(folder),
        size=size,
        seed=course.seed,
        parameters=trained.parameters,
        frames=frames,
        steps=course.steps,
        cpu_seconds=round(trained.cpu_seconds, 1),
        goal_auc=_mean(goals.values()),
        auc=_mean(known.values()),
        unseen_auc=_mean(auc for name, auc in scores.items() if name not in known),
        by_subtask={name: round(auc, 4) for name, auc in scores.items()},
    )
    folder.mkdir(parents=True, exist_ok=True)
    save(trained.model, trained.tokeniser, PROCESSOR, folder)
    card = _CARD.format(**made.as_dict(), worlds=fill(", ".join(WORLDS), 120), unseen=", ".join(UNSEEN))
    write_text(folder / "README.md", card)
    # Last, because it says that all is there.
    write_text(folder / "made.json", json.dumps(replace(made, folder="").as_dict(), indent=1) + "\n")
    return made


def held_out_aucs(encoder: Encoder, held_out: Sequence[Seen]) -> dict[str, float]:
    """The ROC-AUC of the cosine with each sub-task's sentence, by ``task/sub-task``.

    Sub-tasks that hold on fewer than three of the frames, or do not hold on fewer than three, are left out.
    """
    found: dict[str, float] = {}
    for task in dict.fromkeys(each.task for each in held_out):
        some = [each for each in held_out if each.task == task]
        images = encoder.images([each.frame for each in some])
        for column, claim in enumerate(some[0].claims[:-1]):
            held = np.array([each.claims[column].holds for each in some], np.bool_)
            if _FEWEST <= held.sum() <= len(held) - _FEWEST:
                sentence = encoder.texts([SENTENCES[claim.about]])[0]
                found[f"{task}/{claim.about}"] = roc_auc(np.asarray(images @ sentence, np.float64), held)
    return found


def _goals(held_out: Sequence[Seen]) -> set[str]:
    """The last true sub-task of each task, by ``task/sub-task``; the last claim is about the place."""
    return {f"{each.task}/{each.claims[-2].about}" for each in held_out}


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return round(float(np.mean(listed)), 4) if listed else float("nan")
