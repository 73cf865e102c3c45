"""Verdicts that hold everything that a verdict may hold."""

from dataclasses import replace

from car.sandbox.isolation import Isolation
from car.verify import ChainEvidence, Decision, Finding, Need, Probe, Rule, SubTaskEvidence, Verdict

LONG = "put-the-small-wooden-box-next-to-the-yellow-wall"
NAMES = ("pick-up", LONG, "rest")

_PICTURE = {"answers_same": 0.945, "firing_same": 1.0, "frames": 200, "experts": 15, "variant": "as [it] is"}
_COST = {"check_us": 120.5, "identify_us": 3000.0, "progress_us": None, "limit_us": 500.0, "identify_limit_us": 1e4}
_SHORTCUT = {"subtask": "pick-up", "completed": 9, "continuations": 10, "share": 0.9, "share_for_nothing": 0.5}

PROBES = (
    Probe("first frame", "", True, True, "Nothing is done on any first frame.", {"looked_at": 120, "wrong": 0}),
    Probe("goal at the end", "", True, None, "Nobody knows when these experts reach the goal."),
    Probe("exploit: idle", "", True, True, "Doing nothing pays 0.", _PICTURE | {"ratio": 0.0}),
    Probe("exploit: black", "", True, True, "A black picture pays 0.667.", {"ratio": 2 / 3}),
    Probe("exploit: one action", "", True, None, "The environment cannot be run."),
    Probe("noise", "pick-up", False, True, "All answers stay the same.", _PICTURE | {"answers_same": 1.0}),
    Probe("shift", "pick-up", False, False, "189 of 200 answers stay the same.", _PICTURE),
    Probe("jpeg", LONG, False, None, "The program was not asked about changed frames: it fails."),
    Probe("shortcut", "pick-up", False, False, "9 of 10 random continuations have it done.", _SHORTCUT),
    Probe("shortcut", LONG, False, None, "No expert has seeds."),
    Probe("cost", "pick-up", False, True, "A frame takes 120 microseconds.", _COST),
    Probe("cost", LONG, False, False, "A frame takes 12,000 microseconds.", _COST | {"check_us": 12000.0}),
    Probe("cost", "rest", False, None, "It answered about no frame.", _COST | {"check_us": None, "identify_us": None}),
    Probe("something new", "rest", False, False, "It is [weak]."),
)
"""Probes of each kind, that pass, fail, and were not made."""


def evidence(name: str, false: int = 0) -> SubTaskEvidence:
    """The figures of one sub-task."""
    first = (4, 5, *[9] * 17, 12), (None, 7, 250, 611)
    return SubTaskEvidence(name, "0" * 64, 20, 20, 3, 100, *first, (0.831, 1.0), (0.0062, 0.0852), false)


CHAIN = ChainEvidence(20, 20, 4, 100, 3, (0.831, 1.0), (0.0062, 0.0852))
ACCEPTED = Verdict(
    decision=Decision.ACCEPTED,
    rule="experts: the whole chain in at least 100%; random: the whole chain without success in fewer than 10%, of 100",
    confidence=0.95,
    subtasks=tuple(evidence(name) for name in NAMES),
    chain=CHAIN,
    findings=(),
    needs=(),
    probes=PROBES,
    frames=12000,
    distinct=800,
    isolation=Isolation(2, (), {"user": "65534", "landlock": "ABI 4"}),
)
REHEARSAL = replace(
    ACCEPTED, decision=Decision.UNDECIDED, probes=(), needs=(Need("expert", 5, "5 of 5 experts, which is too few."),)
)
UNDECIDED = replace(
    ACCEPTED,
    decision=Decision.UNDECIDED,
    needs=(Need("expert", 7, "3 of 3 expert trajectories, too few."), Need("random", 80, "0 of 20, too few.")),
)
FINDINGS = (
    Finding(Rule.TOO_EARLY, LONG, "It is [true] at 3.", 2, 3),
    Finding(Rule.NO_PROGRAM, "missing", "No reply held a program that may run."),
    Finding(Rule.EXPLOITABLE, "rest", "It pays for nothing.", 0, 4, "black"),
    Finding(Rule.CHAIN_ON_RANDOM, "", "13 of 100."),
)
REJECTED = replace(
    ACCEPTED,
    decision=Decision.REJECTED,
    findings=FINDINGS,
    subtasks=tuple(evidence(name, false=7 * (name == LONG)) for name in NAMES),
    probes=(*PROBES, Probe("exploit: noise", "", True, False, "Noise pays 1.2.", {"ratio": 1.2})),
    isolation=None,
)
