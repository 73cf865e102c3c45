"""The mutants of a checker: the same program, changed in one place."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from car.checker import Checker
from tools.mutants.operators import OPERATORS, Change
from tools.mutants.reach import lean, reached

SWAPPED = "swapped sub-task"


@dataclass(frozen=True)
class Mutant:
    """A checker's program, changed in one place.

    Args:
        operator: how it was changed.
        line: where, in the original's source, from 1; 0 for the whole program.
        before: the changed lines as they were, as `ast.unparse` writes them.
        after: the same lines now.
        source: the whole program.
        lean: the same without what `identify` and `check` cannot reach; answers alike and faster.
        in_check: whether `check` reaches the place; if not, equal results of `identify` mean equal answers.
    """

    operator: str
    line: int
    before: str
    after: str
    source: str
    lean: str
    in_check: bool


def mutants_of(source: str) -> list[Mutant]:
    """All different mutants of a program."""
    module = ast.parse(source)
    small = lean(module)
    original = ast.unparse(small)
    by_check = {id(node) for each in reached(module, ("check",)) for node in ast.walk(each)}
    made: dict[str, Mutant] = {}
    for operator, change in _changes(module):
        line = _line(change)
        undo = change.swap()
        shrunk = ast.unparse(ast.fix_missing_locations(small))
        if shrunk != original and shrunk not in made:
            before, after = _difference(original, shrunk)
            in_check = id(change.owner) in by_check
            made[shrunk] = Mutant(operator, line, before, after, ast.unparse(module), shrunk, in_check)
        undo.swap()
    return list(made.values())


def swapped(checkers: Sequence[Checker], place: int) -> Iterator[Mutant]:
    """The programs of the other sub-tasks, in the place of one."""
    for other in checkers:
        if other.sha256 != checkers[place].sha256:
            shrunk = ast.unparse(lean(ast.parse(other.source)))
            before, after = (f"the program of {each.subtask.name}" for each in (checkers[place], other))
            yield Mutant(SWAPPED, 0, before, after, other.source, shrunk, True)


def _changes(module: ast.Module) -> Iterator[tuple[str, Change]]:
    nodes = [node for statement in reached(module) for node in ast.walk(statement)]
    for operator, offer in OPERATORS.items():
        for node in nodes:
            for change in list(offer(node)):
                yield operator, change


def _line(change: Change) -> int:
    there = getattr(change.owner, change.field)
    old = there if change.index is None else there[change.index]
    return int(getattr(old, "lineno", 0) or getattr(change.owner, "lineno", 0))


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines in which two texts differ, without the equal ones at the start and at the end."""
    one, two = before.splitlines(), after.splitlines()
    start = next(
        (at for at, pair in enumerate(zip(one, two, strict=False)) if pair[0] != pair[1]), min(len(one), len(two))
    )
    end = 0
    while end < min(len(one), len(two)) - start and one[-1 - end] == two[-1 - end]:
        end += 1
    return "\n".join(one[start : len(one) - end]), "\n".join(two[start : len(two) - end])
