"""The search for one sub-task's program: several at first, the best one mended, and made faster if it is slow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from car.checker import Checker, SubTask, Unusable, checker_from
from car.prompts import CheckerPrompt, Complaint, FasterPrompt, RefinePrompt, Scene
from car.refine.asking import Answer, Asker, Question, cut_off
from car.refine.bench import Bench, Candidate
from car.refine.decomposition import Decomposition, readable
from car.refine.events import Accepted, Faster, GaveUp, Rejected
from car.refine.evidence import Evidence
from car.verify.cost import IDENTIFY_SHARE, Cost, told
from car.vlm import Reply, Request


@dataclass(frozen=True)
class _Ran:
    """One reply: the program in it as far as there is one, and what it said."""

    request: Request
    reply: Reply
    source: str
    alone: Evidence | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Try:
    """A reply whose program is judged, or cannot be."""

    ran: _Ran
    candidate: Candidate | None
    complaints: tuple[Complaint, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        if self.candidate is None:
            return ("screen",)
        return self.candidate.rules

    @property
    def worth(self) -> tuple[int, int]:
        return self.candidate.worth if self.candidate else (-1, 0)

    @property
    def passes(self) -> bool:
        return self.candidate is not None and not self.complaints


class _Next(Enum):
    """What a search wants to ask."""

    FIRST = auto()
    MENDED = auto()
    FASTER = auto()
    NOTHING = auto()


class Search:
    """The search for one sub-task's program: what to ask next, and what to make of the answers.

    The searches of a chain go on side by side, a question each at a time; then all are judged in the chain's order.

    Args:
        asker: knows the budget, keeps questions and answers, and who listens.
        bench: where programs are tried.
        scene: the two frames that the VLM sees.
        decomposition: all sub-tasks.
        subtask: the one whose program is wanted.
        known: a program from an earlier round, which is taken if it passes in this chain too; "" if there is none.
    """

    def __init__(
        self,
        asker: Asker,
        bench: Bench,
        scene: Scene,
        decomposition: Decomposition,
        subtask: SubTask,
        known: str = "",
    ) -> None:
        self._asker, self._bench = asker, bench
        self._about = scene, decomposition.goal, decomposition.subtasks, subtask
        self._subtask, self._known = subtask, known
        self._others = len(decomposition.subtasks) - 1
        self._next = _Next.NOTHING if known else _Next.FIRST
        self._asked, self._hurried = 0, False
        self._new: list[_Ran] = []
        self._tries: list[_Try] = []
        self._last: _Try | None = None
        self._repeated = False
        self._kept: Candidate | None = None
        self._beside: tuple[Checker, ...] | None = None

    @property
    def asking(self) -> bool:
        """Whether it has a question."""
        return self._next is not _Next.NOTHING

    def questions(self) -> "list[Question[_Ran]]":
        """What is to be asked now; nothing if the search has ended, or waits for that of another sub-task."""
        if self._next is _Next.NOTHING:
            return []
        number = self._asker.number(self._subtask.name)
        if self._next is _Next.FIRST:
            samples = range(1, self._asker.budget.samples + 1)
            prompts = [CheckerPrompt(*self._about, number, sample) for sample in samples]
            return [Question(each, self._ran, optional=each.sample > 1) for each in prompts]
        if self._next is _Next.MENDED:
            return [Question(self._mending(number), self._ran)]
        return [Question(self._hurrying(number), self._ran, optional=True)]

    def take(self, answers: "Sequence[Answer[_Ran] | None]") -> None:
        """Takes the answers to its questions; None for one that there is no answer to."""
        self._new = [each.made for each in answers if each is not None]
        if self._new or self._next is _Next.NOTHING:
            return
        if self._next is not _Next.FASTER:
            self._give_up()
        self._next = _Next.NOTHING

    def judge(self, earlier: Evidence) -> Evidence:
        """Judges what is new, beside the programs of the earlier sub-tasks that pass; gives these, its own with them.

        A program that passed before is judged anew if there are others beside it now.
        """
        if self._new and self._next is _Next.FASTER:
            self._judge_faster(earlier)
        elif self._new:
            self._judge_new(earlier)
        elif self.passing and earlier.checkers != self._beside:
            self._judge_again(earlier)
        elif self._known and self._beside is None:
            self._judge_known(earlier)
        self._new, self._beside = [], earlier.checkers
        return earlier.beside(self.passing.alone) if self.passing else earlier

    @property
    def passing(self) -> Candidate | None:
        """The program that passes, if there is one."""
        if self._last is not None:
            return self._last.candidate if self._last.passes else None
        return self._kept

    @property
    def best(self) -> Candidate | None:
        """The best program that was found; None if no reply held one that may run."""
        # Of two equally good ones the first stays: it was written without so many hints.
        found = [each.candidate for each in self._tries if each.candidate is not None]
        return self.passing or max(found, key=lambda each: each.worth, default=None)

    def _ran(self, request: Request, reply: Reply) -> _Ran:
        problem = cut_off(reply)
        made = Unusable.because(problem) if problem else checker_from(reply.text, self._subtask)
        if isinstance(made, Unusable):
            return _Ran(request, reply, made.source, None, tuple(str(each) for each in made.problems))
        return _Ran(request, reply, made.source, self._bench.ran(made))

    def _judged(self, ran: _Ran, earlier: Evidence) -> _Try:
        if ran.alone is None:
            return _Try(ran, None, tuple(Complaint(each) for each in ran.problems))
        candidate = self._bench.judged(ran.alone, earlier, self._whole(earlier))
        return _Try(ran, candidate, candidate.complaints)

    def _whole(self, earlier: Evidence) -> bool:
        return len(earlier.checkers) == self._others

    def _judge_new(self, earlier: Evidence) -> None:
        tries = [self._judged(each, earlier) for each in self._new]
        for each in tries:
            self._told(each)
        best = self._quickest([each for each in tries if each.worth == max(other.worth for other in tries)])
        self._repeated = self._last is not None and self._last.rules == best.rules
        self._tries.append(best)
        self._last = best
        self._asked += 1
        if best.passes:
            self._accept(best)
        else:
            self._go_on()

    def _judge_again(self, earlier: Evidence) -> None:
        if self._last is None:
            self._judge_known(earlier)
            return
        self._renew(earlier)
        if not self._last.passes:
            self._told(self._last)
            self._go_on()

    def _renew(self, earlier: Evidence) -> None:
        """Judges those that passed beside other programs, beside these."""
        renewed = [(each, self._judged(each.ran, earlier) if each.passes else each) for each in self._tries]
        self._tries = [new for _, new in renewed]
        self._last = next((new for old, new in renewed if old is self._last), self._last)

    def _judge_known(self, earlier: Evidence) -> None:
        alone = self._kept.alone if self._kept else self._bench.ran(Checker(self._subtask, self._known))
        candidate = self._bench.judged(alone, earlier, self._whole(earlier))
        self._kept = None if candidate.complaints else candidate
        self._next = _Next.FIRST if candidate.complaints else _Next.NOTHING

    def _judge_faster(self, earlier: Evidence) -> None:
        self._next = _Next.NOTHING
        if earlier.checkers != self._beside:
            self._renew(earlier)
        made, right = self._judged(self._new[0], earlier), self._last
        if right is None or right.candidate is None:
            return
        before = self._bench.cost(right.candidate.checker)
        now = self._bench.cost(made.candidate.checker) if made.passes and made.candidate else None
        quicker = before is not None and now is not None and _for_a_frame(now) < _for_a_frame(before)
        if made.passes and made.candidate and (quicker or not right.passes):
            self._told(made)
            self._tries.append(made)
            self._last = made
            if before and now:
                self._asker.listen(Faster(made.candidate.checker, _for_a_frame(before), _for_a_frame(now)))
            return
        if made.passes:
            complaint = Complaint("It is right, but not faster; the first one is kept.")
            self._told(replace(made, complaints=(complaint,)), rules=("cost",))
        else:
            self._told(made)
        if not right.passes:
            self._told(right)
            self._go_on()

    def _accept(self, right: _Try) -> None:
        self._next = _Next.NOTHING
        if right.candidate is None:
            return
        self._asker.listen(Accepted(right.candidate.checker, right.ran.request.attempt))
        if not self._hurried and self._slow(right.candidate.checker):
            self._next, self._hurried = _Next.FASTER, True

    def _go_on(self) -> None:
        """A wrong program is mended, or there are no attempts left."""
        self._next = _Next.MENDED
        if self._asked >= self._asker.budget.attempts:
            self._give_up()
            self._next = _Next.NOTHING

    def _give_up(self) -> None:
        kept = self.best is not None
        self._asker.listen(GaveUp(self._subtask, self._asker.budget.attempts, self._asker.ended, kept))

    def _quickest(self, equal: Sequence[_Try]) -> _Try:
        """The first of several equally good ones that is not too slow: another order would depend on the clock."""
        if len(equal) < 2 or not equal[0].passes:
            return equal[0]
        quick = (each for each in equal if each.candidate and not self._slow(each.candidate.checker))
        return next(quick, equal[0])

    def _slow(self, checker: Checker) -> bool:
        return self._bench.slow(checker, self._bench.cost(checker))

    def _mending(self, number: int) -> RefinePrompt:
        if self._last is None:
            raise ValueError("there is no program to mend")
        program = readable(self._last.ran.source).rstrip()
        said = tuple(replace(each, message=readable(each.message)) for each in self._last.complaints)
        return RefinePrompt(*self._about, number, program, said, self._repeated)

    def _hurrying(self, number: int) -> FasterPrompt:
        if self._last is None or self._last.candidate is None:
            raise ValueError("there is no program to make faster")
        checker = self._last.candidate.checker
        cost = self._bench.cost(checker)
        program, profile = readable(checker.source).rstrip(), told(cost) if cost else ""
        return FasterPrompt(*self._about, number, program, self._bench.limit_us, profile)

    def _told(self, made: _Try, rules: tuple[str, ...] | None = None) -> None:
        """Keeps a question and its answer with what is wrong with it, and says so."""
        messages = tuple(each.message for each in made.complaints)
        request = made.ran.request
        self._asker.note(
            request, made.ran.reply, messages, (made.rules if rules is None else rules) if messages else ()
        )
        if messages:
            self._asker.listen(Rejected(self._subtask, request.attempt, messages))


def _for_a_frame(cost: Cost) -> float:
    """Microseconds for a frame, with its part of what is done once an episode."""
    return cost.check_us + cost.identify_us / IDENTIFY_SHARE
