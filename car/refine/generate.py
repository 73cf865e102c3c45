"""From two frames to a judged chain of checkers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from car.checker import Checker, SubTask, Unusable, checker_from
from car.errors import ProviderError
from car.prompts import (
    CheckerPrompt,
    Complaint,
    GoalPrompt,
    Prompt,
    RefinePrompt,
    Scene,
    SubtasksPrompt,
    request_for,
)
from car.refine.decomposition import Decomposition, decomposition_in, readable
from car.refine.events import Accepted, Asked, Event, GaveUp, Judged, Named, Rejected, Replied
from car.refine.feedback import complaint_about
from car.sandbox import Limits, Sandbox
from car.verify import Bar, Observation, Rule, Split, Verdict, judge, observe, twice
from car.vlm import VLM, Finish, Reply, Request, Usage

Listener = Callable[[Event], None]
_RULES = list(Rule)


@dataclass(frozen=True)
class Budget:
    """How often the VLM is asked at the most.

    Args:
        attempts: programs for one sub-task, the first one included.
        namings: tries to name the goal, and as many to list the sub-tasks.
    """

    attempts: int = 5
    namings: int = 3


@dataclass(frozen=True)
class Attempt:
    """One question and its answer.

    Args:
        request: what was asked.
        reply: what came back.
        complaints: what was wrong with it; empty if it was used.
        rules: the broken rules behind the complaints.
    """

    request: Request
    reply: Reply
    complaints: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A generated chain of checkers, judged.

    Args:
        scene: the two frames that the VLM saw.
        decomposition: the goal and the sub-tasks.
        checkers: in the chain's order; a sub-task without any usable program is missing.
        attempts: every question and answer, in order.
        rehearsal: the verdict on the trajectories that refinement saw.
        verdict: the verdict on the trajectories that it did not see.
        usage: the tokens of all replies.
        refined_on: the hashes of the trajectories that refinement saw.
        judged_on: the hashes of those that gave the verdict.
    """

    scene: Scene
    decomposition: Decomposition
    checkers: tuple[Checker, ...]
    attempts: tuple[Attempt, ...]
    rehearsal: Verdict
    verdict: Verdict
    usage: Usage
    refined_on: tuple[str, ...]
    judged_on: tuple[str, ...]


def generate(
    parts: Split,
    vlm: VLM,
    sandbox: Sandbox,
    budget: Budget = Budget(),
    bar: Bar = Bar(),
    limits: Limits = Limits(),
    listen: Listener = lambda event: None,
) -> Draft:
    """Has the VLM name the sub-tasks and write their checkers, mends them with measured facts, and judges the result.

    Refinement sees `parts.refine` alone; the verdict comes from `parts.verdict`.

    Raises:
        ProviderError: the provider failed, or the VLM named no usable goal or sub-tasks within the budget.
        SandboxUnavailable: checkers cannot be run on this machine.
    """
    expert = next(each for each in parts.refine if each.who == "expert")
    run = _Run(parts, vlm, sandbox, budget, bar, limits, listen)
    return run.draft(Scene(expert.frame(0), expert.frame(-1)))


@dataclass
class _Run:
    parts: Split
    vlm: VLM
    sandbox: Sandbox
    budget: Budget
    bar: Bar
    limits: Limits
    listen: Listener
    attempts: list[Attempt] = field(default_factory=list)

    def draft(self, scene: Scene) -> Draft:
        decomposition = self._decompose(scene)
        checkers: list[Checker] = []
        seen: list[Observation] = []
        for subtask in decomposition.subtasks:
            best = _SubTaskRun(self, scene, decomposition, subtask, tuple(checkers), tuple(seen)).best()
            if best is not None:
                checkers.append(best.checker)
                seen = list(best.observations)
        if not checkers:
            raise ProviderError(f"{self.vlm.name} wrote no program that may run, in {len(self.attempts)} replies.")
        rehearsal = judge(checkers, seen, self.bar, decomposition.subtasks)
        verdict = self._held_out(checkers, decomposition)
        self.listen(Judged(verdict))
        return Draft(
            scene=scene,
            decomposition=decomposition,
            checkers=tuple(checkers),
            attempts=tuple(self.attempts),
            rehearsal=rehearsal,
            verdict=verdict,
            usage=sum((each.reply.usage for each in self.attempts), Usage()),
            refined_on=tuple(each.sha256() for each in self.parts.refine),
            judged_on=tuple(each.sha256() for each in self.parts.verdict),
        )

    def ask(self, prompt: Prompt) -> tuple[Request, Reply]:
        request = request_for(prompt)
        self.listen(Asked(request))
        reply = self.vlm.ask(request)
        self.listen(Replied(request, reply))
        return request, reply

    def note(self, request: Request, reply: Reply, complaints: Sequence[str] = (), rules: Sequence[str] = ()) -> None:
        self.attempts.append(Attempt(request, reply, tuple(complaints), tuple(rules)))

    def _decompose(self, scene: Scene) -> Decomposition:
        answer = self._goal_answer(scene)
        complaint, times = "", 0
        for attempt in range(1, self.budget.namings + 1):
            request, reply = self.ask(SubtasksPrompt(scene, answer, insisting(complaint, times), attempt))
            found = cut_off(reply) or decomposition_in(reply.text)
            if isinstance(found, Decomposition):
                self.note(request, reply)
                self.listen(Named(found))
                return found
            complaint, times = found, times + 1 if found == complaint else 1
            self.note(request, reply, [complaint])
        raise ProviderError(f"{self.vlm.name} named no usable sub-tasks in {self.budget.namings} tries: {complaint}")

    def _goal_answer(self, scene: Scene) -> str:
        complaint, times = "", 0
        for attempt in range(1, self.budget.namings + 1):
            request, reply = self.ask(GoalPrompt(scene, insisting(complaint, times), attempt))
            found = cut_off(reply) or ("" if readable(reply.text).strip() else "The reply is empty.")
            self.note(request, reply, [found] if found else [])
            if not found:
                return readable(reply.text).strip()
            complaint, times = found, times + 1 if found == complaint else 1
        raise ProviderError(f"{self.vlm.name} named no goal in {self.budget.namings} tries: {complaint}")

    def _held_out(self, checkers: Sequence[Checker], decomposition: Decomposition) -> Verdict:
        with twice(self.sandbox, checkers, self.limits) as (first, second):
            return judge(checkers, observe(first, self.parts.verdict, second), self.bar, decomposition.subtasks)


@dataclass(frozen=True)
class _Candidate:
    checker: Checker
    observations: tuple[Observation, ...]
    rank: int


@dataclass
class _SubTaskRun:
    """Attempts at one sub-task's program."""

    run: _Run
    scene: Scene
    decomposition: Decomposition
    subtask: SubTask
    earlier: tuple[Checker, ...]
    seen: tuple[Observation, ...]

    def best(self) -> _Candidate | None:
        best: _Candidate | None = None
        complaints: list[Complaint] = []
        rules: tuple[str, ...] = ()
        source, repeated = "", False
        for attempt in range(1, self.run.budget.attempts + 1):
            request, reply = self.run.ask(self._prompt(attempt, source, complaints, repeated))
            made = self._usable(reply)
            if isinstance(made, Unusable):
                source, complaints = made.source, [Complaint(str(each)) for each in made.problems]
                broken: tuple[str, ...] = ("screen",)
            else:
                candidate, complaints = self._try(made)
                source, broken = made.source, tuple(_RULES[candidate.rank : candidate.rank + 1])
                if best is None or candidate.rank > best.rank:
                    best = candidate
            self.run.note(request, reply, [each.message for each in complaints], broken if complaints else ())
            if not complaints and best is not None:
                self.run.listen(Accepted(best.checker, attempt))
                return best
            self.run.listen(Rejected(self.subtask, attempt, tuple(each.message for each in complaints)))
            repeated, rules = broken == rules, broken
        self.run.listen(GaveUp(self.subtask, self.run.budget.attempts))
        return best

    def _prompt(self, attempt: int, source: str, complaints: Sequence[Complaint], repeated: bool) -> Prompt:
        goal, subtasks = self.decomposition.goal, self.decomposition.subtasks
        if attempt == 1:
            return CheckerPrompt(self.scene, goal, subtasks, self.subtask)
        program = readable(source).rstrip()
        said = tuple(replace(each, message=readable(each.message)) for each in complaints)
        return RefinePrompt(self.scene, goal, subtasks, self.subtask, attempt, program, said, repeated)

    def _usable(self, reply: Reply) -> Checker | Unusable:
        if problem := cut_off(reply):
            return Unusable.because(problem)
        return checker_from(reply.text, self.subtask)

    def _try(self, checker: Checker) -> tuple[_Candidate, list[Complaint]]:
        run, trajectories = self.run, self.run.parts.refine
        with twice(run.sandbox, [checker], run.limits) as (first, second):
            alone = observe(first, trajectories, second)
            observations = (
                tuple(a.beside(b) for a, b in zip(self.seen, alone, strict=True)) if self.seen else tuple(alone)
            )
            verdict = judge([*self.earlier, checker], observations, run.bar)
            findings = verdict.of(self.subtask.name)
            complaints = [complaint_about(each, trajectories, first) for each in findings]
        rank = _RULES.index(findings[0].rule) if findings else len(_RULES)
        return _Candidate(checker, observations, rank), complaints


def insisting(complaint: str, times: int) -> str:
    """The complaint; the same one once more says so, for an equal question would get the reply that is on disk."""
    return complaint if times < 2 else f"{complaint} This has now happened {times} times in a row."


def cut_off(reply: Reply) -> str:
    """Why an incomplete reply cannot be used; "" for a complete one."""
    if reply.finish is Finish.TRUNCATED:
        return "The reply was cut off before its end; answer more briefly."
    if reply.finish is Finish.REFUSED:
        return "The request was refused. It is harmless: a program that looks at pictures of a simulated task."
    return ""
