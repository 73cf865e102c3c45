"""How often a VLM may be asked, and what that may cost."""

import math
from dataclasses import dataclass

from car.errors import UserError
from car.vlm import Usage

_MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """What a provider charges, in one currency for a million tokens.

    Args:
        input: of the question, pictures included.
        output: of the answer.

    Raises:
        UserError: a negative price.
    """

    input: float
    output: float

    def __post_init__(self) -> None:
        if not (0 <= self.input < math.inf and 0 <= self.output < math.inf):
            raise UserError("A price must be a number, and cannot be negative.")

    def of(self, usage: Usage) -> float:
        """What these tokens cost."""
        return (usage.input_tokens * self.input + usage.output_tokens * self.output) / _MILLION


@dataclass(frozen=True)
class Budget:
    """How often the VLM is asked at the most, and what for.

    Args:
        attempts: programs for one sub-task, the independent ones counted as one.
        namings: tries to name the goal, and as many to list the sub-tasks.
        samples: independent programs asked for each sub-task; the best one goes on.
        rounds: how often the task is divided into sub-tasks: once, and again for what the chain as a whole does wrong.
        calls: questions in all; None for no limit.
        tokens: tokens of all questions and answers; None for no limit.
        cost: what all of it may cost, in the currency of `price`; None for no limit.
        price: what tokens cost.

    Raises:
        UserError: a limit that is not positive, or one of cost without a price.
    """

    attempts: int = 5
    namings: int = 3
    samples: int = 1
    rounds: int = 2
    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None
    price: Price | None = None

    def __post_init__(self) -> None:
        for name in ("attempts", "namings", "samples", "rounds", "calls", "tokens", "cost"):
            limit = getattr(self, name)
            if limit is not None and not 0 < limit < math.inf:
                raise UserError(f"{name} is {limit}; it must be positive.")
        if self.cost is not None and self.price is None:
            raise UserError("A limit of cost needs a price, e.g. --price 3/15: for a million tokens in and out.")


class Purse:
    """What is left of a budget.

    A call is not made if it would go over: it is taken to need as much as the dearest call so far.

    Args:
        budget: the limits.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._calls, self._usage = 0, Usage()
        self._most_tokens, self._most_cost = 0, 0.0

    def pay(self, usage: Usage) -> None:
        """Takes note of one call."""
        self._calls += 1
        self._usage += usage
        self._most_tokens = max(self._most_tokens, _tokens(usage))
        self._most_cost = max(self._most_cost, self._cost(usage))

    def empty(self) -> str:
        """Which limit the next call would exceed, in words; "" if it may be made."""
        budget = self._budget
        if budget.calls is not None and self._calls >= budget.calls:
            return f"{self._calls} of {budget.calls} calls are made"
        if budget.tokens is not None and _tokens(self._usage) + self._most_tokens > budget.tokens:
            return f"{_tokens(self._usage):,} of {budget.tokens:,} tokens are used"
        if budget.cost is not None and self._cost(self._usage) + self._most_cost > budget.cost:
            return f"{self._cost(self._usage):.2f} of {budget.cost:.2f} are spent"
        return ""

    def _cost(self, usage: Usage) -> float:
        return 0.0 if self._budget.price is None else self._budget.price.of(usage)


def _tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.output_tokens
