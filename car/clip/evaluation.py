"""How good CLIP rewards are on labelled frames: by model, by prompt template, by alpha."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from car.clip.figures import PrecisionRecall, epic_distance, precision_recall
from car.clip.labelled import LabelSet, check_both
from car.errors import UserError
from car.rewards.clip.agreement import roc_auc
from car.rewards.clip.encoder import Encoder
from car.rewards.clip.reference import ClipSettings
from car.rewards.clip.scores import score_of
from car.rewards.clip.softmax import sampled_negatives
from car.rewards.clip_kinds import KINDS
from car.tasks.sentences import SENTENCES

_FEWEST_MODELS = 4
ALPHAS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, eq=False)
class Curve:
    """The binary reward of one model and template, over beta.

    Args:
        model: its name.
        parameters: how many weights it has; None if that is not known.
        template: as it was asked for.
        curve: precision and recall of the goal.
        auc: the ROC-AUC of p.
    """

    model: str
    parameters: int | None
    template: str
    curve: PrecisionRecall
    auc: float

    def as_dict(self) -> dict[str, Any]:
        """JSON-serialisable fields; of the curve, what is to be known of it."""
        return {
            "model": self.model,
            "parameters": self.parameters,
            "template": self.template,
            "auc": self.auc,
            "average_precision": self.curve.average_precision,
            "curve": {name: values.tolist() for name, values in _thinned(self.curve).items()},
        }


@dataclass(frozen=True)
class Distance:
    """The regularised cosine of one model with one alpha.

    Args:
        model: its name.
        parameters: how many weights it has; None if that is not known.
        alpha: strength of the regularisation.
        epic: distance to the goal's label, 0 to 1.
        auc: the ROC-AUC of R.
    """

    model: str
    parameters: int | None
    alpha: float
    epic: float
    auc: float


@dataclass(frozen=True)
class SubTask:
    """How well the cosine with a sub-task's sentence tells whether it is done.

    Args:
        model: the CLIP's name.
        name: of the sub-task.
        sentence: what was asked.
        share: of the frames on which it is done.
        auc: the ROC-AUC; None where it is done on all frames or on none.
    """

    model: str
    name: str
    sentence: str
    share: float
    auc: float | None


@dataclass(frozen=True)
class Tendency:
    """Whether larger models are better: Spearman's rank correlation of a figure with the number of weights.

    Args:
        figure: ``average precision`` (with the first template) or ``EPIC distance`` (with the first alpha).
        models: how many.
        correlation: -1 to 1; larger is better where it is positive for the precision, negative for the distance. None
            where all models are alike.
        p_value: the chance of a correlation that is as far from 0 or farther, if size did not matter.
    """

    figure: str
    models: int
    correlation: float | None
    p_value: float | None


@dataclass(frozen=True)
class ClipFigures:
    """What was measured on the frames of one task.

    Args:
        task: its name.
        frames: how many frames, equal ones counted as often as they came.
        goals: how many of them show the goal.
        negatives: that the softmax had.
        curves: one for each model and template.
        distances: one for each model and alpha.
        subtasks: one for each model and sub-task.
        tendencies: with four models or more of known size.
    """

    task: str
    frames: int
    goals: int
    negatives: tuple[str, ...]
    curves: tuple[Curve, ...]
    distances: tuple[Distance, ...]
    subtasks: tuple[SubTask, ...]
    tendencies: tuple[Tendency, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON-serialisable fields."""
        return {
            "task": self.task,
            "frames": self.frames,
            "goals": self.goals,
            "negatives": list(self.negatives),
            "curves": [each.as_dict() for each in self.curves],
            "distances": [asdict(each) for each in self.distances],
            "subtasks": [asdict(each) for each in self.subtasks],
            "tendencies": [asdict(each) for each in self.tendencies],
        }


def evaluate_clip(
    labels: LabelSet,
    encoders: Sequence[Encoder],
    asked: ClipSettings,
    templates: Sequence[str] = ("plain",),
    alphas: Sequence[float] = ALPHAS,
) -> ClipFigures:
    """Measures every model with every template and alpha.

    Args:
        labels: the frames.
        encoders: the models.
        asked: goal, baseline, negatives, tau; its alpha and template are not used.
        templates: see `car.rewards.clip.templates`.
        alphas: each 0 to 1; those above 0 need a baseline.

    Raises:
        UserError: the goal holds on no frame or on every one; settings that cannot be.
    """
    check_both(labels.goal, "The goal")
    softmax = as_softmax(asked)
    curves: list[Curve] = []
    distances: list[Distance] = []
    subtasks: list[SubTask] = []
    for encoder in encoders:
        images = encoder.images(list(labels.pictures))
        size = getattr(encoder, "parameters", None)
        for template in templates:
            scores = score_of(replace(softmax, template=(template,)), encoder)(images)[labels.order]
            curve = precision_recall(scores, labels.goal)
            curves.append(Curve(encoder.name, size, template, curve, roc_auc(scores, labels.goal)))
        for alpha in alphas:
            scores = score_of(as_cosine(asked, alpha), encoder)(images)[labels.order]
            distances.append(
                Distance(encoder.name, size, alpha, epic_distance(scores, labels.goal), roc_auc(scores, labels.goal))
            )
        subtasks += _subtasks(labels, encoder, images)
    return ClipFigures(
        task=labels.task,
        frames=len(labels.order),
        goals=int(labels.goal.sum()),
        negatives=softmax.negative,
        curves=tuple(curves),
        distances=tuple(distances),
        subtasks=tuple(subtasks),
        tendencies=tuple(_tendencies(curves, distances)),
    )


def _tendencies(curves: Sequence[Curve], distances: Sequence[Distance]) -> list[Tendency]:
    precisions = [
        (each.parameters, each.curve.average_precision) for each in curves if each.template == curves[0].template
    ]
    epics = [(each.parameters, each.epic) for each in distances if each.alpha == distances[0].alpha]
    found = []
    for figure, pairs in (("average precision", precisions), ("EPIC distance", epics)):
        known = [(size, value) for size, value in pairs if size is not None]
        if len(known) < _FEWEST_MODELS:
            continue
        sizes, values = zip(*known, strict=True)
        alike = len(set(sizes)) == 1 or len(set(values)) == 1
        correlation, p_value = (None, None) if alike else map(float, spearmanr(sizes, values))
        found.append(Tendency(figure, len(known), correlation, p_value))
    return found


def as_softmax(asked: ClipSettings) -> ClipSettings:
    """The settings as those of a softmax; negatives are drawn if there are none."""
    drawn = asked.negative or sampled_negatives(asked.goal, list(SENTENCES.values()), asked.negatives, asked.seed)
    return replace(asked, kind=KINDS[1], negative=drawn, alpha=0.0)


def as_cosine(asked: ClipSettings, alpha: float) -> ClipSettings:
    """The settings as those of a cosine.

    Raises:
        UserError: alpha is above 0 and there is no baseline.
    """
    if alpha > 0 and not asked.baseline:
        raise UserError(f"alpha is {alpha}, which needs a baseline: say what every frame shows with --baseline.")
    return replace(asked, kind=KINDS[0], alpha=alpha)


def _subtasks(labels: LabelSet, encoder: Encoder, images: Any) -> list[SubTask]:
    found = []
    for column, name in enumerate(labels.names):
        if name not in SENTENCES:
            continue
        held = labels.truth[:, column]
        text = encoder.texts([SENTENCES[name]])[0]
        scores = np.asarray(images @ text, np.float64)[labels.order]
        auc = None if held.all() or not held.any() else roc_auc(scores, held)
        found.append(SubTask(encoder.name, name, SENTENCES[name], float(held.mean()), auc))
    return found


_POINTS = 200


def _thinned(curve: PrecisionRecall) -> dict[str, Any]:
    """At most some hundred points of a curve, its ends among them."""
    count = len(curve.beta)
    kept = np.unique(np.linspace(0, count - 1, min(count, _POINTS)).round().astype(np.int64))
    return {"beta": curve.beta[kept], "precision": curve.precision[kept], "recall": curve.recall[kept]}
