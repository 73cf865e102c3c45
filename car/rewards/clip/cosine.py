"""Goal-baseline regularised cosine similarity (Rocamonde et al., 2024, arXiv 2310.12921, definition 1)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from car.errors import UserError

_SAME = 1e-6


class GoalBaseline:
    """Scores image embeddings by a goal and a baseline in words.

    ``R(s) = 1 - 1/2 * || alpha * proj_L(s) + (1 - alpha) * s - g ||**2`` with unit vectors s (image), g (goal) and b
    (baseline), and L the line through b and g; ``proj_L(s) = b + ((s - b) . (g - b)) / ||g - b||**2 * (g - b)``. With
    alpha = 0 it is the cosine of s and g. With alpha = 1 only how far s lies along L counts:
    ``1 - (1 - t)**2 / 2 * ||g - b||**2`` with t the fraction of the way from b to g.

    Of several prompts, the mean of their unit vectors, made a unit vector again, stands for all.

    Args:
        goal: embeddings of the goal's prompts, (m, d) with m at least 1.
        baseline: embeddings of the baseline's prompts, (m', d); none with alpha = 0 only.
        alpha: strength of the regularisation, 0 to 1.

    Raises:
        UserError: alpha is out of range, or needs a baseline that is not there or means the same as the goal.
    """

    def __init__(self, goal: NDArray[np.floating], baseline: NDArray[np.floating], alpha: float = 0.0) -> None:
        if not 0.0 <= alpha <= 1.0:
            raise UserError(f"alpha is {alpha}; it must be 0 to 1.")
        self.alpha = alpha
        self._goal = mean_direction(goal)
        if alpha == 0.0:
            return
        if not len(baseline):
            raise UserError(f"alpha is {alpha}, which needs a baseline: say what every frame shows with --baseline.")
        self._baseline = mean_direction(baseline)
        self._along = self._goal - self._baseline
        self._length = float(self._along @ self._along)
        if self._length < _SAME:
            raise UserError("For this CLIP the goal and the baseline mean the same; say one of them otherwise.")

    def __call__(self, images: NDArray[np.floating]) -> NDArray[np.float64]:
        """R of each image.

        Args:
            images: unit embeddings, (n, d).

        Returns:
            (n,), at most 1.
        """
        states = np.asarray(images, np.float64)
        if self.alpha == 0.0:
            return np.asarray(states @ self._goal)
        reached = ((states - self._baseline) @ self._along) / self._length
        projected = self._baseline + reached[:, None] * self._along
        missing = self.alpha * projected + (1.0 - self.alpha) * states - self._goal
        return np.asarray(1.0 - 0.5 * (missing**2).sum(axis=1))


def mean_direction(vectors: NDArray[np.floating] | Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """The unit vector of the mean of unit vectors, (m, d) to (d,)."""
    mean = np.asarray(vectors, np.float64).mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))
