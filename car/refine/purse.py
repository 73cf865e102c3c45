"""What is left of a budget."""

import math
from dataclasses import dataclass, field

from car.refine.budget import Budget
from car.vlm import Request, Usage
from car.vlm.price import CURRENCY, Price
from car.vlm.tokens import tokens_of


@dataclass(frozen=True)
class _Aside:
    """What is kept for a call that is on its way.

    Args:
        request: the question.
        known: what it has used, if its answer is on disk; None for a call that is to be made.
    """

    request: Request
    known: Usage | None


@dataclass
class Purse:
    """What has been used of a budget, and what is set aside for the calls that are on their way.

    A call is made only if it cannot go over: it is taken to need the tokens of its question, estimated high, and the
    longest answer that it may have; where that has no limit, as much as the dearest call so far. What a provider has
    counted so far corrects the estimate, so under a limit nothing goes out beside the first call.

    Args:
        budget: the limits.

    Attributes:
        calls: how many were paid.
        usage: their tokens, as the provider counted them.
        cost: what they cost; None as soon as that of one is not known.
    """

    budget: Budget
    calls: int = field(default=0, init=False)
    usage: Usage = field(default=Usage(), init=False)
    cost: float | None = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._aside: dict[int, _Aside] = {}
        self._receipts = 0
        self._dearest = Usage()
        # What the limits go by: where a provider counts nothing, what was set aside.
        self._tokens, self._spent = 0, 0.0
        self._times, self._more_for_a_picture = 1.0, 0.0

    def refuses(self, request: Request, known: Usage | None = None) -> str:
        """Which limit the call would go over, in words; "" if it may be made.

        Args:
            request: the question.
            known: what it has used, if its answer is on disk.
        """
        budget, need = self.budget, self._need(request, known)
        if budget.calls is not None and self.calls + len(self._aside) >= budget.calls:
            return f"{self.calls} of {budget.calls} calls are made"
        if budget.tokens is None and budget.cost is None:
            return ""
        if self._aside and not self.calls:
            return "the first call is on its way"
        aside = [self._need(each.request, each.known) for each in self._aside.values()]
        used = self._tokens + sum(each.tokens for each in aside)
        if budget.tokens is not None and used + need.tokens > budget.tokens:
            next_one = self._next(f"{need.tokens:,} tokens")
            return f"{self._tokens:,} of {budget.tokens:,} tokens are {self._verb('used')}, {next_one}"
        spent = self._spent + sum(map(self._at_most, aside))
        if budget.cost is not None and spent + self._at_most(need) > budget.cost:
            next_one = self._next(self._money(self._at_most(need)))
            limit = self._money(budget.cost)
            return f"{amount(self._spent)} of {limit} are {self._verb('spent')}, {next_one}"
        return ""

    def set_aside(self, request: Request, known: Usage | None = None) -> int:
        """Keeps what the call may need until it is paid, and gives the receipt."""
        self._receipts += 1
        self._aside[self._receipts] = _Aside(request, known)
        return self._receipts

    def give_back(self, receipt: int) -> None:
        """The call came to nothing."""
        del self._aside[receipt]

    def pay(self, receipt: int, usage: Usage) -> None:
        """Takes note of what a call has used."""
        aside = self._aside.pop(receipt)
        uncounted = self.budget.max_output is not None and not usage.tokens
        need = self._need(aside.request, aside.known)
        self.calls += 1
        self.usage += usage
        cost = None if uncounted else self.budget.price.of(usage)
        self.cost = None if cost is None or self.cost is None else self.cost + cost
        self._tokens += need.tokens if uncounted else usage.tokens
        self._spent += self._at_most(need) if uncounted else (cost or 0.0)
        self._dearest = Usage(
            max(self._dearest.input_tokens, usage.input_tokens), max(self._dearest.output_tokens, usage.output_tokens)
        )
        self._learn(aside.request, usage)

    def _learn(self, request: Request, usage: Usage) -> None:
        """How far the estimate was off: for all of a question, or for its pictures, whatever makes the next dearer."""
        estimated = max(tokens_of(request).high, 1)
        self._times = max(self._times, usage.input_tokens / estimated)
        if pictures := len(request.pictures):
            more = (usage.input_tokens - estimated) / pictures
            self._more_for_a_picture = max(self._more_for_a_picture, more)

    def _need(self, request: Request, known: Usage | None) -> Usage:
        if known is not None and known.tokens:
            return known
        most = self.budget.max_output
        if most is None:
            return self._dearest
        estimated = tokens_of(request).high
        by_pictures = estimated + self._more_for_a_picture * len(request.pictures)
        return Usage(math.ceil(max(estimated * self._times, by_pictures)), most)

    def _at_most(self, need: Usage) -> float:
        """What the tokens cost at the most: all of the question may go into the provider's cache, which costs more."""
        plain = Usage(need.input_tokens, need.output_tokens)
        kept = Usage(need.input_tokens, need.output_tokens, 0, need.input_tokens)
        return max(self.budget.price.of(each) or 0.0 for each in (plain, kept, need))

    def _next(self, most: str) -> str:
        longest = self.budget.max_output
        of_it = f", with an answer of up to {longest:,} (--max-output)" if longest else ""
        return f"and the next call may need {most}{of_it}"

    def _verb(self, counted: str) -> str:
        # Who counts nothing has every call reckoned at its most.
        return counted if self.usage.tokens or not self.calls else f"reckoned as {counted}, for no tokens are counted"

    def _money(self, value: float) -> str:
        return money(value, self.budget.price)


def amount(value: float) -> str:
    """An amount of money without its currency; a small one to two digits that say something."""
    digits = 2 if value >= 1 or value <= 0 else max(4, 1 - math.floor(math.log10(value)))
    return f"{value:.{digits}f}"


def money(value: float, pricing: object) -> str:
    """An amount with its currency; without one where a person has typed the price, and knows it."""
    return amount(value) if isinstance(pricing, Price) else f"{amount(value)} {CURRENCY}"
