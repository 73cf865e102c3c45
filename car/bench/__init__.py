"""The benchmark: the same algorithm on the same tasks and seeds, with different rewards.

It is an evaluation: the reward that is written by hand reads the truth.
"""

from car.bench.estimate import Estimate, estimate, estimate_ratio, interquartile_mean
from car.bench.figures import RowFigures, RunFigure, row_figures
from car.bench.page import write_results
from car.bench.plan import GENERATED, ROWS, SUITE, Row, bundles_of, check, jobs_for, rows_for, unfinished

__all__ = [
    "GENERATED",
    "ROWS",
    "SUITE",
    "Estimate",
    "Row",
    "RowFigures",
    "RunFigure",
    "bundles_of",
    "check",
    "estimate",
    "estimate_ratio",
    "interquartile_mean",
    "jobs_for",
    "row_figures",
    "rows_for",
    "unfinished",
    "write_results",
]
