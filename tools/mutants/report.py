"""Counts what became of the mutants."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from car.verify.interval import clopper_pearson
from tools.mutants.results import Outcome, Result

GOAL = 0.95
"""So many of the mutants that were judged must have been rejected."""


@dataclass(frozen=True)
class Count:
    """What became of some mutants.

    Args:
        name: what they have in common.
        made: how many there were.
        equivalent: how many of them could not be told from the original.
        killed: how many of the others were rejected.
        paying: how many survived and change what is credited on the independent set.
        survived: how many survived.
    """

    name: str
    made: int
    equivalent: int
    killed: int
    paying: int
    survived: int

    @property
    def judged(self) -> int:
        """How many could be told from the original."""
        return self.killed + self.survived

    @property
    def rate(self) -> str:
        """The share of those judged that were killed, with its interval."""
        if not self.judged:
            return "-"
        low, high = clopper_pearson(self.killed, self.judged)
        return f"{self.killed / self.judged:.1%} ({low:.1%} to {high:.1%})"

    def cells(self) -> tuple[str, ...]:
        """The row of a table."""
        numbers = (self.made, self.equivalent, self.judged, self.killed, self.survived, self.paying)
        return (self.name, *map(str, numbers), self.rate)


HEADS = ("", "mutants", "equivalent", "judged", "killed", "survived", "of these pay otherwise", "kill rate (95%)")

_BY: dict[str, Callable[[Result], str]] = {
    "by bundle": lambda result: result.bundle,
    "by checker": lambda result: f"{result.bundle} / {result.subtask}",
    "by operator": lambda result: result.operator,
}


def kill_rate(results: Sequence[Result]) -> float:
    """The share of those judged that were killed; 1 if none was judged."""
    whole = count("", results)
    return whole.killed / whole.judged if whole.judged else 1.0


def count(name: str, results: Sequence[Result]) -> Count:
    """What became of some results."""
    outcomes = [each.outcome for each in results]
    survived = survivors(results)
    return Count(
        name=name,
        made=len(results),
        equivalent=outcomes.count(Outcome.EQUIVALENT),
        killed=outcomes.count(Outcome.KILLED),
        paying=sum(each.fresh.episodes > 0 for each in survived),
        survived=len(survived),
    )


def survivors(results: Sequence[Result]) -> list[Result]:
    """Those that the verdict let through."""
    return [each for each in results if each.outcome is Outcome.SURVIVED]


def counts(results: Sequence[Result]) -> dict[str, list[Count]]:
    """The counts by bundle, checker and operator, each with the whole at the end."""
    made = {}
    for title, group in _BY.items():
        names = list(dict.fromkeys(map(group, results)))
        parts = [count(name, [each for each in results if group(each) == name]) for name in names]
        made[title] = [*parts, count("all", results)]
    return made


def rules(results: Sequence[Result]) -> list[tuple[str, int]]:
    """How many mutants each rule was the first to kill, the most frequent first."""
    first = [each.rules[0] for each in results if each.outcome is Outcome.KILLED and each.rules]
    return sorted(((rule, first.count(rule)) for rule in set(first)), key=lambda pair: (-pair[1], pair[0]))


def why(result: Result) -> str:
    """Why a survivor survived: what of it the verdict could have seen."""
    if not result.fresh.episodes and not result.held_out.episodes:
        return "pays the same"
    if not result.held_out.frames:
        return "answers alike on everything that the verdict saw"
    if not result.held_out.episodes:
        return "pays the same on everything that the verdict saw"
    where = "on experts" if result.held_out.experts else "on random episodes alone"
    return f"pays otherwise {where}, and breaks no rule"


def grouped(results: Sequence[Result]) -> dict[str, list[Result]]:
    """The survivors by why they survived, the largest group first."""
    groups: dict[str, list[Result]] = {}
    for each in survivors(results):
        groups.setdefault(why(each), []).append(each)
    return dict(sorted(groups.items(), key=lambda pair: -len(pair[1])))


def tables(results: Sequence[Result]) -> list[Table]:
    """The counts, and the survivors, for a terminal."""
    shown = []
    for title, rows in counts(results).items():
        table = Table(*HEADS, title=f"Mutants {title}")
        for row in rows:
            table.add_row(*row.cells())
        shown.append(table)
    table = Table("why", "where", "before", "after", "frames", "episodes", title="Survivors")
    for reason, some in grouped(results).items():
        for each in some:
            where = f"{each.bundle}/{each.subtask}:{each.line}"
            table.add_row(reason, where, each.before, each.after, str(each.fresh.frames), str(each.fresh.episodes))
    return [*shown, table]
