"""Holds what the checkers said against the Bar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from car.checker import Checker, SubTask
from car.errors import BadTrajectory
from car.sandbox import Refused, TimedOut
from car.verify.credit import credited, prerequisites
from car.verify.observe import Failure, Observation, weakest
from car.verify.verdict import ChainEvidence, Finding, Rule, SubTaskEvidence, Verdict


@dataclass(frozen=True)
class Bar:
    """What a chain of checkers must reach.

    Args:
        expert_share: at least this share of the experts completes the whole chain, in order.
        random_share: fewer than this share of the random trajectories does; one in which the environment itself reports
            success is not held against the checkers.
        early_share: at most this share of the random trajectories completes a sub-task that needs no other before it
            as soon as half of the experts have; more means that acting at random is as good as knowing how.
        later_share: the same for one that needs others before it, counted from the moment at which it became possible.
            It forgives much more: a right sub-task may be a step or two away from the one before it, so that many
            random agents stumble into it.
    """

    expert_share: float = 1.0
    random_share: float = 0.10
    early_share: float = 0.25
    later_share: float = 0.80

    def __str__(self) -> str:
        return (
            f"experts: the whole chain in at least {self.expert_share:.0%}; "
            f"random: the whole chain without success in fewer than {self.random_share:.0%}"
        )


def judge(
    checkers: Sequence[Checker],
    observations: Sequence[Observation],
    bar: Bar = Bar(),
    subtasks: Sequence[SubTask] | None = None,
) -> Verdict:
    """The verdict on a chain of checkers.

    Args:
        checkers: in the chain's order.
        observations: what they said of each trajectory.
        bar: what they must reach.
        subtasks: all sub-tasks that the chain must have; one without a checker is held against it. None takes those of
            the checkers.

    Raises:
        BadTrajectory: there is no expert or no random trajectory among the observations.
    """
    case = _Case(checkers, observations, bar)
    named = {each.subtask.name for each in checkers}
    missing = [each.name for each in subtasks or () if each.name not in named]
    findings = [Finding(Rule.NO_PROGRAM, name, "No reply held a program that may run.") for name in missing]
    for index in range(len(checkers)):
        findings += case.against(index)
    findings += case.against_chain(findings)
    return Verdict(
        accepted=not findings,
        rule=str(bar),
        subtasks=tuple(case.evidence(index) for index in range(len(checkers))),
        chain=case.chain(),
        findings=tuple(findings),
        frames=sum(len(each.trajectory) for each in observations),
        distinct=sum(len(np.unique(each.trajectory.order)) for each in observations),
        isolation=weakest(each.isolation for each in observations),
    )


class _Case:
    """The evidence, and the rules one after another; the first broken rule of a sub-task is enough."""

    def __init__(self, checkers: Sequence[Checker], observations: Sequence[Observation], bar: Bar) -> None:
        self._checkers = checkers
        self._all = observations
        self._bar = bar
        self._experts = [i for i, each in enumerate(observations) if each.trajectory.who == "expert"]
        self._randoms = [i for i, each in enumerate(observations) if each.trajectory.who == "random"]
        if not self._experts or not self._randoms:
            raise BadTrajectory(
                f"A verdict needs expert and random trajectories; there are {len(self._experts)} and "
                f"{len(self._randoms)}."
            )
        self._after = prerequisites(checkers)
        self._times = [credited(each.done, self._after) for each in observations]

    def against(self, index: int) -> list[Finding]:
        """What is found against one checker: the first broken rule, in the order in which one would look."""
        rules = (
            self._crashes,
            self._not_pure,
            self._true_at_start,
            self._too_early,
            self._goal_too_early,
            self._never_on_expert,
            self._duplicate,
            self._too_easy,
            self._false_goal,
        )
        for rule in rules:
            finding = rule(index)
            if finding:
                return [finding]
        return []

    def against_chain(self, earlier: Sequence[Finding]) -> list[Finding]:
        chain, findings = self.chain(), []
        if chain.experts_done < self._bar.expert_share * chain.experts and not earlier:
            message = f"Only {chain.experts_done} of {chain.experts} experts complete the whole chain in order."
            findings.append(Finding(Rule.CHAIN_ON_EXPERT, "", message))
        unconfirmed = chain.randoms_done if chain.false_goals is None else chain.false_goals
        if unconfirmed >= self._bar.random_share * chain.randoms:
            message = (
                f"{unconfirmed} of {chain.randoms} random trajectories complete the whole chain without the "
                "environment's "
                f"success; it must be fewer than {self._bar.random_share:.0%}."
            )
            findings.append(Finding(Rule.CHAIN_ON_RANDOM, "", message))
        return findings

    def evidence(self, index: int) -> SubTaskEvidence:
        expert = tuple(self._times[i][index] for i in self._experts)
        random = tuple(self._times[i][index] for i in self._randoms)
        return SubTaskEvidence(
            name=self._checkers[index].subtask.name,
            checker_sha256=self._checkers[index].sha256,
            experts_done=sum(time is not None for time in expert),
            experts=len(expert),
            randoms_done=sum(time is not None for time in random),
            randoms=len(random),
            expert_first=expert,
            random_first=random,
        )

    def chain(self) -> ChainEvidence:
        complete = [all(time is not None for time in times) for times in self._times]
        random_done = [i for i in self._randoms if complete[i]]
        known = all(self._all[i].trajectory.success is not None for i in self._randoms)
        return ChainEvidence(
            experts_done=sum(complete[i] for i in self._experts),
            experts=len(self._experts),
            randoms_done=len(random_done),
            randoms=len(self._randoms),
            false_goals=sum(not self._all[i].trajectory.success for i in random_done) if known else None,
        )

    def _finding(
        self, rule: Rule, index: int, message: str, where: int | None = None, time: int | None = None
    ) -> Finding:
        return Finding(rule, self._checkers[index].subtask.name, message, where, time)

    def _named(self, where: int) -> str:
        trajectory = self._all[where].trajectory
        return f"the {trajectory.who} episode {where + 1}"

    def _crashes(self, index: int) -> Finding | None:
        for where, each in enumerate(self._all):
            if index in each.failures:
                time, failure = each.failures[index]
                message = f"On frame {time} of {self._named(where)} the program gave no answer: {described(failure)}"
                return self._finding(Rule.CRASHES, index, message, where, time)
        return None

    def _not_pure(self, index: int) -> Finding | None:
        for where, each in enumerate(self._all):
            if index in each.disagreements:
                found = each.disagreements[index]
                message = (
                    f"Asked twice about frame {found.time} of {self._named(where)}, the second time in another order "
                    f"of the frames, the program gave different answers: first {found.first}, then {found.second}. It "
                    "must depend on its two arguments alone and keep nothing between calls."
                )
                return self._finding(Rule.NOT_PURE, index, message, where, found.time)
        return None

    def _true_at_start(self, index: int) -> Finding | None:
        wrong = [where for where, each in enumerate(self._all) if each.done[0, index]]
        if not wrong:
            return None
        message = (
            f"In {len(wrong)} of {len(self._all)} episodes `check` returned True on the very first frame, where "
            "nothing is "
            f"done yet; shown is the first frame of {self._named(wrong[0])}. Required: False."
        )
        return self._finding(Rule.TRUE_AT_START, index, message, wrong[0], 0)

    def _too_early(self, index: int) -> Finding | None:
        wrong = []
        for where in self._experts:
            first = self._all[where].first(index)
            for before in self._after[index]:
                needed = self._times[where][before]
                if first is not None and needed is not None and first < needed:
                    wrong.append((where, first, before, needed))
        if not wrong:
            return None
        where, first, before, needed = wrong[0]
        episodes = len({each[0] for each in wrong})
        message = (
            f"In {episodes} of {len(self._experts)} expert episodes `check` returned True before "
            f'"{self._checkers[before].subtask.name}" was found to be done, which must come first. In '
            f"{self._named(where)} it returned True on frame {first}; the program for the earlier sub-task says that "
            "this "
            f"one is done on frame {needed}. If that is right, required is False on frame {first}."
        )
        return self._finding(Rule.TOO_EARLY, index, message, where, first)

    def _goal_too_early(self, index: int) -> Finding | None:
        if not self._checkers[index].subtask.goal:
            return None
        wrong = []
        for where in self._experts:
            first, end = self._all[where].first(index), self._goal_from(where)
            if first is not None and first < end:
                wrong.append((where, first, len(self._all[where].trajectory) - 1))
        if not wrong:
            return None
        where, first, last = wrong[0]
        message = (
            f"In {len(wrong)} of {len(self._experts)} expert episodes `check` returned True before the goal was "
            "reached. In "
            f"{self._named(where)} it returned True on frame {first}, but the goal is reached only on frame {last}, "
            "the "
            f"last. Required: False on frame {first}."
        )
        return self._finding(Rule.GOAL_TOO_EARLY, index, message, where, first)

    def _goal_from(self, where: int) -> int:
        """From which time on the goal may be done: the last frame, if success ended the episode; else it is not "
        "known."""
        trajectory = self._all[where].trajectory
        last, rewards = len(trajectory) - 1, trajectory.rewards
        only_at_the_end = rewards is not None and len(rewards) and rewards[-1] > 0 and not (rewards[:-1] > 0).any()
        return last if only_at_the_end or (trajectory.success and trajectory.terminated) else 0

    def _false_goal(self, index: int) -> Finding | None:
        if not self._checkers[index].subtask.goal:
            return None
        wrong = [
            (where, time)
            for where in self._randoms
            if (time := self._times[where][index]) is not None and self._all[where].trajectory.success is False
        ]
        if not wrong:
            return None
        where, time = wrong[0]
        message = (
            f"In {len(wrong)} of {len(self._randoms)} random episodes the goal counts as reached, and the environment "
            f"reports no success. In {self._named(where)} `check` returned True on frame {time}. Required: False on "
            f"frame {time}."
        )
        return self._finding(Rule.FALSE_GOAL, index, message, where, time)

    def _never_on_expert(self, index: int) -> Finding | None:
        missed = [where for where in self._experts if self._times[where][index] is None]
        # A sub-task whose predecessor is never credited is not to blame for that.
        own = [
            where for where in missed if all(self._times[where][before] is not None for before in self._after[index])
        ]
        done = len(self._experts) - len(missed)
        if not own or done >= self._bar.expert_share * len(self._experts):
            return None
        where = own[0]
        first, last = self._all[where].first(index), len(self._all[where].trajectory) - 1
        said = "never returned True" if first is None else f"returned True only too early, on frame {first},"
        message = (
            f"Only {done} of {len(self._experts)} expert episodes have this sub-task done. In {self._named(where)}, "
            "which "
            f"completes the task, `check` {said} on frames 0 to {last}. Required: True on some frame"
            f"{self._since(where, index)}."
        )
        return self._finding(Rule.NEVER_ON_EXPERT, index, message, where, last)

    def _since(self, where: int, index: int) -> str:
        times = [(self._times[where][before], before) for before in self._after[index]]
        known = [(time, before) for time, before in times if time is not None]
        if not known:
            return ""
        time, before = max(known)
        return f' from frame {time} on, where "{self._checkers[before].subtask.name}" is done'

    def _too_easy(self, index: int) -> Finding | None:
        expert = [time for time in (self._lead(where, index) for where in self._experts) if time is not None]
        if not expert:
            return None
        typical = int(np.median(expert))
        quick = [w for w in self._randoms if (lead := self._lead(w, index)) is not None and lead <= typical]
        possible = [
            w for w in self._randoms if all(self._times[w][before] is not None for before in self._after[index])
        ]
        share = self._bar.later_share if self._after[index] else self._bar.early_share
        if len(possible) < 5 or len(quick) <= share * len(possible):
            return None
        time = self._times[quick[0]][index]
        message = (
            f"Acting at random completes this sub-task as fast as an expert: half of the experts need {typical} steps "
            "or "
            f"fewer for it, and so do {len(quick)} of {len(possible)} random episodes. Probably `check` returns True "
            "for "
            f"frames in which it is not done. In {self._named(quick[0])} it returned True on frame {time}."
        )
        return self._finding(Rule.TOO_EASY, index, message, quick[0], time)

    def _lead(self, where: int, index: int) -> int | None:
        """Steps from the moment at which the sub-task became possible until it was credited."""
        times = self._times[where]
        done = times[index]
        if done is None:
            return None
        return done - max((times[before] or 0 for before in self._after[index]), default=0)

    def _duplicate(self, index: int) -> Finding | None:
        for other in range(index):
            fires = any(each.done[:, index].any() for each in self._all)
            if fires and all((each.done[:, index] == each.done[:, other]).all() for each in self._all):
                message = (
                    "On every frame of every episode `check` says the same as that of "
                    f'"{self._checkers[other].subtask.name}"'
                    ": the two are one sub-task. Required: a program that tells this sub-task from the other."
                )
                return self._finding(Rule.DUPLICATE, index, message)
        return None


def described(failure: Failure) -> str:
    """A failure in words for a prompt or a person."""
    if isinstance(failure, TimedOut):
        return f"`{failure.where}` did not answer within {failure.seconds:g} seconds."
    if isinstance(failure, Refused):
        return f"the answer of `{failure.where}` was refused: {failure.reason}"
    line = f" (line {failure.line} of the program)" if failure.line else ""
    return f"`{failure.where}` failed with {failure.cause}{line}."
