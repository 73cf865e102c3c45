"""How right the rewards of a benchmark are, frame by frame, and how fast, on labelled episodes."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from car.bench.plan import Row
from car.clip.figures import precision_recall
from car.clip.labelled import LabelSet, label_episodes
from car.errors import UserError
from car.files import write_text
from car.frames import Frame
from car.milestones import Shaping
from car.rewards.clip import is_clip, read_reference, with_prompts
from car.rewards.clip.encoder import Encoder
from car.rewards.clip.loading import load_encoder
from car.rewards.clip.scores import score_of
from car.rewards.code import open_reward
from car.tasks.sentences import SENTENCES
from car.train import SPARSE

EPISODES = 60
_BATCH = 16
_GOAL = "goal"


@dataclass(frozen=True)
class Part:
    """One true sub-task, or the goal, by one reward.

    Args:
        name: of the true sub-task; ``goal`` for the last one.
        precision: of the frames on which the reward says done, the share on which it is; None if it never does.
        recall: of the frames on which it is done, the share on which the reward says so; None if it is done on none.
    """

    name: str
    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class Quality:
    """One reward on one task.

    Args:
        task: its name.
        label: of the reward.
        reward: what it was, as `car.train.train` takes it.
        frames_per_second: distinct frames that it looks at in a second, in batches of 16, all sub-tasks asked.
        parts: the goal and the sub-tasks that it has.
    """

    task: str
    label: str
    reward: str
    frames_per_second: float
    parts: tuple[Part, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-serialisable fields; `Quality.of` makes it again."""
        return asdict(self)

    @classmethod
    def of(cls, fields: dict[str, Any]) -> "Quality":
        """The figures with these fields."""
        return cls(**{**fields, "parts": tuple(Part(**each) for each in fields["parts"])})


def measured_quality(
    rows: Sequence[Row], out: Path, allow_unreviewed: bool = False, isolation: int | None = None
) -> list[Quality]:
    """The quality of all rewards that score frames; what was measured before is in ``quality.json`` and is kept.

    A program says done or not. A CLIP gives scores: the threshold of each sub-task is the one with the highest F0.5 on
    half of the episodes; the figures of all rewards are those on the other half. Of a gated CLIP, the programs decide.

    Args:
        rows: of the benchmark.
        out: its folder.
        allow_unreviewed: also measure bundles that no person has approved.
        isolation: the lowest isolation level at which programs may run.

    Raises:
        UserError: ``quality.json`` is damaged.
    """
    path = out / "quality.json"
    known = {(each.task, each.label, each.reward): each for each in _read(path)}
    labels: dict[str, LabelSet] = {}
    for row in rows:
        key = row.task.name, row.label, row.reward
        if key in known or not _scores_frames(row):
            continue
        if row.task.name not in labels:
            labels[row.task.name] = label_episodes(row.task, EPISODES)
        known[key] = _quality(row, labels[row.task.name], allow_unreviewed, isolation)
        out.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps([each.as_dict() for each in known.values()], indent=1) + "\n")
    return [known[key] for row in rows if (key := (row.task.name, row.label, row.reward)) in known]


def _read(path: Path) -> list[Quality]:
    if not path.is_file():
        return []
    try:
        return [Quality.of(each) for each in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is damaged; remove it, and it will be measured again.") from error


def _scores_frames(row: Row) -> bool:
    """Whether it looks at frames: a bundle once, whatever the agent makes of it, and every CLIP."""
    if row.reward == SPARSE or row.label in ("hidden", "options"):
        return False
    return is_clip(row.reward) or Path(row.reward).is_dir()


def _quality(row: Row, labels: LabelSet, allow_unreviewed: bool, isolation: int | None) -> Quality:
    gate = read_reference(row.reward).gate if is_clip(row.reward) else row.reward
    if gate:
        said, names, rate = _by_programs(Path(gate), labels, allow_unreviewed, isolation)
        columns = _counterparts(said, labels, names)
    else:
        columns, rate = _by_clip(row, labels)
    which = ~labels.to_choose_on
    parts = [
        _part(_GOAL if column == len(labels.names) - 1 else labels.names[column], done[which], held[which])
        for column, done in columns.items()
        for held in (labels.truth[:, column],)
    ]
    return Quality(row.task.name, row.label, row.reward, round(rate, 1), tuple(parts))


def _part(name: str, done: NDArray[np.bool_], held: NDArray[np.bool_]) -> Part:
    hits = int((done & held).sum())
    precision = round(hits / int(done.sum()), 4) if done.any() else None
    recall = round(hits / int(held.sum()), 4) if held.any() else None
    return Part(name, precision, recall)


def _by_programs(
    bundle: Path, labels: LabelSet, allow_unreviewed: bool, isolation: int | None
) -> tuple[NDArray[np.bool_], tuple[str, ...], float]:
    """What each program says of each step, (n, k), their names, and frames a second."""
    reward = open_reward(bundle, Shaping(), allow_unreviewed, isolation=isolation)
    try:
        said = np.zeros((len(labels.order), len(reward.names)), np.bool_)
        seconds, frames = 0.0, 0
        for episode in np.unique(labels.episodes):
            rows = np.flatnonzero(labels.episodes == episode)
            numbers, places = np.unique(labels.order[rows], return_inverse=True)
            pictures = [labels.pictures[int(number)] for number in numbers]
            first = labels.pictures[int(labels.order[rows[0]])]
            began = time.perf_counter()
            signals = _batched(
                lambda some, first=first: reward.signals(  # type: ignore[misc]
                    np.stack([first] * len(some)), np.stack(some), np.ones((len(some), len(reward.names)), np.bool_)
                ),
                pictures,
            )
            seconds += time.perf_counter() - began
            frames += len(pictures)
            said[rows] = (signals >= 1.0)[places]
        return said, tuple(each.name for each in reward.subtasks), frames / seconds
    finally:
        reward.close()


def _batched(score: Callable[[Sequence[Frame]], NDArray[Any]], frames: Sequence[Frame]) -> NDArray[Any]:
    return np.concatenate([score(frames[start : start + _BATCH]) for start in range(0, len(frames), _BATCH)])


def _counterparts(said: NDArray[np.bool_], labels: LabelSet, names: Sequence[str]) -> dict[int, NDArray[np.bool_]]:
    """What was said, by the number of the true sub-task that it agrees with best; the last one is the goal's."""
    goal = len(labels.names) - 1
    found = {goal: said[:, -1]}
    pairs = sorted(
        ((_agreement(said[:, k], labels.truth[:, m]), k, m) for k in range(len(names) - 1) for m in range(goal)),
        reverse=True,
    )
    taken: set[int] = set()
    for agreement, k, m in pairs:
        if agreement > 0.5 and k not in taken and m not in found:
            taken.add(k)
            found[m] = said[:, k]
    return dict(sorted(found.items()))


def _agreement(done: NDArray[np.bool_], held: NDArray[np.bool_]) -> float:
    """F1 over all steps."""
    total = int(done.sum()) + int(held.sum())
    return 2 * int((done & held).sum()) / total if total else 0.0


def _by_clip(row: Row, labels: LabelSet) -> tuple[dict[int, NDArray[np.bool_]], float]:
    """What a CLIP says of each true sub-task with a sentence at each step, and frames a second."""
    settings = with_prompts(read_reference(row.reward), row.task)
    encoder: Encoder = load_encoder(settings.model, settings.stretch)
    with _one_thread():
        began = time.perf_counter()
        images = _batched(encoder.images, labels.pictures)
        rate = len(labels.pictures) / (time.perf_counter() - began)
    found: dict[int, NDArray[np.bool_]] = {}
    goal = len(labels.names) - 1
    for column, name in enumerate(labels.names):
        if column == goal:
            asked = settings
        elif name in SENTENCES:
            sentence = SENTENCES[name]
            # Its own goal is one of the others that a sub-task is told from.
            others = tuple(each for each in (*settings.negative, *settings.goal) if each != sentence)
            asked = replace(settings, goal=(sentence,), negative=others if settings.negative else ())
        else:
            continue
        scores = score_of(asked, encoder)(images)[labels.order]
        found[column] = scores > _threshold(scores, labels.truth[:, column], labels.to_choose_on)
    return found, rate


@contextmanager
def _one_thread() -> Iterator[None]:
    """As training has it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _threshold(scores: NDArray[np.float64], held: NDArray[np.bool_], which: NDArray[np.bool_]) -> float:
    """The one with the highest F0.5 on some of the steps; above all scores if the sub-task is done on none of them."""
    if not held[which].any():
        return float("inf")
    curve = precision_recall(scores[which], held[which])
    f_score = 1.25 * curve.precision * curve.recall / np.maximum(0.25 * curve.precision + curve.recall, 1e-12)
    best = int(f_score.argmax())
    # In the middle between the last score above it and the first below, where other frames' scores may lie.
    below = curve.beta[best + 1] if best + 1 < len(curve.beta) else curve.beta[best]
    return float((curve.beta[best] + below) / 2)
