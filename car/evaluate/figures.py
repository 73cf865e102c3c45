"""The figures: checkers against the truth, frame by frame and payment by payment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from car.checker import Checker
from car.evaluate.episodes import FreshEpisode
from car.record.labelled import KINDS
from car.verify.credit import credited, prerequisites
from car.verify.interval import clopper_pearson


@dataclass(frozen=True)
class Share:
    """Some of many.

    Args:
        hits: how many had it.
        total: of how many.
    """

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.hits / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """The exact 95% interval, as if each were drawn by itself."""
        return clopper_pearson(self.hits, self.total)

    def as_dict(self) -> dict[str, Any]:
        """The share as JSON-serialisable fields."""
        return {"hits": self.hits, "total": self.total, "value": self.value, "interval": list(self.interval)}


@dataclass(frozen=True)
class FrameFigures:
    """What `check` says of a frame against what held there, over distinct (first frame, frame) pairs.

    A pair that looks the same but was met both with and without the truth counts once for each.

    Args:
        precision: of the frames that it called done, those where the truth held.
        recall: of the frames where the truth held, those that it called done.
        frames: how many were compared.
        ambiguous: pairs that were met both with and without the truth: the picture does not show it.
        unanswered: pairs on which it gave no answer; they count as not done.
    """

    precision: Share
    recall: Share
    frames: int
    ambiguous: int
    unanswered: int

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON-serialisable fields."""
        return {
            "precision": self.precision.as_dict(),
            "recall": self.recall.as_dict(),
            "frames": self.frames,
            "ambiguous": self.ambiguous,
            "unanswered": self.unanswered,
        }


@dataclass(frozen=True)
class FirstFigures:
    """When a sub-task was credited against when its truth first held, both in their order; a figure per episode.

    Args:
        exact: of the episodes with both, those in which the two came on the same frame.
        median: the median error in steps over the episodes with both, negative for too early; None without any.
        largest: the error furthest from zero, in steps; None without any.
        never: episodes in which the truth held and the sub-task was never credited.
        false: episodes in which it was credited and the truth never held.
        neither: episodes without either.
    """

    exact: Share
    median: float | None
    largest: int | None
    never: int
    false: int
    neither: int

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON-serialisable fields."""
        return {
            "exact": self.exact.as_dict(),
            "median": self.median,
            "largest": self.largest,
            "never": self.never,
            "false": self.false,
            "neither": self.neither,
        }


@dataclass(frozen=True)
class SubTaskFigures:
    """What was measured of one sub-task's program.

    Args:
        name: the sub-task.
        checker_sha256: the program.
        goal: whether it is the goal.
        predicate: the true predicate that it was compared with; None if it has no counterpart.
        agreement: with each predicate, F1 on the episodes that were played to find the counterparts with.
        frames: frame by frame; None without a counterpart.
        by_kind: the same for each kind of episode; empty without a counterpart.
        first: payment by payment; None without a counterpart.
    """

    name: str
    checker_sha256: str
    goal: bool
    predicate: str | None
    agreement: Mapping[str, float]
    frames: FrameFigures | None = None
    by_kind: Mapping[str, FrameFigures] = field(default_factory=dict)
    first: FirstFigures | None = None

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON-serialisable fields."""
        return {
            "name": self.name,
            "checker_sha256": self.checker_sha256,
            "goal": self.goal,
            "predicate": self.predicate,
            "agreement": dict(self.agreement),
            "frames": self.frames.as_dict() if self.frames else None,
            "by_kind": {kind: each.as_dict() for kind, each in self.by_kind.items()},
            "first": self.first.as_dict() if self.first else None,
        }


def compared(
    checkers: Sequence[Checker],
    predicates: Sequence[str],
    chosen: Sequence[int | None],
    agreement: NDArray[np.float64],
    episodes: Sequence[FreshEpisode],
) -> tuple[SubTaskFigures, ...]:
    """The figures of each checker.

    Args:
        checkers: the k checkers, in the chain's order.
        predicates: the names of the m predicates, in the order in which they must come true.
        chosen: for each checker the predicate that it is compared with, or None.
        agreement: float64 (k, m).
        episodes: what is measured, at least one.
    """
    after, in_order = prerequisites(checkers), [range(index) for index in range(len(predicates))]
    said = [credited(each.done, after) for each in episodes]
    held = [credited(each.truth, in_order) for each in episodes]
    kinds = {kind: [each for each in episodes if each.kind == kind] for kind in KINDS}
    figures = []
    for index, (checker, to) in enumerate(zip(checkers, chosen, strict=True)):
        subtask, agrees = checker.subtask, dict(zip(predicates, agreement[index].tolist(), strict=True))
        if to is None:
            figures.append(SubTaskFigures(subtask.name, checker.sha256, subtask.goal, None, agrees))
            continue
        figures.append(
            SubTaskFigures(
                name=subtask.name,
                checker_sha256=checker.sha256,
                goal=subtask.goal,
                predicate=predicates[to],
                agreement=agrees,
                frames=frame_figures(episodes, index, to),
                by_kind={kind: frame_figures(part, index, to) for kind, part in kinds.items() if part},
                first=first_figures([times[index] for times in said], [times[to] for times in held]),
            )
        )
    return tuple(figures)


def frame_figures(episodes: Sequence[FreshEpisode], checker: int, predicate: int) -> FrameFigures:
    """One checker against one predicate on every distinct pair of the episodes."""
    columns = (
        np.concatenate([each.pairs for each in episodes]),
        np.concatenate([each.truth[:, predicate] for each in episodes]),
        np.concatenate([each.done[:, checker] for each in episodes]),
        np.concatenate([each.answered[:, checker] for each in episodes]),
    )
    rows = np.unique(np.stack(columns, axis=1), axis=0)
    truth, done = rows[:, 1] == 1, rows[:, 2] == 1
    both = int((truth & done).sum())
    seen = [set(rows[rows[:, 1] == held, 0].tolist()) for held in (0, 1)]
    return FrameFigures(
        precision=Share(both, int(done.sum())),
        recall=Share(both, int(truth.sum())),
        frames=len(rows),
        ambiguous=len(seen[0] & seen[1]),
        unanswered=len(set(rows[rows[:, 3] == 0, 0].tolist())),
    )


def first_figures(said: Sequence[int | None], held: Sequence[int | None]) -> FirstFigures:
    """When it was credited against when it was true.

    Args:
        said: for each episode the time of crediting, or None.
        held: for each episode the first time of the truth in order, or None.
    """
    both = [(a, b) for a, b in zip(said, held, strict=True) if a is not None and b is not None]
    errors = [a - b for a, b in both]
    return FirstFigures(
        exact=Share(sum(error == 0 for error in errors), len(errors)),
        median=float(median(errors)) if errors else None,
        largest=max(errors, key=abs) if errors else None,
        never=sum(a is None and b is not None for a, b in zip(said, held, strict=True)),
        false=sum(a is not None and b is None for a, b in zip(said, held, strict=True)),
        neither=sum(a is None and b is None for a, b in zip(said, held, strict=True)),
    )
