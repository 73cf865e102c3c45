"""How well scores agree with labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]


def epic_distance(scores: Scores, labels: Labels) -> float:
    """``sqrt((1 - pearson(R, goal)) / 2)``, 0 to 1: the EPIC distance of rewards that depend on the next state alone.

    From Rocamonde et al. (2024, appendix A), after Gleave et al. (2021); over the distribution of the frames given.

    Args:
        scores: R of each frame, (n,).
        labels: whether it shows the goal, (n,), of both kinds.

    Returns:
        ``sqrt(1/2)`` for scores that are all equal, which say nothing.
    """
    if np.ptp(scores) == 0:
        return float(np.sqrt(0.5))
    correlation = float(np.corrcoef(scores, labels.astype(np.float64))[0, 1])
    return float(np.sqrt(max(0.0, 1.0 - correlation) / 2))


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Precision and recall of ``score > beta`` at every beta that makes a difference, beta falling.

    Args:
        beta: (t,).
        precision: (t,).
        recall: (t,), rising.
    """

    beta: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]

    @property
    def average_precision(self) -> float:
        """The mean precision, weighted by how much recall each threshold adds."""
        return float((np.diff(self.recall, prepend=0.0) * self.precision).sum())

    def at(self, beta: float) -> tuple[float | None, float]:
        """Precision (None if no frame scores above) and recall of one beta."""
        passed = np.flatnonzero(self.beta >= beta)
        if not len(passed):
            return None, 0.0
        return float(self.precision[passed[-1]]), float(self.recall[passed[-1]])


def precision_recall(scores: Scores, labels: Labels) -> PrecisionRecall:
    """The precision-recall curve over beta (Baumli et al., 2023, figure 4).

    Args:
        scores: (n,).
        labels: (n,), at least one of them true.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.cumsum(labels[order])
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    found = hits[last].astype(np.float64)
    # A frame is above beta only if beta is below its score.
    return PrecisionRecall(np.nextafter(ranked[last], -np.inf), found / (last + 1), found / hits[-1])
