"""What a generation will use, before it is begun: a range, from the real prompts and the budget."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from car.checker import SubTask
from car.prompts import (
    CheckerPrompt,
    Complaint,
    FasterPrompt,
    GoalPrompt,
    Prompt,
    RefinePrompt,
    Scene,
    SubtasksPrompt,
    request_for,
)
from car.refine.budget import Budget
from car.refine.decomposition import MOST
from car.refine.purse import Purse, amount, money
from car.vlm import Request, Usage
from car.vlm.price import Free, Pricing
from car.vlm.tokens import Range, tokens_of

LEAST_SUBTASKS, LIKELY_SUBTASKS = 2, 3
# The answers of the recorded sessions have 440 to 2,500 tokens; a model that thinks before it answers needs more.
_SHORTEST_ANSWER, _USUAL_ANSWER, _LONGEST_ANSWER = 400, 3000, 8000
# The text of answers that later questions hold, as long as those of the recorded sessions.
_ANSWER, _SENTENCE, _PROGRAM, _COMPLAINT = ("x" * length for length in (2500, 120, 4000, 400))
_PICTURES = 5
# The question that is counted exactly, and how far the others are then still off: they have more or less text.
_COUNTED, _STRAY = "checker", 0.1

Count = Callable[[Request], int | None]


@dataclass(frozen=True)
class Course:
    """How a generation may go.

    Args:
        calls: questions in all.
        tokens: tokens of all questions and answers.
        cost: what they cost, from and to; None if the price is not known.
    """

    calls: int
    tokens: Range
    cost: tuple[float, float] | None


@dataclass(frozen=True)
class Forecast:
    """Three courses: all goes well, as usual, and everything goes wrong until the last limit.

    Args:
        least: two sub-tasks, every answer right at once.
        likely: three sub-tasks, each program mended once.
        most: eight sub-tasks, every limit used up; what `Budget` limits in all is cut to that.
        refused: why the budget does not even reach the first question, in words; "" if it does.
    """

    least: Course
    likely: Course
    most: Course
    refused: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def forecast(scene: Scene, budget: Budget, count: Count = lambda request: None) -> Forecast:
    """What a generation about these two frames will use.

    Each question is made as it will be asked, with placeholders for what the VLM will have answered by then, and its
    tokens are estimated; an answer has from 400 to 3,000 tokens, and in the worst case the budget's `max_output`.

    Args:
        scene: the two frames.
        budget: the limits and the price.
        count: counts the tokens of a request exactly, or gives None. It is asked once; the other questions, which hold
            the same pictures and facts, are estimated by how far the estimate was off there.
    """
    requests = {name: request_for(prompt) for name, prompt in _prompts(scene)}
    kinds = _sizes(requests, count)
    subtasks, samples = LEAST_SUBTASKS, budget.samples
    least = {"goal": 1, "subtasks": 1, "checker": subtasks * samples}
    likely = {"goal": 1, "subtasks": 1, "checker": LIKELY_SUBTASKS * samples}
    likely["refine"] = LIKELY_SUBTASKS if budget.attempts > 1 else 0
    programs = MOST * budget.rounds
    most = {
        "goal": budget.namings,
        "subtasks": budget.namings * budget.rounds,
        "checker": programs * samples,
        "refine": programs * (budget.attempts - 1),
        "faster": programs,
    }
    longest = budget.max_output or _LONGEST_ANSWER
    usual = min(_USUAL_ANSWER, longest)
    return Forecast(
        least=_limited(_course(kinds, least, budget, usual), budget),
        likely=_limited(_course(kinds, likely, budget, usual), budget),
        most=_limited(_course(kinds, most, budget, longest), budget),
        refused=Purse(budget).refuses(requests["goal"]),
    )


def _prompts(scene: Scene) -> Iterator[tuple[str, Prompt]]:
    chain = tuple(
        SubTask(f"placeholder-{n}", _SENTENCE, goal=n == LIKELY_SUBTASKS) for n in range(1, 1 + LIKELY_SUBTASKS)
    )
    about = scene, _SENTENCE, chain, chain[0]
    frames = {f"expert episode {n}, frame 10": np.zeros_like(scene.first) for n in range(_PICTURES)}
    yield "goal", GoalPrompt(scene)
    yield "subtasks", SubtasksPrompt(scene, _ANSWER)
    yield "checker", CheckerPrompt(*about)
    yield "refine", RefinePrompt(*about, 2, _PROGRAM, (Complaint(_COMPLAINT, _COMPLAINT, frames),))
    yield "faster", FasterPrompt(*about, 2, _PROGRAM, 500.0, _COMPLAINT)


def _sizes(kinds: dict[str, Request], count: Count) -> dict[str, Range]:
    estimated = {name: tokens_of(request) for name, request in kinds.items()}
    exact = count(kinds[_COUNTED])
    if exact is None:
        return estimated
    off = exact / _middle(estimated[_COUNTED])
    return {
        name: Range(round(_middle(each) * off * (1 - _STRAY)), round(_middle(each) * off * (1 + _STRAY)))
        for name, each in estimated.items()
    }


def _middle(tokens: Range) -> float:
    return (tokens.low + tokens.high) / 2


def _course(kinds: dict[str, Range], asked: dict[str, int], budget: Budget, longest: int) -> Course:
    low, high, tokens = 0.0, 0.0, Range(0, 0)
    answer = Range(min(_SHORTEST_ANSWER, longest), longest)
    known = True
    for name, number in asked.items():
        question = kinds[name]
        tokens += (question + answer).times(number)
        cheap = budget.price.of(Usage(question.low, answer.low))
        kept = Usage(question.high, answer.high, 0, question.high)
        # What goes into a provider's cache costs more than what does not.
        dear = max((budget.price.of(each) or 0.0 for each in (Usage(question.high, answer.high), kept)), default=0.0)
        known = known and cheap is not None
        low, high = low + number * (cheap or 0.0), high + number * dear
    return Course(sum(asked.values()), tokens, (low, high) if known else None)


def _limited(course: Course, budget: Budget) -> Course:
    calls = min(course.calls, budget.calls or course.calls)
    share = calls / course.calls
    tokens = Range(round(course.tokens.low * share), round(course.tokens.high * share))
    cost = None if course.cost is None else (course.cost[0] * share, course.cost[1] * share)
    if budget.tokens is not None:
        tokens = Range(min(tokens.low, budget.tokens), min(tokens.high, budget.tokens))
    if budget.cost is not None and cost is not None:
        cost = min(cost[0], budget.cost), min(cost[1], budget.cost)
    return Course(calls, tokens, cost)


def in_words(course: Course, price: Pricing) -> str:
    """Calls, tokens and money of a course, in one line."""
    calls = f"{course.calls} call{'s' * (course.calls != 1)}"
    counted = f"{calls}, {_span(_about(course.tokens.low), _about(course.tokens.high))} tokens"
    if course.cost is None:
        return f"{counted}, price unknown"
    if isinstance(price, Free):
        return counted
    low, high = course.cost
    most = money(high, price)
    return f"{counted}, {f'{amount(low)} to' if low < high else 'at most'} {most}"


def _span(low: str, high: str) -> str:
    return f"at most {high}" if low == high else f"{low} to {high}"


def _about(number: int) -> str:
    """A number to two digits: an estimate knows no more."""
    digits = len(str(number)) - 2
    return f"{round(number, -digits) if digits > 0 else number:,}"
