"""What is told of the tasks of a batch: how far one is, and what came of it."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from car.errors import CarError
from car.refine import Accepted, Asked, Draft, Event, GaveUp, Judged, Leaving, Named, Rejected, Replied, Unanswered
from car.vlm import Usage
from car.vlm.price import Pricing

FAILED = "failed"
"""The decision on a task for which there is no bundle."""


@dataclass(frozen=True)
class Standing:
    """How far the generation for a task is.

    Args:
        doing: what has happened last, in a few words.
        calls: questions asked so far.
        tokens: of questions and answers so far.
        cost: of the answers so far; None if the price is not known.
    """

    doing: str = "starting"
    calls: int = 0
    tokens: tuple[int, int] = (0, 0)
    cost: float | None = 0.0

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The standing with these fields."""
        return cls(**{**fields, "tokens": tuple(fields["tokens"])})

    def after(self, event: Event, price: Pricing) -> "Standing":
        """How far it is after an event."""
        doing = _words(event) or self.doing
        if isinstance(event, Asked):
            return dataclasses.replace(self, doing=doing, calls=self.calls + 1)
        if isinstance(event, Unanswered):
            return dataclasses.replace(self, calls=self.calls - 1)
        if not isinstance(event, Replied):
            return dataclasses.replace(self, doing=doing)
        usage, cost = event.reply.usage, price.of(event.reply.usage)
        return dataclasses.replace(
            self,
            doing=doing,
            tokens=(self.tokens[0] + usage.input_tokens, self.tokens[1] + usage.output_tokens),
            cost=None if cost is None or self.cost is None else self.cost + cost,
        )


def _words(event: Event) -> str:
    if isinstance(event, Asked | Replied):
        about = event.request.subject or event.request.stage
        return f"{about}: {'asked' if isinstance(event, Asked) else 'answered'}"
    if isinstance(event, Named):
        return f"{len(event.decomposition.subtasks)} sub-tasks named"
    if isinstance(event, Accepted):
        return f"{event.checker.subtask.name}: passes"
    if isinstance(event, Rejected | GaveUp):
        return f"{event.subtask.name}: {'rejected' if isinstance(event, Rejected) else 'given up'}"
    if isinstance(event, Leaving):
        return "waiting for answers on the way"
    return "judged" if isinstance(event, Judged) else ""


@dataclass(frozen=True)
class Outcome:
    """What came of the generation for a task.

    Args:
        task: its name.
        decision: of the verdict; ``failed`` if there is none.
        bundle: the folder of the bundle, if there is one.
        calls: questions in all.
        tokens: of all questions and answers.
        cost: what they cost; None if the price is not known.
        ended: which limit of the budget ended it, in words; "" if none did.
        verdict: all of it, JSON-serialisable.
        error: why there is no bundle, in a sentence.
        exit_code: what `car generate` would end with for this task alone.
    """

    task: str
    decision: str
    bundle: Path | None = None
    calls: int = 0
    tokens: tuple[int, int] = (0, 0)
    cost: float | None = 0.0
    ended: str = ""
    verdict: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    error: str = ""
    exit_code: int = 0

    @property
    def usage(self) -> Usage:
        """The tokens."""
        return Usage(*self.tokens)

    @classmethod
    def of(cls, task: str, draft: Draft) -> Self:
        """Of a draft."""
        return cls(
            task,
            str(draft.verdict.decision),
            calls=len(draft.attempts),
            tokens=(draft.usage.input_tokens, draft.usage.output_tokens),
            cost=draft.cost,
            ended=draft.ended,
            verdict=draft.verdict.as_dict(),
            exit_code=0 if draft.verdict.accepted else 1,
        )

    @classmethod
    def told(cls, fields: Mapping[str, Any]) -> Self:
        """Of what another process has said."""
        return cls(**{**fields, "tokens": tuple(fields["tokens"])})

    @classmethod
    def failed(cls, task: str, error: CarError, standing: Standing) -> Self:
        """Of a task for which nothing could be made, with what was used until then."""
        used = standing.calls, standing.tokens, standing.cost
        return cls(task, FAILED, None, *used, error=str(error), exit_code=error.exit_code)

    def as_dict(self) -> dict[str, Any]:
        """JSON-serialisable, but for the path."""
        return dataclasses.asdict(self)


def exit_code_of(outcomes: Sequence[Outcome]) -> int:
    """0 if every task is verified, 3 if a provider failed, else 1."""
    codes = {each.exit_code for each in outcomes}
    return max(codes & {3} or {int(codes != {0})}, default=0)
