"""Asks the VLM within the budget, several questions at once, and keeps every question and answer."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from car.errors import NotRecorded
from car.prompts import Prompt, request_for
from car.refine.budget import Budget
from car.refine.crew import Crew
from car.refine.draft import Attempt
from car.refine.events import Asked, Event, Leaving, Replied, Unanswered, Waiting
from car.refine.purse import Purse
from car.vlm import VLM, Finish, Leaver, Reply, Request, Usage

Listener = Callable[[Event], None]
Kept = Callable[[Request], Usage | None]
T = TypeVar("T")


@dataclass(frozen=True)
class Question(Generic[T]):
    """A question, and what is to be done with its answer.

    Args:
        prompt: the question.
        optional: whether the work can go on without an answer: a recording that holds none is no error then.
        schema: the JSON schema of the answer; None where it is free text.
        then: what is made of the answer, beside the other questions, before anyone hears of it.
    """

    prompt: Prompt
    then: Callable[[Request, Reply], T]
    optional: bool = False
    schema: Mapping[str, object] | None = None

    def request(self) -> Request:
        """The request that asks it."""
        return replace(request_for(self.prompt), schema=self.schema)


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What came back, and what was made of it."""

    request: Request
    reply: Reply
    made: T


class Asker:
    """The VLM, as long as the budget lasts.

    Args:
        vlm: who is asked.
        budget: what may be used.
        listen: is told what happens, in this thread. Answers, and all that is made of them, are told in the order of
            the questions; only that one is asked is told when it is.
        kept: what a reply that is on disk already has used; None if it is not there.
        parallel: how many questions may be on their way at once, each in a thread; 0 for one after another in the
            caller's own, which a person at a terminal needs.

    Attributes:
        attempts: every question and answer so far.
        ended: which limit of the budget has ended the asking, in words; "" while there is some left.
        purse: what has been used.
    """

    def __init__(
        self, vlm: VLM, budget: Budget, listen: Listener, parallel: int = 0, kept: Kept = lambda request: None
    ) -> None:
        self.vlm, self.budget, self.listen, self.kept = vlm, budget, listen, kept
        self.attempts: list[Attempt] = []
        self.ended = ""
        self.purse = Purse(budget)
        self._parallel = parallel
        self._tried: Counter[str] = Counter()

    def number(self, subject: str) -> int:
        """The number of the next attempt at a sub-task, or at the division into sub-tasks for "", from 1."""
        self._tried[subject] += 1
        return self._tried[subject]

    def ask(
        self, prompt: Prompt, optional: bool = False, schema: Mapping[str, object] | None = None
    ) -> tuple[Request, Reply] | None:
        """The question and its answer; None if the budget is used up, or there is no answer and it is optional.

        Raises:
            ProviderError: the provider failed.
        """
        (answer,) = self.ask_all([Question(prompt, lambda request, reply: None, optional, schema)])
        return None if answer is None else (answer.request, answer.reply)

    def ask_all(self, questions: Sequence[Question[T]]) -> list[Answer[T] | None]:
        """The answers in the order of the questions; None for those that the budget or a recording does not reach.

        Which questions the budget reaches does not depend on how many are on their way at once, as long as none needs
        more than was set aside for it: one is left out only if it could not be afforded although all before it are
        paid.

        Raises:
            ProviderError: the provider failed; the first failure in the order of the questions, when all answers that
                were on their way are here.
            KeyboardInterrupt: likewise; a second one does not wait for them.
        """
        return _Round(self, questions, self._parallel).answers() if questions else []

    def note(self, request: Request, reply: Reply, complaints: Sequence[str] = (), rules: Sequence[str] = ()) -> None:
        """Keeps a question and its answer, with what was wrong with it; what was known of it before is replaced."""
        attempt = Attempt(request, reply, tuple(complaints), tuple(rules))
        known = [index for index, each in enumerate(self.attempts) if each.request is request]
        if known:
            self.attempts[known[0]] = attempt
        else:
            self.attempts.append(attempt)


class _Round(Generic[T]):
    """Some questions that are asked side by side."""

    def __init__(self, asker: Asker, questions: Sequence[Question[T]], parallel: int) -> None:
        self._asker, self._questions = asker, questions
        self._requests = [each.request() for each in questions]
        self._parallel = parallel
        self._crew: Crew[Answer[T]] = Crew(parallel)
        self._waiting = deque(range(len(questions)))
        self._receipts: dict[int, int] = {}
        self._kept: dict[int, bool] = {}
        self._ended: dict[int, Answer[T] | BaseException | None] = {}
        self._told = 0
        self._leaving = threading.Event()

    def answers(self) -> list[Answer[T] | None]:
        try:
            while len(self._ended) < len(self._questions):
                self._begin()
                if self._crew.busy:
                    self._collect()
                self._tell()
        except BaseException:
            # An interrupt, or whoever listens has failed: what is on its way is paid for all the same.
            self._leave()
            raise
        return [self._answer(index) for index in range(len(self._questions))]

    def _begin(self) -> None:
        """Begins what there is room and money for."""
        asker = self._asker
        while self._waiting and not self._crew.full:
            request = self._requests[self._waiting[0]]
            kept = asker.kept(request)
            self._kept[self._waiting[0]] = kept is not None
            problem = asker.ended or asker.purse.refuses(request, kept)
            if problem and self._crew.busy:
                # What is on its way may turn out to need less than it might.
                return
            if problem:
                asker.ended = problem
                self._give_up()
                return
            index = self._waiting.popleft()
            self._receipts[index] = asker.purse.set_aside(request, kept)
            asker.listen(Asked(request))
            self._crew.begin(index, lambda index=index: self._asked(index))  # type: ignore[misc]

    def _give_up(self) -> None:
        self._ended |= dict.fromkeys(self._waiting)
        self._waiting.clear()

    def _asked(self, index: int) -> Answer[T]:
        request = self._requests[index]
        if self._leaving.is_set():
            raise KeyboardInterrupt
        reply = self._asker.vlm.ask(request)
        if self._leaving.is_set():
            raise KeyboardInterrupt
        return Answer(request, reply, self._questions[index].then(request, reply))

    def _collect(self) -> None:
        if self._parallel:
            self._asker.listen(Waiting(self._crew.busy))
        index, result = self._crew.result()
        self._ended[index] = result
        purse, receipt = self._asker.purse, self._receipts[index]
        if isinstance(result, Answer):
            purse.pay(receipt, result.reply.usage)
            return
        purse.give_back(receipt)
        if not (isinstance(result, NotRecorded) and self._questions[index].optional):
            # Those that are on their way are paid for and end in the journal; no more are begun.
            self._give_up()

    def _tell(self) -> None:
        """Tells of what has ended, as far as all before it has."""
        while self._told in self._ended:
            ended, request = self._ended[self._told], self._requests[self._told]
            if isinstance(ended, Answer):
                self._asker.listen(Replied(request, ended.reply, self._kept[self._told]))
            elif isinstance(ended, NotRecorded) and self._questions[self._told].optional:
                self._asker.listen(Unanswered(request))
            self._told += 1

    def _answer(self, index: int) -> Answer[T] | None:
        ended = self._ended[index]
        if isinstance(ended, NotRecorded) and self._questions[index].optional:
            return None
        if isinstance(ended, BaseException):
            raise ended
        return ended

    def _leave(self) -> None:
        """Waits for the answers that are on their way: they cost the same whether anyone waits or not."""
        self._leaving.set()
        if isinstance(self._asker.vlm, Leaver):
            self._asker.vlm.leave()
        try:
            if running := self._crew.running:
                with suppress(OSError):
                    self._asker.listen(Leaving(running))
            self._crew.wait()
        except KeyboardInterrupt:
            lost = self._crew.running
            raise KeyboardInterrupt(
                f"Interrupted. What was done is kept, but for {lost} answer{'s' * (lost != 1)} on the way, to be asked "
                "for again; the same command goes on from there."
            ) from None


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
