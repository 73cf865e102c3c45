"""Holds what the checkers said against the Bar."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from car.checker import Checker, SubTask
from car.verify.bar import Bar, broken_by_experts, broken_by_randoms, needs
from car.verify.exploit import Exploit, exploit_probes, exploits
from car.verify.kept import rule_probes
from car.verify.observe import Observation, weakest
from car.verify.probe import Probe
from car.verify.rules import Case
from car.verify.verdict import ChainEvidence, Decision, Finding, Rule, SubTaskEvidence, Verdict


def judge(
    checkers: Sequence[Checker],
    observations: Sequence[Observation],
    bar: Bar = Bar(),
    subtasks: Sequence[SubTask] | None = None,
    blank: NDArray[np.bool_] | None = None,
    probes: Sequence[Probe] = (),
    asked_again: bool = True,
) -> Verdict:
    """The verdict on a chain of checkers.

    Args:
        checkers: in the chain's order.
        observations: what they said of each trajectory.
        bar: what they must reach.
        subtasks: all sub-tasks that the chain must have; one without a checker is held against it. None takes those of
            the checkers.
        blank: what they said of blank frames, see `asked_about_blank`; None leaves out the exploits that need it.
        probes: what was found besides; a strict one that fails is held against the chain.
        asked_again: whether the checkers were asked about every frame a second time.

    Raises:
        BadTrajectory: there is no expert or no random trajectory among the observations.
    """
    case = Case(checkers, observations, bar)
    chain = _chain(case, bar, whole=not _missing(case, subtasks or ()))
    whole = any(each.subtask.goal for each in checkers)
    found = exploits(checkers, observations, blank) if whole else []
    findings = _findings(case, chain, bar, subtasks or ())
    # As for the rules, the first thing that is wrong is enough; the probes show the exploit all the same.
    findings += [each for each in _against_exploits(checkers, found) if not _accused(each.subtask, findings)]
    findings += [Finding(Rule.EXPLOITABLE, each.subtask, each.said, probe=each.name) for each in probes if each.rejects]
    missing = () if findings else needs(bar, _counted_experts(chain), _counted_randoms(chain))
    return Verdict(
        decision=Decision.REJECTED if findings else Decision.UNDECIDED if missing else Decision.ACCEPTED,
        rule=str(bar),
        confidence=bar.shown_confidence,
        subtasks=tuple(_evidence(case, bar, index) for index in range(len(checkers))),
        chain=chain,
        findings=tuple(findings),
        needs=missing,
        probes=(*rule_probes(case, asked_again), *exploit_probes(found), *probes),
        frames=sum(len(each.trajectory) for each in observations),
        distinct=sum(len(np.unique(each.trajectory.order)) for each in observations),
        isolation=weakest(each.isolation for each in observations),
    )


def compared(verdict: Verdict, rehearsal: Verdict) -> Verdict:
    """The verdict, with what it rejects and the rehearsal did not named as over-fitted, with both figures.

    Args:
        verdict: on trajectories that refinement did not see.
        rehearsal: on those that it saw, of the same checkers.
    """
    before = {each.name: each for each in rehearsal.subtasks}
    clean = {each.name for each in rehearsal.subtasks if not rehearsal.of(each.name) and not each.false_firings}
    found = [
        Finding(
            Rule.OVER_FITTED,
            each.name,
            f"It passes on the trajectories that refinement saw ({_figures(before[each.name])}) and fails on those "
            f"that it did not see ({_figures(each)}): it does not hold beyond what it was tried on.",
        )
        for each in verdict.subtasks
        if each.name in clean and verdict.of(each.name)
    ]
    return replace(verdict, findings=(*verdict.findings, *found))


def _accused(subtask: str, findings: Sequence[Finding]) -> bool:
    return any(each.subtask == subtask for each in findings)


def _figures(each: SubTaskEvidence) -> str:
    return (
        f"{each.experts_done} of {each.experts} experts, {each.randoms_done} of {each.randoms} random, "
        f"{each.false_firings} with a false firing"
    )


def _findings(case: Case, chain: ChainEvidence, bar: Bar, subtasks: Sequence[SubTask]) -> list[Finding]:
    missing = _missing(case, subtasks)
    findings = [Finding(Rule.NO_PROGRAM, name, "No reply held a program that may run.") for name in missing]
    for index in range(len(case.checkers)):
        findings += case.against(index)
    return findings + _against_chain(chain, bar, findings)


def _missing(case: Case, subtasks: Sequence[SubTask]) -> list[str]:
    """The sub-tasks without a program."""
    named = {each.subtask.name for each in case.checkers}
    return [each.name for each in subtasks if each.name not in named]


def _counted_experts(chain: ChainEvidence) -> tuple[int, int]:
    return chain.experts_done, chain.experts


def _counted_randoms(chain: ChainEvidence) -> tuple[int, int]:
    return chain.unconfirmed, chain.randoms


def _against_chain(chain: ChainEvidence, bar: Bar, earlier: Sequence[Finding]) -> list[Finding]:
    findings = []
    if broken_by_experts(bar, *_counted_experts(chain)) and not earlier:
        message = f"Only {chain.experts_done} of {chain.experts} experts complete the whole chain in order."
        findings.append(Finding(Rule.CHAIN_ON_EXPERT, "", message))
    if broken_by_randoms(bar, *_counted_randoms(chain)):
        message = (
            f"{chain.unconfirmed} of {chain.randoms} random trajectories complete the whole chain, and "
            f"{_unsure(chain)}. Required: fewer than {100 * bar.random_share:.4g}%."
        )
        findings.append(Finding(Rule.CHAIN_ON_RANDOM, "", message))
    return findings


def _unsure(chain: ChainEvidence) -> str:
    if chain.false_goals is None:
        return "nobody knows if they succeed"
    return "no success confirms it"


def _against_exploits(checkers: Sequence[Checker], found: Sequence[Exploit]) -> list[Finding]:
    worst = max(found, key=lambda each: each.ratio, default=None)
    if worst is None or worst.ratio < 1.0:
        return []
    # The goal is what makes the difference: without it, no exploit is paid as much as the expert.
    goal = next((each.subtask.name for each in checkers if each.subtask.goal), "")
    message = (
        f'A reward of these programs pays for nothing done: {worst.earned:.3g} for the exploit "{worst.name}", where '
        f"an expert is paid {worst.expert:.3g}. After frame {worst.time} of the expert episode {worst.trajectory + 1}, "
        f"{_EXPLAINED[worst.name]}, and yet every sub-task came to count as done, the goal too. Required: False there."
    )
    return [Finding(Rule.EXPLOITABLE, goal, message, worst.trajectory, worst.time, worst.name)]


_EXPLAINED = {
    "idle": "the picture stays as it is",
    "frozen": "the picture stays as it is",
    "spin": "the same frames come again and again",
    "repeat": "the same frames come again and again",
    "dither": "the same two frames come again and again",
    "black": "the picture is black",
    "white": "the picture is white",
    "noise": "the picture is noise",
}


def _evidence(case: Case, bar: Bar, index: int) -> SubTaskEvidence:
    expert = tuple(case.times[i][index] for i in case.experts)
    random = tuple(case.times[i][index] for i in case.randoms)
    experts_done, randoms_done = (sum(time is not None for time in times) for times in (expert, random))
    return SubTaskEvidence(
        name=case.checkers[index].subtask.name,
        checker_sha256=case.checkers[index].sha256,
        experts_done=experts_done,
        experts=len(expert),
        randoms_done=randoms_done,
        randoms=len(random),
        expert_first=expert,
        random_first=random,
        expert_interval=bar.interval(experts_done, len(expert)),
        random_interval=bar.interval(randoms_done, len(random)),
        false_firings=case.false_firings(index),
    )


def _chain(case: Case, bar: Bar, whole: bool) -> ChainEvidence:
    """The evidence for the chain; one that lacks a program is completed by nobody."""
    complete = [whole and None not in times for times in case.times]
    random_done = [i for i in case.randoms if complete[i]]
    known = any(case.all[i].trajectory.success is not None for i in case.randoms)
    false = sum(not case.all[i].trajectory.success for i in random_done) if known else None
    experts_done = sum(complete[i] for i in case.experts)
    return ChainEvidence(
        experts_done=experts_done,
        experts=len(case.experts),
        randoms_done=len(random_done),
        randoms=len(case.randoms),
        false_goals=false,
        expert_interval=bar.interval(experts_done, len(case.experts)),
        random_interval=bar.interval(len(random_done) if false is None else false, len(case.randoms)),
    )
