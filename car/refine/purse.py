"""What is left of a budget."""

from dataclasses import dataclass, field

from car.refine.budget import Budget
from car.vlm import Request, Usage
from car.vlm.price import CURRENCY, Price
from car.vlm.tokens import at_most


@dataclass
class Purse:
    """What has been used of a budget, and what is set aside for the calls that are on their way.

    A call is made only if it cannot go over: it is taken to need the tokens of its question, estimated high, and the
    longest answer that it may have; where that has no limit, as much as the dearest call so far.

    Args:
        budget: the limits.

    Attributes:
        calls: how many were paid.
        usage: their tokens.
        cost: what they cost; None as soon as the price of one is not known.
    """

    budget: Budget
    calls: int = field(default=0, init=False)
    usage: Usage = field(default=Usage(), init=False)
    cost: float | None = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._aside: dict[int, Usage] = {}
        self._dearest = Usage()
        self._underestimated = 1.0

    def refuses(self, request: Request) -> str:
        """Which limit the call would go over, in words; "" if it may be made."""
        budget, need = self.budget, self._need(request)
        if budget.calls is not None and self.calls + len(self._aside) >= budget.calls:
            return f"{self.calls} of {budget.calls} calls are made"
        used = self.usage.tokens + sum(each.tokens for each in self._aside.values())
        if budget.tokens is not None and used + need.tokens > budget.tokens:
            next_one = self._next(f"{need.tokens:,} tokens")
            return f"{self.usage.tokens:,} of {budget.tokens:,} tokens are used, {next_one}"
        spent = (self.cost or 0.0) + sum(self._cost(each) for each in self._aside.values())
        if budget.cost is not None and spent + self._cost(need) > budget.cost:
            next_one = self._next(self._money(self._cost(need)))
            return f"{self._money(self.cost or 0.0)} of {self._money(budget.cost)} are spent, {next_one}"
        return ""

    def set_aside(self, request: Request) -> int:
        """Keeps what the call may need until it is paid, and gives the receipt."""
        receipt = max(self._aside, default=0) + 1
        self._aside[receipt] = self._need(request)
        return receipt

    def give_back(self, receipt: int) -> None:
        """The call came to nothing."""
        del self._aside[receipt]

    def pay(self, receipt: int, request: Request, usage: Usage) -> None:
        """Takes note of what a call has used."""
        del self._aside[receipt]
        self.calls += 1
        self.usage += usage
        cost = self.budget.price.of(usage)
        self.cost = None if cost is None or self.cost is None else self.cost + cost
        self._dearest = Usage(
            max(self._dearest.input_tokens, usage.input_tokens), max(self._dearest.output_tokens, usage.output_tokens)
        )
        estimated = max(at_most(request, 0).input_tokens, 1)
        self._underestimated = max(self._underestimated, usage.input_tokens / estimated)

    def _need(self, request: Request) -> Usage:
        most = self.budget.max_output
        if most is None:
            return self._dearest
        need = at_most(request, most)
        return Usage(round(need.input_tokens * self._underestimated), need.output_tokens)

    def _next(self, most: str) -> str:
        longest = self.budget.max_output
        of_it = f", with an answer of up to {longest:,} (--max-output)" if longest else ""
        return f"and the next call may need {most}{of_it}"

    def _cost(self, usage: Usage) -> float:
        return self.budget.price.of(usage) or 0.0

    def _money(self, amount: float) -> str:
        return money(amount, self.budget.price)


def money(amount: float, pricing: object) -> str:
    """An amount with its currency, or with whose price it follows; as exact as small amounts need it."""
    digits = 2 if amount >= 1 or amount == 0 else 4
    return f"{amount:.{digits}f} {'by --price' if isinstance(pricing, Price) else CURRENCY}"
