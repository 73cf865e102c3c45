"""Checkers x trajectories -> Verdict against a Bar.

`verdict_on` does it all. `observe` lets the checkers look at the trajectories, `judge` holds what they said against the
Bar, `split` keeps the data of the refinement apart from the data of the verdict.
"""

from car.verify.bar import Bar, Need
from car.verify.judge import compared, judge
from car.verify.observe import Disagreement, Observation, observe, twice
from car.verify.probe import Probe
from car.verify.rules import described
from car.verify.split import Split, check_set, split
from car.verify.verdict import ChainEvidence, Decision, Finding, Mistake, Rule, SubTaskEvidence, Verdict
from car.verify.whole import verdict_on

__all__ = [
    "Bar",
    "ChainEvidence",
    "Decision",
    "Disagreement",
    "Finding",
    "Mistake",
    "Need",
    "Observation",
    "Probe",
    "Rule",
    "Split",
    "SubTaskEvidence",
    "Verdict",
    "check_set",
    "compared",
    "described",
    "judge",
    "observe",
    "split",
    "twice",
    "verdict_on",
]
