"""Asks the VLM within the budget, and keeps every question and answer."""

from collections import Counter
from collections.abc import Callable, Sequence

from car.errors import NotRecorded
from car.prompts import Prompt, request_for
from car.refine.budget import Budget, Purse
from car.refine.draft import Attempt
from car.refine.events import Asked, Event, Replied, Unanswered
from car.vlm import VLM, Finish, Reply, Request, Usage

Listener = Callable[[Event], None]


class Asker:
    """The VLM, as long as the budget lasts.

    Args:
        vlm: who is asked.
        budget: what may be used.
        listen: is told what happens.

    Attributes:
        attempts: every question and answer so far.
        ended: which limit of the budget has ended the asking, in words; "" while there is some left.
    """

    def __init__(self, vlm: VLM, budget: Budget, listen: Listener) -> None:
        self.vlm, self.budget, self.listen = vlm, budget, listen
        self.attempts: list[Attempt] = []
        self.ended = ""
        self._purse = Purse(budget)
        self._tried: Counter[str] = Counter()

    @property
    def usage(self) -> Usage:
        """The tokens of all replies."""
        return sum((each.reply.usage for each in self.attempts), Usage())

    def number(self, subject: str) -> int:
        """The number of the next attempt at a sub-task, or at the division into sub-tasks for "", from 1."""
        self._tried[subject] += 1
        return self._tried[subject]

    def ask(self, prompt: Prompt, optional: bool = False) -> tuple[Request, Reply] | None:
        """The question and its answer; None if the budget is used up.

        Args:
            prompt: the question.
            optional: whether the work can go on without an answer: a recording that holds none is no error then.

        Raises:
            ProviderError: the provider failed.
        """
        self.ended = self.ended or self._purse.empty()
        if self.ended:
            return None
        request = request_for(prompt)
        self.listen(Asked(request))
        try:
            reply = self.vlm.ask(request)
        except NotRecorded:
            if not optional:
                raise
            self.listen(Unanswered(request))
            return None
        self._purse.pay(reply.usage)
        self.listen(Replied(request, reply))
        return request, reply

    def note(self, request: Request, reply: Reply, complaints: Sequence[str] = (), rules: Sequence[str] = ()) -> None:
        """Keeps a question and its answer, with what was wrong with it."""
        self.attempts.append(Attempt(request, reply, tuple(complaints), tuple(rules)))


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
