"""The search for one sub-task's program: several at first, the best one mended, and made faster if it is slow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from car.checker import Checker, SubTask, Unusable, checker_from
from car.prompts import CheckerPrompt, Complaint, FasterPrompt, Prompt, RefinePrompt, Scene
from car.refine.asking import Asker, cut_off
from car.refine.decomposition import Decomposition, readable
from car.refine.events import Accepted, Faster, GaveUp, Rejected
from car.refine.evidence import Evidence
from car.refine.feedback import complaint_about
from car.refine.repeating import one_action
from car.sandbox import Limits, Sandbox
from car.task import Task
from car.trajectory import Trajectory
from car.verify import Bar, Mistake, Rule, observe, twice
from car.verify.blank import asked_about_blank
from car.verify.cost import IDENTIFY_SHARE, Cost, cost_probe, limit_us, measure, told
from car.vlm import Reply, Request

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
    """

    trajectories: Sequence[Trajectory]
    sandbox: Sandbox
    limits: Limits
    bar: Bar
    task: Task | None = None

    def tried(self, checker: Checker, earlier: Evidence) -> "Candidate":
        """The program beside those of the earlier sub-tasks, and what is found against it."""
        with twice(self.sandbox, [checker], self.limits) as (first, second):
            alone = tuple(observe(first, self.trajectories, second))
            evidence = earlier.beside(Evidence((checker,), alone, asked_about_blank(first, alone)))
            verdict = evidence.verdict(self.bar)
            findings = verdict.of(checker.subtask.name)
            complaints = tuple(complaint_about(each, evidence.observations, first) for each in findings)
        rank = _RULES.index(findings[0].rule) if findings else len(_RULES)
        if checker.subtask.goal and not findings and (exploit := self._exploited(evidence)):
            complaints, rank = (exploit,), _RULES.index(Rule.EXPLOITABLE)
        return Candidate(checker, evidence, complaints, rank, verdict.subtasks[-1].experts_done)

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
        evidence: what it and those before it said.
        complaints: what is wrong with it; empty if it passes.
        rank: how far it got along the rules; higher is better.
        experts_done: experts whose sub-task it saw done in order.
    """

    checker: Checker
    evidence: Evidence
    complaints: tuple[Complaint, ...]
    rank: int
    experts_done: int

    @property
    def worth(self) -> tuple[int, int]:
        """By which the better of two programs is known."""
        return self.rank, self.experts_done


@dataclass(frozen=True)
class _Try:
    """One reply: the program in it as far as there is one, and what is wrong with it."""

    request: Request
    source: str
    candidate: Candidate | None
    complaints: tuple[Complaint, ...]
    rules: tuple[str, ...]

    @property
    def worth(self) -> tuple[int, int]:
        return self.candidate.worth if self.candidate else (-1, 0)


class Search:
    """Asks for one sub-task's program until it passes or the budget ends.

    Args:
        asker: the VLM.
        bench: where programs are tried.
        scene: the two frames that the VLM sees.
        decomposition: all sub-tasks.
        subtask: the one whose program is wanted.
        earlier: the programs of those before it, and what they said.
    """

    def __init__(
        self,
        asker: Asker,
        bench: Bench,
        scene: Scene,
        decomposition: Decomposition,
        subtask: SubTask,
        earlier: Evidence,
    ) -> None:
        self._asker, self._bench = asker, bench
        self._about = scene, decomposition.goal, decomposition.subtasks, subtask
        self._subtask, self._earlier = subtask, earlier

    def kept(self, source: str) -> Candidate | None:
        """A program from an earlier round, if it passes in this chain too."""
        candidate = self._bench.tried(Checker(self._subtask, source), self._earlier)
        return None if candidate.complaints else candidate

    def best(self) -> Candidate | None:
        """The best program that was found; None if no reply held one that may run."""
        last = self._first()
        best, repeated = last, False
        for _ in range(self._asker.budget.attempts - 1):
            if last is None or not last.complaints:
                break
            following = self._mended(last, repeated)
            if following is None:
                break
            repeated, last = following.rules == last.rules, following
            # Of two equally good ones the first stays: it was written without so many hints.
            best = max(best, last, key=lambda each: each.worth) if best else last
        return self._settled(best)

    def _settled(self, best: _Try | None) -> Candidate | None:
        candidate = best.candidate if best else None
        if candidate is None or candidate.complaints:
            self._asker.listen(
                GaveUp(self._subtask, self._asker.budget.attempts, self._asker.ended, candidate is not None)
            )
            return candidate
        assert best is not None  # noqa: S101 - a candidate comes from a try
        self._asker.listen(Accepted(candidate.checker, best.request.attempt))
        return self._faster(candidate)

    def _first(self) -> _Try | None:
        number = self._asker.number(self._subtask.name)
        tries: list[_Try] = []
        for sample in range(1, self._asker.budget.samples + 1):
            prompt = CheckerPrompt(*self._about, number, sample)
            if made := self._asked(prompt, optional=bool(tries)):
                tries.append(made)
        return self._quickest([each for each in tries if each.worth == max(other.worth for other in tries)])

    def _quickest(self, equal: Sequence[_Try]) -> _Try | None:
        """The first of several equally good ones that is not too slow: another order would depend on the clock."""
        passing = [each for each in equal if each.candidate and not each.complaints]
        if len(passing) < 2:
            return equal[0] if equal else None
        quick = (each for each in passing if each.candidate and not self._slow(each.candidate.checker))
        return next(quick, passing[0])

    def _slow(self, checker: Checker) -> bool:
        return self._bench.slow(checker, self._bench.cost(checker))

    def _mended(self, last: _Try, repeated: bool) -> _Try | None:
        program = readable(last.source).rstrip()
        said = tuple(replace(each, message=readable(each.message)) for each in last.complaints)
        number = self._asker.number(self._subtask.name)
        return self._asked(RefinePrompt(*self._about, number, program, said, repeated))

    def _asked(
        self,
        prompt: Prompt,
        optional: bool = False,
        also: Callable[[Candidate], str] = lambda candidate: "",
    ) -> _Try | None:
        answer = self._asker.ask(prompt, optional)
        if answer is None:
            return None
        request, reply = answer
        made = self._tried(request, reply, also)
        messages = tuple(each.message for each in made.complaints)
        self._asker.note(request, reply, messages, made.rules if messages else ())
        if messages:
            self._asker.listen(Rejected(self._subtask, request.attempt, messages))
        return made

    def _tried(self, request: Request, reply: Reply, also: Callable[[Candidate], str]) -> _Try:
        problem = cut_off(reply)
        made = Unusable.because(problem) if problem else checker_from(reply.text, self._subtask)
        if isinstance(made, Unusable):
            complaints = tuple(Complaint(str(each)) for each in made.problems)
            return _Try(request, made.source, None, complaints, ("screen",))
        candidate = self._bench.tried(made, self._earlier)
        broken: tuple[str, ...] = tuple(_RULES[candidate.rank : candidate.rank + 1])
        complaints = candidate.complaints
        if not complaints and (problem := also(candidate)):
            complaints, broken = (Complaint(problem),), ("cost",)
        return _Try(request, made.source, candidate, complaints, broken)

    def _faster(self, right: Candidate) -> Candidate:
        """The same in less time, if it is too slow and there is one; asked for once."""
        cost = self._bench.cost(right.checker)
        if cost is None or not self._bench.slow(right.checker, cost):
            return right
        number = self._asker.number(self._subtask.name)
        program = readable(right.checker.source).rstrip()
        prompt = FasterPrompt(*self._about, number, program, self._bench.limit_us, told(cost))
        found: list[Cost] = []

        def no_faster(candidate: Candidate) -> str:
            now = self._bench.cost(candidate.checker)
            found.extend([now] if now else [])
            quicker = now is not None and _for_a_frame(now) < _for_a_frame(cost)
            return "" if quicker else "It is right, but not faster; the first one is kept."

        made = self._asked(prompt, optional=True, also=no_faster)
        if made is None or made.candidate is None or made.complaints:
            return right
        self._asker.listen(Faster(made.candidate.checker, _for_a_frame(cost), _for_a_frame(found[-1])))
        return made.candidate


def _for_a_frame(cost: Cost) -> float:
    """Microseconds for a frame, with its part of what is done once an episode."""
    return cost.check_us + cost.identify_us / IDENTIFY_SHARE
