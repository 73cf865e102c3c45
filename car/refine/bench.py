"""Where programs are tried while the VLM is asked for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from car.checker import Checker
from car.prompts import Complaint
from car.refine.counterexample import CounterExample, refuted
from car.refine.evidence import Evidence
from car.refine.feedback import complaint_about, complaint_from_audit
from car.refine.repeating import one_action
from car.sandbox import Limits, Sandbox
from car.task import Task
from car.trajectory import Trajectory
from car.verify import Bar, Mistake, Rule, observe, twice
from car.verify.blank import asked_about_blank
from car.verify.cost import Cost, cost_probe, limit_us, measure

_RULES = list(Rule)


@dataclass(frozen=True)
class Bench:
    """Where programs are tried.

    Args:
        trajectories: those that refinement may see.
        sandbox: runs the programs.
        limits: what each may use.
        bar: what they must reach.
        task: whose environment may be run; None leaves that out.
        examples: what an audit found, of which refinement may learn.
    """

    trajectories: Sequence[Trajectory]
    sandbox: Sandbox
    limits: Limits
    bar: Bar
    task: Task | None = None
    examples: Sequence[CounterExample] = ()

    def ran(self, checker: Checker) -> Evidence:
        """What the program says of the trajectories, whatever the other sub-tasks' programs say."""
        examples = [each.trajectory for each in self.examples]
        with twice(self.sandbox, [checker], self.limits) as (first, second):
            observations = tuple(observe(first, [*self.trajectories, *examples], second))
            observations, audited = observations[: len(self.trajectories)], observations[len(self.trajectories) :]
            return Evidence((checker,), observations, asked_about_blank(first, observations), audited)

    def judged(self, alone: Evidence, earlier: Evidence, whole: bool) -> "Candidate":
        """What is found against a program that ran, beside those of the earlier sub-tasks.

        Args:
            alone: what it said.
            earlier: the programs of earlier sub-tasks that pass.
            whole: whether these are all of them.
        """
        (checker,) = alone.checkers
        evidence = earlier.beside(alone)
        verdict = evidence.verdict(self.bar)
        findings = verdict.of(checker.subtask.name)
        complaints: tuple[Complaint, ...] = ()
        if findings:
            with self.sandbox.open([checker], self.limits) as session:
                complaints = tuple(complaint_about(each, evidence.observations, session) for each in findings)
        rank = _RULES.index(findings[0].rule) if findings else len(_RULES)
        if not complaints and (besides := self._besides(evidence, whole and checker.subtask.goal)):
            complaints, rank = (besides,), _RULES.index(Rule.EXPLOITABLE)
        return Candidate(checker, alone, complaints, rank, verdict.subtasks[-1].experts_done)

    def _besides(self, evidence: Evidence, complete: bool) -> Complaint | None:
        """What speaks against the last program although no rule is broken on the trajectories.

        Args:
            evidence: that program, and those before it.
            complete: whether it completes the chain.
        """
        last = len(evidence.checkers) - 1
        found = [each for each in refuted(evidence.checkers, evidence.audited, self.examples) if each.checker == last]
        if found:
            example, seen = self.examples[found[0].index], evidence.observations
            with self.sandbox.open(evidence.checkers[-1:], self.limits) as session:
                return complaint_from_audit(found, example, seen, session)
        return self._exploited(evidence) if complete else None

    def _exploited(self, evidence: Evidence) -> Complaint | None:
        """What one action again and again is paid by the chain that the goal completes, if that is too much."""
        if self.task is None:
            return None
        with self.sandbox.open(evidence.checkers, self.limits) as session:
            probe = one_action(self.task, evidence.experts, evidence.checkers, session)
        said = f"{probe.said} In these episodes the environment reports no success: the goal is not reached there."
        return Complaint(said, kind=Mistake.CAN_BE_EXPLOITED) if probe.rejects else None

    def cost(self, checker: Checker) -> Cost | None:
        """What the program costs."""
        return measure(self.sandbox, checker, self.trajectories, self.limits)

    def slow(self, checker: Checker, cost: Cost | None) -> bool:
        """Whether it costs more than it may."""
        return cost_probe(checker, cost, self.limit_us).passed is False

    @property
    def limit_us(self) -> float:
        """What a frame may take, in microseconds."""
        return limit_us(self.trajectories[0].frame(0).shape, self.bar.frame_us)


@dataclass(frozen=True)
class Candidate:
    """A program that ran.

    Args:
        checker: the program.
        alone: what it said.
        complaints: what is wrong with it; empty if it passes.
        rank: how far it got along the rules; higher is better.
        experts_done: experts whose sub-task it saw done in order.
    """

    checker: Checker
    alone: Evidence
    complaints: tuple[Complaint, ...]
    rank: int
    experts_done: int

    @property
    def worth(self) -> tuple[int, int]:
        """By which the better of two programs is known."""
        return self.rank, self.experts_done

    @property
    def rules(self) -> tuple[str, ...]:
        """The broken rule; none if it passes."""
        return tuple(_RULES[self.rank : self.rank + 1])
