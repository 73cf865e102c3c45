"""What a generation leaves behind: every question and answer, the programs, and the verdicts on them."""

from dataclasses import dataclass

from car.checker import Checker
from car.prompts import Scene
from car.refine.decomposition import Decomposition
from car.verify import Verdict
from car.vlm import Reply, Request, Usage
from car.vlm.price import FREE


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
        cost: what they cost, in the currency of the budget's price; None if the price is not known.
        refined_on: the hashes of the trajectories that refinement saw.
        judged_on: the hashes of those that gave the verdict.
        prices: where the prices come from, in words.
        ended: which limit of the budget ended it, in words; "" if none did.
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
    ended: str = ""
    cost: float | None = 0.0
    prices: str = FREE.source
