"""From settings to what scores the embeddings of frames."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from car.errors import UserError
from car.rewards.clip.cosine import GoalBaseline
from car.rewards.clip.encoder import Encoder
from car.rewards.clip.reference import ClipSettings
from car.rewards.clip.softmax import GoalAmongNegatives
from car.rewards.clip.templates import filled, templates_of
from car.rewards.clip_kinds import KINDS

Score = Callable[[NDArray[np.float32]], NDArray[np.float64]]
"""Unit embeddings of images, (n, d), to how well each fits, (n,)."""


def score_of(settings: ClipSettings, encoder: Encoder) -> Score:
    """What the settings say of an image: R of `GoalBaseline`, or p of `GoalAmongNegatives`.

    Raises:
        UserError: there is no goal, no negative, or a baseline is missing or means the same as the goal.
    """
    if not settings.goal:
        raise UserError("There is no goal: say with --goal what a frame of the goal shows.")
    if settings.kind == KINDS[0]:
        baseline = encoder.texts(settings.baseline) if settings.baseline else np.zeros((0, 1))
        return GoalBaseline(encoder.texts(settings.goal), baseline, settings.alpha)
    templates = templates_of(settings.template)

    def embedded(goals: Sequence[str]) -> NDArray[np.float32]:
        return encoder.texts([filled(template, goal) for goal in goals for template in templates])

    negatives = [embedded([each]) for each in settings.negative]
    return GoalAmongNegatives(embedded(settings.goal), np.array(negatives), settings.tau)
