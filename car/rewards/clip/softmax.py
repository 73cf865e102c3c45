"""The goal's share in a softmax over goals, with a threshold (Baumli et al., 2023, arXiv 2312.09187, section 2)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from car.errors import UserError
from car.rewards.clip.cosine import mean_direction


class GoalAmongNegatives:
    """How likely a frame shows the goal rather than one of the negatives.

    ``p = exp(s . g / tau) / (sum over the goal and all negatives l of exp(s . l / tau))`` with unit vectors (equation
    1).

    Args:
        goal: embeddings of the goal in each template, (m, d) with m at least 1.
        negatives: embeddings of each of the j negatives in each template, (j, m, d) with j at least 1.
        tau: temperature, positive.

    Raises:
        UserError: no negatives, or tau is not positive.
    """

    def __init__(self, goal: NDArray[np.floating], negatives: NDArray[np.floating], tau: float) -> None:
        if not len(negatives):
            raise UserError("There are no negatives; a goal alone has all of the softmax, whatever a frame shows.")
        if not (tau > 0 and np.isfinite(tau)):
            raise UserError(f"tau is {tau}; it must be a positive number.")
        self.tau = tau
        self._texts = np.stack([mean_direction(each) for each in (goal, *negatives)])

    def __call__(self, images: NDArray[np.floating]) -> NDArray[np.float64]:
        """p of each image.

        Args:
            images: unit embeddings, (n, d).

        Returns:
            (n,), 0 to 1.
        """
        similarities = np.asarray(images, np.float64) @ self._texts.T
        return np.asarray(softmax(similarities / self.tau, axis=1)[:, 0])


def sampled_negatives(goal: Sequence[str], goals: Sequence[str], count: int, seed: int) -> tuple[str, ...]:
    """Negatives drawn once, uniformly and without repetition, from goals that can be achieved.

    Args:
        goal: the prompts of the goal, never one of them.
        goals: what to draw from.
        count: how many, at least 1; all that there are, if there are fewer.
        seed: decides which.

    Raises:
        UserError: the count is below 1, or nothing but the goal is there to draw from.
    """
    others = [each for each in dict.fromkeys(goals) if each not in goal]
    if count < 1 or not others:
        raise UserError("There are no negatives; a goal alone has all of the softmax, whatever a frame shows.")
    drawn = np.random.default_rng(seed).permutation(len(others))[:count]
    return tuple(others[int(index)] for index in drawn)
