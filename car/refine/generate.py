"""From two frames to a judged chain of checkers."""

from collections.abc import Sequence
from dataclasses import dataclass

from car.checker import Checker, SubTask
from car.errors import BudgetSpent, NothingUsable
from car.prompts import GoalPrompt, Scene, SubtasksPrompt
from car.refine.asking import Asker, Kept, Listener, cut_off, insisting
from car.refine.bench import Bench
from car.refine.budget import Budget
from car.refine.continuing import shortcuts
from car.refine.counterexample import CounterExamples, refuted, with_audit
from car.refine.decomposition import SCHEMA, Decomposition, decomposition_in, readable
from car.refine.draft import Draft
from car.refine.events import Judged, Named, Weak
from car.refine.evidence import Evidence
from car.refine.repeating import one_action
from car.refine.search import Search
from car.sandbox import Limits, Sandbox, Session
from car.task import Task
from car.verify import Bar, Observation, Probe, Split, Verdict, compared, observe, verdict_on
from car.vlm import VLM, Finish


def generate(
    parts: Split,
    vlm: VLM,
    sandbox: Sandbox,
    budget: Budget = Budget(),
    bar: Bar = Bar(),
    limits: Limits = Limits(),
    listen: Listener = lambda event: None,
    task: Task | None = None,
    parallel: int = 0,
    kept: Kept = lambda request: None,
    examples: CounterExamples = CounterExamples(),
) -> Draft:
    """Has the VLM name the sub-tasks and write their checkers, mends them with measured facts, and judges the result.

    Refinement sees `parts.refine` alone; the verdict comes from `parts.verdict`. The result is the best that was found,
    even if that is not good enough.

    Args:
        parts: the trajectories, in two parts.
        vlm: who is asked.
        sandbox: where programs run.
        budget: how often and for how much.
        bar: what the programs must reach.
        limits: what each program may use.
        listen: is told what happens.
        task: whose environment is run to see whether a sub-task is worth doing; None leaves that out.
        parallel: how many questions may be on their way at once, and programs be tried, each in a thread; 0 for one
            after another in the caller's own. The result does not depend on it.
        kept: what a reply that is on disk already has used, so that it needs no room in the budget beyond that; None
            for a question that has to be paid for.
        examples: what an audit found. Refinement learns from their part for it; the result may go against none.

    Raises:
        ProviderError: the provider failed; as NothingUsable, the VLM named no usable goal or sub-tasks, or wrote no
            program that may run, within the budget.
        BudgetSpent: the budget ended before there was any program.
        SandboxUnavailable: checkers cannot be run on this machine.
    """
    scene = scene_of(parts)
    bench = Bench(parts.refine, sandbox, limits, bar, task, examples.refine)
    run = _Run(Asker(vlm, budget, listen, parallel, kept), bench, scene, task)
    chain = run.best()
    asker = run.asker
    rehearsal = chain.rehearsal(bench)
    verdict = compared(run.held_out(chain, parts, examples), rehearsal)
    listen(Judged(verdict))
    return Draft(
        scene=scene,
        decomposition=chain.decomposition,
        checkers=chain.evidence.checkers,
        attempts=tuple(asker.attempts),
        rehearsal=rehearsal,
        verdict=verdict,
        usage=asker.purse.usage,
        cost=asker.purse.cost,
        prices=budget.price.source,
        refined_on=tuple(dict.fromkeys(each.sha256() for each in (*parts.refine, *examples.shown))),
        judged_on=tuple(each.sha256() for each in parts.verdict),
        ended=asker.ended,
    )


def scene_of(parts: Split) -> Scene:
    """The two frames that the VLM is shown: the first and the last one of an expert that refinement may see."""
    expert = next(each for each in parts.refine if each.who == "expert")
    return Scene(expert.frame(0), expert.frame(-1))


@dataclass(frozen=True)
class _Chain:
    """The programs of one division into sub-tasks.

    Args:
        decomposition: the sub-tasks.
        evidence: the programs that were found, and what they say.
        passed: whether nothing is found against any of them alone.
        facts: what is wrong with the chain as a whole although its programs pass.
        probes: what episodes that go on from an expert's showed.
    """

    decomposition: Decomposition
    evidence: Evidence
    passed: bool
    facts: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()

    @property
    def worth(self) -> tuple[int, int]:
        """By which the better of two chains is known."""
        return int(self.passed), -len(self.facts)

    def rehearsal(self, bench: Bench) -> Verdict:
        """The verdict on what refinement saw."""
        checkers, evidence = self.evidence.checkers, self.evidence
        verdict = evidence.verdict(bench.bar, self.decomposition.subtasks, self.probes)
        found = refuted(checkers, evidence.audited, bench.examples)
        return with_audit(verdict, checkers, found, bench.examples)


@dataclass
class _Run:
    asker: Asker
    bench: Bench
    scene: Scene
    task: Task | None

    def best(self) -> _Chain:
        answer = self._goal_answer()
        best: _Chain | None = None
        rounds = self.asker.budget.rounds
        for number in range(1, rounds + 1):
            decomposition = self._decomposed(answer, best)
            if decomposition is None:
                break
            chain = self._chain(decomposition, best)
            best = max(best, chain, key=lambda each: each.worth) if best else chain
            if not chain.facts:
                break
            self.asker.listen(Weak(chain.facts, again=number < rounds))
        if best is not None and best.evidence.checkers:
            return best
        if self.asker.ended:
            raise BudgetSpent(f"The budget ended before there was any program: {self.asker.ended}.")
        raise NothingUsable(
            f"{self.asker.vlm.name} wrote no program that may run, in {len(self.asker.attempts)} replies."
        )

    def _goal_answer(self) -> str:
        complaint, times = "", 0
        for attempt in range(1, self.asker.budget.namings + 1):
            answer = self.asker.ask(GoalPrompt(self.scene, insisting(complaint, times), attempt))
            if answer is None:
                raise BudgetSpent(f"The budget ended before the goal was named: {self.asker.ended}.")
            request, reply = answer
            found = cut_off(reply) or ("" if readable(reply.text).strip() else "The reply is empty.")
            self.asker.note(request, reply, [found] if found else [])
            if not found:
                return readable(reply.text).strip()
            complaint, times = found, times + 1 if found == complaint else 1
        raise self._useless("goal", complaint)

    def _decomposed(self, goal_answer: str, before: _Chain | None) -> Decomposition | None:
        """The sub-tasks; None if there are some from before and the budget or a recording holds no better ones."""
        complaint, times = "", 0
        tried = before.decomposition.subtasks if before else ()
        measured = before.facts if before else ()
        for _ in range(self.asker.budget.namings):
            number = self.asker.number("")
            prompt = SubtasksPrompt(self.scene, goal_answer, insisting(complaint, times), number, tried, measured)
            answer = self.asker.ask(prompt, optional=before is not None, schema=SCHEMA)
            if answer is None:
                return None
            request, reply = answer
            found = cut_off(reply) or decomposition_in(reply.text)
            if isinstance(found, Decomposition):
                self.asker.note(request, reply)
                self.asker.listen(Named(found))
                return found
            complaint, times = found, times + 1 if found == complaint else 1
            self.asker.note(request, reply, [complaint])
        if before is not None:
            return None
        raise self._useless("usable sub-tasks", complaint)

    def _useless(self, what: str, complaint: str) -> NothingUsable:
        cut = any(each.reply.finish is Finish.TRUNCATED for each in self.asker.attempts)
        more = " A larger --max-output gives it more room." if cut else ""
        return NothingUsable(
            f"{self.asker.vlm.name} named no {what} in {self.asker.budget.namings} tries: {complaint}{more}"
        )

    def _chain(self, decomposition: Decomposition, before: _Chain | None) -> _Chain:
        searches = [
            Search(self.asker, self.bench, self.scene, decomposition, each, _known(each, before))
            for each in decomposition.subtasks
        ]
        self._search(searches)
        evidence = Evidence()
        for search in searches:
            evidence = evidence.beside(search.best.alone) if search.best else evidence
        if not all(search.passing for search in searches):
            return _Chain(decomposition, evidence, False)
        found = self._probed(evidence)
        facts = [each.message for each in evidence.verdict(self.bench.bar).of("")]
        facts += [f'"{each.subtask}": {each.said}' for each in found if each.passed is False and not each.strict]
        return _Chain(decomposition, evidence, True, tuple(facts), found)

    def _search(self, searches: Sequence[Search]) -> None:
        """Asks for all programs side by side, then judges them in order, until nothing is left to be asked."""
        while True:
            questions = [each.questions() for each in searches]
            answers = iter(self.asker.ask_all([question for several in questions for question in several]))
            for search, several in zip(searches, questions, strict=True):
                search.take([next(answers) for _ in several])
            passing = Evidence()
            for search in searches:
                passing = search.judge(passing)
            if not any(each.asking for each in searches):
                return

    def _probed(self, evidence: Evidence) -> tuple[Probe, ...]:
        if self.task is None:
            return ()
        with self.bench.sandbox.open(evidence.checkers, self.bench.limits) as session:
            return tuple(self._continued(evidence.checkers, session, evidence.observations))

    def _continued(
        self, checkers: Sequence[Checker], session: Session, observations: Sequence[Observation]
    ) -> Sequence[Probe]:
        if self.task is None:
            return ()
        experts = [each for each in observations if each.trajectory.who == "expert"]
        return [one_action(self.task, experts, checkers, session), *shortcuts(self.task, experts, checkers, session)]

    def held_out(self, chain: _Chain, parts: Split, examples: CounterExamples) -> Verdict:
        checkers = chain.evidence.checkers
        verdict = verdict_on(
            checkers,
            parts.verdict,
            self.bench.sandbox,
            self.bench.bar,
            chain.decomposition.subtasks,
            self.bench.limits,
            further=lambda session, observations: self._continued(checkers, session, observations),
        )
        if not examples.every:
            return verdict
        # Those that refinement saw too: what is known to be wrong is wrong, whoever has seen it.
        with self.bench.sandbox.open(checkers, self.bench.limits) as session:
            seen = observe(session, [each.trajectory for each in examples.every])
        return with_audit(verdict, checkers, refuted(checkers, seen, examples.every), examples.every)


def _known(subtask: SubTask, before: _Chain | None) -> str:
    """The program of the same sub-task in an earlier round; "" if there is none."""
    same = (subtask.name, subtask.description)
    checkers = before.evidence.checkers if before else ()
    return next((each.source for each in checkers if (each.subtask.name, each.subtask.description) == same), "")
