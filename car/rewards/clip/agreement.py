"""How well scores agree with labels."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def roc_auc(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> float:
    """The chance that a frame with the label scores higher than one without; ties count half (Mann and Whitney, 1947).

    Args:
        scores: (n,).
        labels: (n,), of both kinds.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    ranks = rankdata(scores)[labels].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))
