"""The verdict: what was found, with the evidence, as data that is written to `verdict.json`."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from car.sandbox.isolation import Isolation, isolation_from
from car.verify.bar import Need
from car.verify.probe import Probe

FORMAT = "car-verdict/2"

COST = "cost"
"""The name of the probes whose figures differ from run to run."""

Interval = tuple[float, float]
"""The lower and the upper bound of a share, each in [0, 1]."""


class Decision(StrEnum):
    """What a verdict says."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNDECIDED = "undecided"


class Mistake(StrEnum):
    """What kind of mistake a finding is."""

    NO_PROGRAM = "no program"
    CRASHES = "crashes"
    IMPURE = "answers differently when asked again"
    FIRES_TOO_EARLY = "fires too early"
    WRONG_ORDER = "wrong order"
    NEVER_FIRES = "never fires"
    FIRES_ON_RANDOM = "fires on random"
    REPEATS_ANOTHER = "says the same as another"
    CAN_BE_EXPLOITED = "can be exploited"
    OVER_FITTED = "over-fitted"


class Rule(StrEnum):
    """What can be found against a checker or a chain, in the order in which it is looked for."""

    NO_PROGRAM = "no program"
    CRASHES = "crashes"
    NOT_PURE = "not pure"
    TRUE_AT_START = "true at the start"
    TOO_EARLY = "before what it depends on"
    GOAL_TOO_EARLY = "goal before the end"
    NEVER_ON_EXPERT = "never on an expert"
    DUPLICATE = "same as another"
    TOO_EASY = "random is as fast as the expert"
    FALSE_GOAL = "goal without success"
    EXPLOITABLE = "pays for nothing done"
    CHAIN_ON_EXPERT = "chain not done by experts"
    CHAIN_ON_RANDOM = "chain done by random"
    OVER_FITTED = "over-fitted"


_MISTAKES: Mapping[Rule, Mistake] = {
    Rule.NO_PROGRAM: Mistake.NO_PROGRAM,
    Rule.CRASHES: Mistake.CRASHES,
    Rule.NOT_PURE: Mistake.IMPURE,
    Rule.TRUE_AT_START: Mistake.FIRES_TOO_EARLY,
    Rule.NEVER_ON_EXPERT: Mistake.NEVER_FIRES,
    Rule.TOO_EARLY: Mistake.WRONG_ORDER,
    Rule.GOAL_TOO_EARLY: Mistake.FIRES_TOO_EARLY,
    Rule.DUPLICATE: Mistake.REPEATS_ANOTHER,
    Rule.TOO_EASY: Mistake.FIRES_ON_RANDOM,
    Rule.FALSE_GOAL: Mistake.FIRES_ON_RANDOM,
    Rule.EXPLOITABLE: Mistake.CAN_BE_EXPLOITED,
    Rule.CHAIN_ON_EXPERT: Mistake.NEVER_FIRES,
    Rule.CHAIN_ON_RANDOM: Mistake.FIRES_ON_RANDOM,
    Rule.OVER_FITTED: Mistake.OVER_FITTED,
}


@dataclass(frozen=True)
class Finding:
    """One broken rule, where it shows first.

    Args:
        rule: which rule.
        subtask: the sub-task's name; "" for the whole chain.
        message: the fact, in one or two sentences.
        trajectory: index into the trajectories that were judged; None if no single one shows it.
        time: the frame's index in that trajectory.
        probe: the probe that found it; "" if it was a rule.
    """

    rule: Rule
    subtask: str
    message: str
    trajectory: int | None = None
    time: int | None = None
    probe: str = ""

    @property
    def mistake(self) -> Mistake:
        """What kind of mistake it is."""
        return _MISTAKES[self.rule]


@dataclass(frozen=True)
class SubTaskEvidence:
    """What was measured for one sub-task.

    Args:
        name: the sub-task.
        checker_sha256: the program that was judged.
        experts_done: expert trajectories in which it was credited, in order.
        experts: how many expert trajectories there were.
        randoms_done: random trajectories in which it was credited.
        randoms: how many random trajectories there were.
        expert_first: time of crediting in each expert trajectory; None where never.
        random_first: the same for the random ones.
        expert_interval: the interval for the share of experts.
        random_interval: the interval for the share of random trajectories.
        false_firings: trajectories in which it is known to have said done wrongly: on the first frame, on an expert
            before what it depends on, and for the goal before the end or without the environment's success.
    """

    name: str
    checker_sha256: str
    experts_done: int
    experts: int
    randoms_done: int
    randoms: int
    expert_first: tuple[int | None, ...]
    random_first: tuple[int | None, ...]
    expert_interval: Interval
    random_interval: Interval
    false_firings: int


@dataclass(frozen=True)
class ChainEvidence:
    """What was measured for the whole chain: every sub-task and the goal, in order.

    Args:
        experts_done: expert trajectories in which the whole chain was done.
        experts: how many there were.
        randoms_done: the same for the random ones.
        randoms: how many there were.
        false_goals: random trajectories with a whole chain in which the environment reports no success; None where
            the environment's success is not known.
        expert_interval: the interval for the share of experts.
        random_interval: the interval for the share of random trajectories whose chain is held against the checkers:
            `false_goals` of them, or `randoms_done` where that is not known.
    """

    experts_done: int
    experts: int
    randoms_done: int
    randoms: int
    false_goals: int | None
    expert_interval: Interval
    random_interval: Interval

    @property
    def unconfirmed(self) -> int:
        """Random trajectories with a whole chain that the environment does not confirm."""
        return self.randoms_done if self.false_goals is None else self.false_goals


@dataclass(frozen=True)
class Verdict:
    """What verification found; docs/verdict.md describes the file.

    Args:
        decision: accepted, rejected (a rule was broken), or undecided (none was, but there are too few data).
        rule: the rule in words, with its thresholds.
        confidence: of all intervals.
        subtasks: the evidence, in the chain's order.
        chain: the evidence for the whole chain.
        findings: the broken rules.
        needs: what is missing for a decision; empty unless undecided.
        probes: what was looked at besides; one that is strict and fails rejects, though only the first mistake of a
            sub-task is a finding.
        frames: how many frames the trajectories have.
        distinct: how many of them differ within their episode; nothing else can be asked about.
        isolation: how well the checkers were isolated; None if that was not measured.
    """

    decision: Decision
    rule: str
    confidence: float
    subtasks: tuple[SubTaskEvidence, ...]
    chain: ChainEvidence
    findings: tuple[Finding, ...]
    needs: tuple[Need, ...]
    probes: tuple[Probe, ...]
    frames: int
    distinct: int
    isolation: Isolation | None = None

    @property
    def accepted(self) -> bool:
        """Whether it is verified: no rule was broken, and there are data enough to say so."""
        return self.decision is Decision.ACCEPTED

    def of(self, subtask: str) -> list[Finding]:
        """The findings against one sub-task; those against the whole chain for ""."""
        return [each for each in self.findings if each.subtask == subtask]

    def probed(self, subtask: str) -> list[Probe]:
        """The probes of one sub-task; those of the whole chain for ""."""
        return [each for each in self.probes if each.subtask == subtask]

    def without_times(self) -> "Verdict":
        """The same without the probes of cost, whose figures are of one machine at one time."""
        return dataclasses.replace(self, probes=tuple(each for each in self.probes if each.name != COST))

    @property
    def times(self) -> tuple[Probe, ...]:
        """The probes of cost."""
        return tuple(each for each in self.probes if each.name == COST)

    def with_probes(self, more: tuple[Probe, ...]) -> "Verdict":
        """The same with more probes, which must not be strict."""
        return dataclasses.replace(self, probes=self.probes + more)

    def as_dict(self) -> dict[str, Any]:
        """The verdict as JSON-serialisable fields."""
        isolation = self.isolation.as_dict() if self.isolation else None
        plain = dataclasses.asdict(dataclasses.replace(self, isolation=None))
        for found, given in zip(plain["findings"], self.findings, strict=True):
            found["mistake"] = given.mistake
        return {"format": FORMAT, "accepted": self.accepted, **plain, "isolation": isolation}


def verdict_from(fields: dict[str, Any]) -> Verdict:
    """The verdict that `as_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is not such a dict.
    """
    if fields["format"] != FORMAT:
        raise ValueError(f"format {fields['format']!r}")
    return Verdict(
        decision=Decision(fields["decision"]),
        rule=fields["rule"],
        confidence=fields["confidence"],
        subtasks=tuple(SubTaskEvidence(**_with_tuples(each)) for each in fields["subtasks"]),
        chain=ChainEvidence(**_with_tuples(fields["chain"])),
        findings=tuple(_finding_from(each) for each in fields["findings"]),
        needs=tuple(Need(**each) for each in fields["needs"]),
        probes=tuple(Probe(**each) for each in fields["probes"]),
        frames=fields["frames"],
        distinct=fields["distinct"],
        isolation=isolation_from(fields["isolation"]) if fields.get("isolation") else None,
    )


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def _finding_from(fields: dict[str, Any]) -> Finding:
    return Finding(**{**{k: v for k, v in fields.items() if k != "mistake"}, "rule": Rule(fields["rule"])})
