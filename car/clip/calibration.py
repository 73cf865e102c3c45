"""Chooses tau and beta of the softmax reward on labelled frames; the paper names neither."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from car.clip.evaluation import as_softmax
from car.clip.figures import PrecisionRecall, precision_recall
from car.clip.labelled import LabelSet, check_both
from car.rewards.clip.encoder import Encoder
from car.rewards.clip.reference import ClipSettings
from car.rewards.clip.scores import score_of

TAUS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_BETAS = (*(round(0.02 * step, 2) for step in range(1, 50)), 0.985, 0.99, 0.995)
_WEIGHT = 0.5

HOW = (
    "Of all pairs of tau and beta, the one with the highest F0.5 (precision counts twice as much as recall, because an "
    "agent looks for the frames that are paid wrongly) on one half of the episodes; of equal ones, the tau "
    "with most such beta, and the middle one of these. "
    "Precision and recall are those on the other half, which had no part in the choice."
)
"""How it is done, for people."""


@dataclass(frozen=True)
class Calibration:
    """What was chosen.

    Args:
        tau: temperature.
        beta: threshold.
        chosen_on: how many frames the choice was made on.
        chosen_score: F0.5 there.
        precision: on the other frames; None if the reward is 1 on none of them.
        recall: on the other frames.
        settings: the whole reward.
    """

    tau: float
    beta: float
    chosen_on: int
    chosen_score: float
    precision: float | None
    recall: float
    settings: ClipSettings

    def as_dict(self) -> dict[str, Any]:
        """JSON-serialisable fields, with the reward in one line and how it was chosen."""
        fields = asdict(replace(self, settings=self.settings))
        return {**fields, "settings": self.settings.as_dict(), "reward": self.settings.reference, "how": HOW}


def calibrate(labels: LabelSet, encoder: Encoder, asked: ClipSettings, taus: Sequence[float] = TAUS) -> Calibration:
    """Chooses tau and beta, see `HOW`.

    Args:
        labels: frames of several episodes.
        encoder: the CLIP.
        asked: goal, negatives and templates.
        taus: to choose from.

    Raises:
        UserError: in one of the halves the goal holds on no frame, or on every one.
    """
    softmax = as_softmax(asked)
    halves = [labels.part(which) for which in (labels.to_choose_on, ~labels.to_choose_on)]
    for half in halves:
        check_both(half.goal, "In half of the episodes the goal")
    images = encoder.images(list(labels.pictures))

    def curve(half: LabelSet, tau: float) -> PrecisionRecall:
        return precision_recall(score_of(replace(softmax, tau=tau), encoder)(images)[half.order], half.goal)

    scored = []
    for tau in taus:
        found = curve(halves[0], tau)
        scored += [(_f_score(*found.at(beta)), tau, beta) for beta in _BETAS]
    best = max(score for score, _, _ in scored)
    equal = {tau: [beta for score, other, beta in scored if score == best and other == tau] for tau in taus}
    tau = max(equal, key=lambda each: len(equal[each]))
    beta = equal[tau][len(equal[tau]) // 2]
    precision, recall = curve(halves[1], tau).at(beta)
    return Calibration(
        tau=tau,
        beta=beta,
        chosen_on=len(halves[0].order),
        chosen_score=best,
        precision=precision,
        recall=recall,
        settings=replace(softmax, tau=tau, beta=beta, baseline=()),
    )


def _f_score(precision: float | None, recall: float) -> float:
    """The weighted harmonic mean (van Rijsbergen, 1979), 0 where nothing is found."""
    if precision is None or recall == 0:
        return 0.0
    squared = _WEIGHT**2
    return (1 + squared) * precision * recall / (squared * precision + recall)
