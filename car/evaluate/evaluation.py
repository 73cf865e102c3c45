"""What was measured of a whole bundle."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from car.evaluate.episodes import FreshEpisode
from car.evaluate.figures import SubTaskFigures
from car.record.labelled import KINDS
from car.sandbox.isolation import Isolation

FORMAT = "car-evaluation/1"


@dataclass(frozen=True)
class Played:
    """The episodes of one kind on which the figures were measured.

    Args:
        kind: one of `KINDS`.
        episodes: how many.
        frames: how many they have.
        pairs: distinct (first frame, frame) pairs among them.
    """

    kind: str
    episodes: int
    frames: int
    pairs: int


@dataclass(frozen=True)
class Evaluation:
    """The figures of a bundle's programs, and on what they were measured.

    Args:
        task: the task's name.
        bundle_sha256: the bundle's `manifest_sha256`.
        subtasks: the figures, in the chain's order.
        without_program: sub-tasks for which no program was found.
        predicates: the true predicates, in the order in which they must come true.
        played: what the figures were measured on, kind by kind.
        pairs: distinct (first frame, frame) pairs among them.
        starts: distinct first frames among them.
        slips: the share of random actions in a mixed episode.
        seeds: the first and the last seed that was used.
        matching: episodes that were played before, to find the counterparts with.
        skipped: episodes that were left out because the bundle was made or judged with them.
        isolation: how well the programs were isolated, as measured.
    """

    task: str
    bundle_sha256: str
    subtasks: tuple[SubTaskFigures, ...]
    without_program: tuple[str, ...]
    predicates: tuple[str, ...]
    played: tuple[Played, ...]
    pairs: int
    starts: int
    slips: float
    seeds: tuple[int, int]
    matching: int
    skipped: int
    isolation: Isolation

    def as_dict(self) -> dict[str, Any]:
        """The evaluation as JSON-serialisable fields."""
        plain = ("task", "bundle_sha256", "pairs", "starts", "slips", "matching", "skipped")
        return {
            "format": FORMAT,
            **{name: getattr(self, name) for name in plain},
            "subtasks": [each.as_dict() for each in self.subtasks],
            "without_program": list(self.without_program),
            "predicates": list(self.predicates),
            "played": [asdict(each) for each in self.played],
            "seeds": list(self.seeds),
            "isolation": self.isolation.as_dict(),
        }


def played(episodes: Sequence[FreshEpisode]) -> tuple[Played, ...]:
    """How much of each kind there is among the episodes."""
    parts = {kind: [each for each in episodes if each.kind == kind] for kind in KINDS}
    return tuple(
        Played(kind, len(part), sum(len(each.pairs) for each in part), pairs_in(part)) for kind, part in parts.items()
    )


def pairs_in(episodes: Sequence[FreshEpisode]) -> int:
    """How many distinct (first frame, frame) pairs the episodes have."""
    return len({pair for each in episodes for pair in each.pairs.tolist()})


def starts_in(episodes: Sequence[FreshEpisode]) -> int:
    """How many distinct first frames the episodes have."""
    return len({int(each.pairs[0]) for each in episodes})
