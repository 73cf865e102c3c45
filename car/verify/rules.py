"""The rules that each checker of a chain must keep, one after another."""

from collections.abc import Sequence

import numpy as np

from car.checker import Checker
from car.errors import BadTrajectory
from car.sandbox import Refused, TimedOut
from car.verify.bar import Bar, broken_by_experts
from car.verify.credit import credited, prerequisites
from car.verify.observe import Failure, Observation
from car.verify.verdict import Finding, Rule

SOON = 5
"""Steps after the typical expert within which half of the random agents may not have a first sub-task done."""


class Case:
    """A chain of checkers before its judge: the first broken rule of each sub-task is enough.

    Args:
        checkers: in the chain's order.
        observations: what they said of each trajectory.
        bar: what they must reach.

    Attributes:
        experts: the indices of the expert trajectories.
        randoms: those of the random ones.
        times: for each trajectory when each sub-task is credited, or None.

    Raises:
        BadTrajectory: there is no expert or no random trajectory.
    """

    def __init__(self, checkers: Sequence[Checker], observations: Sequence[Observation], bar: Bar) -> None:
        self.checkers = checkers
        self.all = observations
        self._bar = bar
        self.experts = [i for i, each in enumerate(observations) if each.trajectory.who == "expert"]
        self.randoms = [i for i, each in enumerate(observations) if each.trajectory.who == "random"]
        if not self.experts or not self.randoms:
            raise BadTrajectory(
                f"A verdict needs expert and random trajectories; there are {len(self.experts)} and "
                f"{len(self.randoms)}."
            )
        self.after = prerequisites(checkers)
        self.times = [credited(each.done, self.after) for each in observations]

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

    def false_firings(self, index: int) -> int:
        """In how many trajectories the checker is known to have said done where it cannot be."""
        return sum(self._known_false(where, index) for where in range(len(self.all)))

    def _known_false(self, where: int, index: int) -> bool:
        seen, goal = self.all[where], self.checkers[index].subtask.goal
        first = seen.first(index)
        if first is None:
            return False
        if seen.trajectory.who == "random":
            return first == 0 or (goal and seen.trajectory.success is False and self.times[where][index] is not None)
        early = goal and self.goal_before_the_end(where, index)
        return first == 0 or early or self.before_its_time(where, index)

    def before_its_time(self, where: int, index: int) -> bool:
        """Whether a checker says done in an episode before a sub-task is credited that must come first."""
        first = self.all[where].first(index)
        needed = [time for before in self.after[index] if (time := self.times[where][before]) is not None]
        return first is not None and first < max(needed, default=0)

    def goal_before_the_end(self, where: int, index: int) -> bool:
        """Whether a checker says done in an expert's episode before the goal may be reached."""
        first = self.all[where].first(index)
        return first is not None and first < self.goal_from(where)

    def _finding(
        self, rule: Rule, index: int, message: str, where: int | None = None, time: int | None = None
    ) -> Finding:
        return Finding(rule, self.checkers[index].subtask.name, message, where, time)

    def _named(self, where: int) -> str:
        trajectory = self.all[where].trajectory
        return f"the {trajectory.who} episode {where + 1}"

    def _crashes(self, index: int) -> Finding | None:
        for where, each in enumerate(self.all):
            if index in each.failures:
                time, failure = each.failures[index]
                message = f"On frame {time} of {self._named(where)} the program gave no answer: {described(failure)}"
                return self._finding(Rule.CRASHES, index, message, where, time)
        return None

    def _not_pure(self, index: int) -> Finding | None:
        for where, each in enumerate(self.all):
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
        wrong = [where for where, each in enumerate(self.all) if each.done[0, index]]
        if not wrong:
            return None
        message = (
            f"In {len(wrong)} of {len(self.all)} episodes `check` returned True on the very first frame, where "
            "nothing is "
            f"done yet; shown is the first frame of {self._named(wrong[0])}. Required: False."
        )
        return self._finding(Rule.TRUE_AT_START, index, message, wrong[0], 0)

    def _too_early(self, index: int) -> Finding | None:
        wrong = []
        for where in self.experts:
            first = self.all[where].first(index)
            for before in self.after[index]:
                needed = self.times[where][before]
                if first is not None and needed is not None and first < needed:
                    wrong.append((where, first, before, needed))
        if not wrong:
            return None
        where, first, before, needed = wrong[0]
        episodes = len({each[0] for each in wrong})
        message = (
            f"In {episodes} of {len(self.experts)} expert episodes `check` returned True before "
            f'"{self.checkers[before].subtask.name}" was found to be done, which must come first. In '
            f"{self._named(where)} it returned True on frame {first}; the program for the earlier sub-task says that "
            "this "
            f"one is done on frame {needed}. If that is right, required is False on frame {first}."
        )
        return self._finding(Rule.TOO_EARLY, index, message, where, first)

    def _goal_too_early(self, index: int) -> Finding | None:
        if not self.checkers[index].subtask.goal:
            return None
        wrong = []
        for where in self.experts:
            first, end = self.all[where].first(index), self.goal_from(where)
            if first is not None and first < end:
                wrong.append((where, first, len(self.all[where].trajectory) - 1))
        if not wrong:
            return None
        where, first, last = wrong[0]
        message = (
            f"In {len(wrong)} of {len(self.experts)} expert episodes `check` returned True before the goal was "
            "reached. In "
            f"{self._named(where)} it returned True on frame {first}, but the goal is reached only on frame {last}, "
            "the "
            f"last. Required: False on frame {first}."
        )
        return self._finding(Rule.GOAL_TOO_EARLY, index, message, where, first)

    def goal_from(self, where: int) -> int:
        """From which time on the goal may be done: the last frame, if success ended the episode; else 0, not known."""
        trajectory = self.all[where].trajectory
        last, rewards = len(trajectory) - 1, trajectory.rewards
        only_at_the_end = rewards is not None and len(rewards) and rewards[-1] > 0 and not (rewards[:-1] > 0).any()
        return last if only_at_the_end or (trajectory.success and trajectory.terminated) else 0

    def _false_goal(self, index: int) -> Finding | None:
        if not self.checkers[index].subtask.goal:
            return None
        wrong = [
            (where, time)
            for where in self.randoms
            if (time := self.times[where][index]) is not None and self.all[where].trajectory.success is False
        ]
        if self._bar.interval(len(wrong), len(self.randoms))[0] <= self._bar.false_share:
            return None
        where, time = wrong[0]
        message = (
            f"In {len(wrong)} of {len(self.randoms)} random episodes the goal counts as reached, and the environment "
            f"reports no success. In {self._named(where)} `check` returned True on frame {time}. Required: False on "
            f"frame {time}."
        )
        return self._finding(Rule.FALSE_GOAL, index, message, where, time)

    def _never_on_expert(self, index: int) -> Finding | None:
        missed = [where for where in self.experts if self.times[where][index] is None]
        # A sub-task whose predecessor is never credited is not to blame for that.
        own = [where for where in missed if all(self.times[where][before] is not None for before in self.after[index])]
        done = len(self.experts) - len(missed)
        if not own or not broken_by_experts(self._bar, done, len(self.experts)):
            return None
        where = own[0]
        first, last = self.all[where].first(index), len(self.all[where].trajectory) - 1
        said = "never returned True" if first is None else f"returned True only too early, on frame {first},"
        message = (
            f"Only {done} of {len(self.experts)} expert episodes have this sub-task done. In {self._named(where)}, "
            "which "
            f"completes the task, `check` {said} on frames 0 to {last}. Required: True on some frame"
            f"{self._since(where, index)}."
        )
        return self._finding(Rule.NEVER_ON_EXPERT, index, message, where, last)

    def _since(self, where: int, index: int) -> str:
        times = [(self.times[where][before], before) for before in self.after[index]]
        known = [(time, before) for time, before in times if time is not None]
        if not known:
            return ""
        time, before = max(known)
        return f' from frame {time} on, where "{self.checkers[before].subtask.name}" is done'

    def _too_easy(self, index: int) -> Finding | None:
        expert = [time for time in (self._lead(where, index) for where in self.experts) if time is not None]
        possible = [w for w in self.randoms if all(self.times[w][before] is not None for before in self.after[index])]
        if not expert or len(possible) < 5:
            return None
        typical = int(np.median(expert))
        for within, share in self._too_many(index, typical):
            quick = [w for w in possible if (lead := self._lead(w, index)) is not None and lead <= within]
            if len(quick) > share * len(possible):
                return self._easy(index, typical, within, quick, len(possible))
        return None

    def _too_many(self, index: int, typical: int) -> list[tuple[int, float]]:
        """Within how many steps at most which share of the random episodes may have it done."""
        if self.after[index]:
            return [(typical, self._bar.later_share)]
        # What an expert has done after a step or two, a random agent has after a few; the first limit alone misses it.
        return [(typical, self._bar.early_share), (typical + SOON, self._bar.soon_share)]

    def _easy(self, index: int, typical: int, within: int, quick: Sequence[int], possible: int) -> Finding:
        time = self.times[quick[0]][index]
        so_do = "so do" if within == typical else f"within {within} steps it is done in"
        message = (
            f"Acting at random completes this sub-task as fast as an expert: half of the experts need {typical} steps "
            f"or fewer for it, and {so_do} {len(quick)} of {possible} random episodes. Probably `check` returns True "
            f"for frames in which it is not done. In {self._named(quick[0])} it returned True on frame {time}."
        )
        return self._finding(Rule.TOO_EASY, index, message, quick[0], time)

    def _lead(self, where: int, index: int) -> int | None:
        """Steps from the moment at which the sub-task became possible until it was credited."""
        times = self.times[where]
        done = times[index]
        if done is None:
            return None
        return done - max((times[before] or 0 for before in self.after[index]), default=0)

    def _duplicate(self, index: int) -> Finding | None:
        for other in range(index):
            if self.together(index, other):
                message = (
                    "On every frame of every expert `check` says the same as that of "
                    f'"{self.checkers[other].subtask.name}", and in all other episodes the two are done together: '
                    "they are one sub-task. Required: a program that tells this sub-task from the other."
                )
                return self._finding(Rule.DUPLICATE, index, message)
        return None

    def together(self, index: int, other: int) -> bool:
        """Whether two checkers say the same on every frame of every expert and are credited together elsewhere."""
        experts = [self.all[where].done for where in self.experts]
        if not any(each[:, index].any() for each in experts):
            return False
        same = all((each[:, index] == each[:, other]).all() for each in experts)
        return same and all(self.times[where][index] == self.times[where][other] for where in self.randoms)


def described(failure: Failure) -> str:
    """A failure in words for a prompt or a person."""
    if isinstance(failure, TimedOut):
        return f"`{failure.where}` did not answer within {failure.seconds:g} seconds."
    if isinstance(failure, Refused):
        return f"the answer of `{failure.where}` was refused: {failure.reason}"
    line = f" (line {failure.line} of the program)" if failure.line else ""
    return f"`{failure.where}` failed with {failure.cause}{line}."
