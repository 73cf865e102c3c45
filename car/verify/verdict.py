"""The verdict: what was found, with the evidence, as data that is written to `verdict.json`."""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from car.sandbox.isolation import Isolation, isolation_from

FORMAT = "car-verdict/1"


class Rule(StrEnum):
    """What can be found against a checker or a chain."""

    NO_PROGRAM = "no program"
    CRASHES = "crashes"
    NOT_PURE = "not pure"
    TRUE_AT_START = "true at the start"
    NEVER_ON_EXPERT = "never on an expert"
    TOO_EARLY = "before what it depends on"
    GOAL_TOO_EARLY = "goal before the end"
    DUPLICATE = "same as another"
    TOO_EASY = "random is as fast as the expert"
    FALSE_GOAL = "goal without success"
    CHAIN_ON_EXPERT = "chain not done by experts"
    CHAIN_ON_RANDOM = "chain done by random"


@dataclass(frozen=True)
class Finding:
    """One broken rule, where it shows first.

    Args:
        rule: which rule.
        subtask: the sub-task's name; "" for the whole chain.
        message: the fact, in one or two sentences.
        trajectory: index into the trajectories that were judged; None if no single one shows it.
        time: the frame's index in that trajectory.
    """

    rule: Rule
    subtask: str
    message: str
    trajectory: int | None = None
    time: int | None = None


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
    """

    name: str
    checker_sha256: str
    experts_done: int
    experts: int
    randoms_done: int
    randoms: int
    expert_first: tuple[int | None, ...]
    random_first: tuple[int | None, ...]


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
    """

    experts_done: int
    experts: int
    randoms_done: int
    randoms: int
    false_goals: int | None


@dataclass(frozen=True)
class Verdict:
    """What verification found.

    Args:
        accepted: whether no rule was broken.
        rule: the rule in words, with its thresholds.
        subtasks: the evidence, in the chain's order.
        chain: the evidence for the whole chain.
        findings: the broken rules.
        frames: how many frames the trajectories have.
        distinct: how many of them were looked at (equal frames of an episode once).
        isolation: how well the checkers were isolated; None if that was not measured.
    """

    accepted: bool
    rule: str
    subtasks: tuple[SubTaskEvidence, ...]
    chain: ChainEvidence
    findings: tuple[Finding, ...]
    frames: int
    distinct: int
    isolation: Isolation | None = None

    def of(self, subtask: str) -> list[Finding]:
        """The findings against one sub-task."""
        return [each for each in self.findings if each.subtask == subtask]

    def as_dict(self) -> dict[str, Any]:
        """The verdict as JSON-serialisable fields."""
        isolation = self.isolation.as_dict() if self.isolation else None
        plain = dataclasses.asdict(dataclasses.replace(self, isolation=None))
        return {"format": FORMAT, **plain, "isolation": isolation}


def verdict_from(fields: dict[str, Any]) -> Verdict:
    """The verdict that `as_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is not such a dict.
    """
    if fields["format"] != FORMAT:
        raise ValueError(f"format {fields['format']!r}")
    return Verdict(
        accepted=bool(fields["accepted"]),
        rule=fields["rule"],
        subtasks=tuple(
            SubTaskEvidence(
                **{**each, "expert_first": tuple(each["expert_first"]), "random_first": tuple(each["random_first"])}
            )
            for each in fields["subtasks"]
        ),
        chain=ChainEvidence(**fields["chain"]),
        findings=tuple(Finding(**{**each, "rule": Rule(each["rule"])}) for each in fields["findings"]),
        frames=fields["frames"],
        distinct=fields["distinct"],
        # Verdicts from before it was measured have none.
        isolation=isolation_from(fields["isolation"]) if fields.get("isolation") else None,
    )
