"""Writes docs/mutants.md from the results."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from car.files import write_text
from car.verify import Rule
from tools.mutants.case import SetSize
from tools.mutants.report import GOAL, HEADS, Count, count, counts, grouped, kill_rate, rules
from tools.mutants.results import Differs, Result

_INTRODUCTION = """# Wrong programs that are nearly right

The verifier is tested like a safety device. Every checker of these bundles was changed automatically in one
place, and each changed program took the place of the original in its chain. The whole chain was then judged as
`car verify` judges it, on the held-out trajectories. A verifier that is worth its name rejects it. Left out are the
probes that play the environment: they could only reject more.

`make mutants` writes this page, with every figure as it was measured.
"""

_MEANING = """## What was changed

Numbers, colour bounds, comparisons, channels, axes, arithmetic, *and* and *or*, conditions (negated, or one of several
left out), returned constants, statements (left out), and whole programs (that of one sub-task in the place of
another). Only code that `identify` and `check` reach is changed: `progress` and `explain` are not judged by the
verdict. They shape the reward and tell a person what was seen, and a mistake there stays unseen here. Two
changes that make the same program count once. The only assignment to a name is not left out: the program would crash
at once, and such easy victims would flatter the figure.

## What counts as equivalent

Many changes change nothing: a bound that no pixel ever lies near, an entry that `check` never reads. A mutant
is set aside if its `check` answers, and fails, as the original on everything that the verdict is given on, and on an
independent set of trajectories that neither refinement nor verdict has seen:
"""

_SURVIVORS = """## The survivors

Each is shown with what was changed, and on how many frames (different ones of an episode) and in how many episodes'
credit times it differs from the original: on the independent set, and on the held-out set in brackets. A survivor whose
credit times are all the same pays the same milestones: once credited, a sub-task stays credited, and what its
program says later is not asked. Only the shaping by `progress` on the way may differ.
"""


def write_page(path: Path, results: Sequence[Result], sizes: Sequence[SetSize], total: int) -> None:
    """Writes the page about the results to its place."""
    write_text(path, page(results, sizes, total))


def page(results: Sequence[Result], sizes: Sequence[SetSize], total: int) -> str:
    """The page, as Markdown.

    Args:
        results: of all mutants, or of those that were drawn.
        sizes: of the independent sets.
        total: how many mutants there are in all.
    """
    parts = [_INTRODUCTION, _whole(results, total), _MEANING, _sets(sizes)]
    parts += [f"## The figures {title}\n\n{_table(HEADS, rows)}\n" for title, rows in counts(results).items()]
    parts += [_rules(results), _SURVIVORS, *_survivors(results)]
    return "\n".join(parts)


def _whole(results: Sequence[Result], total: int) -> str:
    whole = count("all", results)
    passed = "is reached" if kill_rate(results) >= GOAL else "is not reached"
    drawn = ", drawn evenly," if whole.made < total else ""
    standing = count("all", [each for each in results if Rule.CRASHES not in each.rules])
    return (
        f"There are {total:,} mutants; {whole.made:,} of them{drawn} were tried. {whole.equivalent:,} are equal to "
        f"the original as far as could be seen. Of the other {whole.judged:,} the verifier rejects {whole.killed:,}: "
        f"**{whole.rate}**. The goal of {GOAL:.0%} {passed}. Of the {whole.survived:,} survivors {whole.paying:,} pay "
        "otherwise than the original in some episode of the independent set; the others pay the same milestones at the "
        "same times. "
        f"A program that crashes is easy to reject: without these, it is {standing.rate}.\n"
    )


def _sets(sizes: Sequence[SetSize]) -> str:
    lines = [
        f"- `{each.bundle}`: {each.experts} experts and {each.randoms} random episodes at full length, {each.frames:,} "
        f"frames, {each.pairs:,} different pairs of a first frame and a frame"
        for each in sizes
    ]
    limit = "A mutant that differs only on frames of neither set thus counts as equivalent, although it is not."
    return "\n".join([*lines, "", limit, ""])


def _table(heads: Sequence[str], rows: Sequence[Count]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _rules(results: Sequence[Result]) -> str:
    lines = [f"| {rule} | {number:,} |" for rule, number in rules(results)]
    head = "## What killed them\n\nThe first rule that each broke.\n\n| rule | mutants |\n| --- | ---: |\n"
    return head + "\n".join(lines) + "\n"


def _survivors(results: Sequence[Result]) -> Iterator[str]:
    for reason, some in grouped(results).items():
        yield f"### {reason[0].upper()}{reason[1:]}: {len(some)}\n"
        yield from map(_survivor, some)


def _survivor(result: Result) -> str:
    difference = [f"- {line}" for line in result.before.splitlines()] + [
        f"+ {line}" for line in result.after.splitlines()
    ]
    where = f"`{result.bundle}` / `{result.subtask}`, line {result.line}, {result.operator}"
    return "\n".join([f"{where}: {_differs(result.fresh, result.held_out)}", "", "```diff", *difference, "```", ""])


def _differs(fresh: Differs, held_out: Differs) -> str:
    return (
        f"{fresh.frames:,} ({held_out.frames:,}) frames, {fresh.episodes} ({held_out.episodes}) episodes, "
        f"{fresh.earlier} sub-tasks credited earlier and {fresh.later} later"
    )
