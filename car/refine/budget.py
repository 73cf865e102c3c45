"""How often a VLM may be asked, and what that may cost."""

import math
from dataclasses import dataclass

from car.errors import UserError
from car.vlm import Usage
from car.vlm.price import FREE, Pricing

_LIMITS = ("attempts", "namings", "samples", "rounds", "calls", "tokens", "cost", "max_output")


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
        max_output: the most tokens that an answer may have, so that the most that a call can use is known before it is
            made; None where nobody knows, and a call is then taken to need as much as the dearest so far.

    Raises:
        UserError: a limit that is not positive, or one of cost where the price is not known.
    """

    attempts: int = 5
    namings: int = 3
    samples: int = 1
    rounds: int = 2
    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None
    price: Pricing = FREE
    max_output: int | None = None

    def __post_init__(self) -> None:
        for name in _LIMITS:
            limit = getattr(self, name)
            if limit is not None and not 0 < limit < math.inf:
                raise UserError(f"The limit of {name.replace('_', ' ')} is {limit}; it must be a positive number.")
        if self.cost is not None and self.price.of(Usage(1, 1)) is None:
            raise UserError(
                f"A limit of cost needs a price, and {self.price.source} has none for this model at this server; give "
                "it for a million tokens in and out, e.g. --price 3/15."
            )
