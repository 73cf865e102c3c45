"""Checkers x trajectories -> Verdict against a Bar.

`observe` lets the checkers look at the trajectories, `judge` holds what they said against the Bar, `split` keeps the
data of the refinement apart from the data of the verdict.
"""

from car.verify.judge import Bar, judge
from car.verify.observe import Disagreement, Observation, observe, twice
from car.verify.split import Split, split
from car.verify.verdict import ChainEvidence, Finding, Rule, SubTaskEvidence, Verdict

__all__ = [
    "Bar",
    "ChainEvidence",
    "Disagreement",
    "Finding",
    "Observation",
    "Rule",
    "Split",
    "SubTaskEvidence",
    "Verdict",
    "judge",
    "observe",
    "split",
    "twice",
]
