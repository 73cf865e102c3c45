"""`car evaluate`."""

import math
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer

from car.cli.output import REWARDS, Json, LowestLevel, Rewards, next_step, progress, result
from car.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Group
    from rich.text import Text

    from car.cli.output import Advance
    from car.evaluate import Evaluation, FirstFigures, Progress, Share, SubTaskFigures

_DIGITS = 1000


def evaluate(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, or the name of its task.")],
    pairs: Annotated[int, typer.Option(help="Distinct frames (with their first frame), at least.", min=1)] = 5000,
    episodes: Annotated[int, typer.Option(help="Episodes of each kind, at least.", min=1, max=500)] = 20,
    seed: Annotated[int, typer.Option(help="Other numbers give other fresh episodes.", min=0)] = 0,
    slips: Annotated[float, typer.Option(help="Share of random actions in a mixed episode.", min=0.0, max=1.0)] = 0.2,
    match: Annotated[
        list[str] | None,
        typer.Option("--match", help="SUBTASK=PREDICATE: compare it with this one; may be given several times."),
    ] = None,
    rewards: Rewards = REWARDS,
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Measures a bundle's programs against the truth, on fresh episodes of a built-in task.

    The truth is read from the environment's state. No command that makes or judges programs may read it, and nothing
    that is measured here goes back into a prompt or a verdict. The episodes are those of experts, of experts who now
    and then act at random, and of random agents.

    Examples:
    car evaluate doorkey-8x8
    car evaluate doorkey-8x8 --pairs 20000 --match door-opened=door-open
    """
    from car.bundle import find_bundle, load_bundle
    from car.evaluate import evaluate as evaluate_
    from car.sandbox.process import ProcessSandbox

    loaded = load_bundle(find_bundle(bundle, rewards))
    asked = dict(_matched(each) for each in match or ())
    with (
        progress(f"evaluating {loaded.task.name}", pairs) as advance,
        # Some environments print while they are made; standard output is for the result.
        redirect_stdout(sys.stderr),
    ):
        found = evaluate_(
            loaded,
            ProcessSandbox(isolation),
            pairs=pairs,
            episodes=episodes,
            seed=seed,
            slips=slips,
            match=asked,
            on_episode=_Teller(loaded.task.name, advance),
        )
    document = {"bundle": str(loaded.path), "evaluation": found.as_dict()}
    result(as_json, document, evaluation_table(found), "", next_step(f"car review {bundle} --open"))


def _matched(given: str) -> tuple[str, str]:
    subtask, equals, predicate = given.partition("=")
    if not subtask or not equals or not predicate:
        raise UserError(f"--match must be SUBTASK=PREDICATE, not {given!r}.")
    return subtask, predicate


class _Teller:
    """Moves the bar by the pairs that are new."""

    def __init__(self, task: str, advance: "Advance") -> None:
        self._task, self._advance, self._before = task, advance, 0

    def __call__(self, told: "Progress") -> None:
        doing = f"{told.kind} episodes" if told.measured else "finding the counterparts"
        self._advance(f"{self._task}: {doing}", min(told.pairs, told.wanted) - self._before)
        self._before = min(told.pairs, told.wanted)


def evaluation_table(found: "Evaluation") -> "Group":
    """The figures as a table, with what they were measured on below it."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    title = f"{found.task}: the programs against the truth, on fresh episodes"
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None)
    table.padding = (0, 2, 1, 0)
    table.add_column("sub-task, and true predicate", overflow="fold")
    for column in ("precision", "recall"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("first credited", no_wrap=True)
    for each in found.subtasks:
        table.add_row(*_row(each))
    return Group(table, *(Text(line, "dim") for line in _measured_on(found)), *_warnings(found))


def _row(each: "SubTaskFigures") -> "list[Text]":
    from rich.text import Text

    from car.evaluate import LEAST_AGREEMENT

    name = (each.name, "bold" if each.goal else "")
    if each.frames is None or each.first is None:
        best = max(each.agreement, key=lambda predicate: each.agreement[predicate])
        taken = each.agreement[best] >= LEAST_AGREEMENT
        said = f"no counterpart: {best}\nis another's" if taken else f"no counterpart, at best\n{best}"
        return [Text.assemble(name, (f"\n{said} ({each.agreement[best]:.2f})", "dim"))]
    named = Text.assemble(name, (f"\nagainst {each.predicate}", "dim"))
    return [named, _share(each.frames.precision), _share(each.frames.recall), _first(each.first)]


def _share(share: "Share") -> "Text":
    """A share, what it is of, and its interval; rounded so that 1 is said of all of them alone."""
    from rich.text import Text

    if share.value is None:
        return Text("none", "dim")
    low, high = share.interval
    return Text.assemble(_down(share.value), (f"\n{share.hits}/{share.total}\n{_down(low)}-{_up(high)}", "dim"))


def _down(value: float) -> str:
    return f"{math.floor(value * _DIGITS) / _DIGITS:.3f}"


def _up(value: float) -> str:
    return f"{math.ceil(value * _DIGITS) / _DIGITS:.3f}"


def _first(first: "FirstFigures") -> "Text":
    from rich.text import Text

    errors = "" if first.median is None else f"\nmedian {first.median:+g}, worst {first.largest:+d}"
    wrong = "yellow" if first.never or first.false else "dim"
    return Text.assemble(
        f"exact {first.exact.hits}/{first.exact.total}",
        (errors, "dim"),
        (f"\nnever {first.never}, false {first.false}", wrong),
    )


def _measured_on(found: "Evaluation") -> "Sequence[str]":
    kinds = ", ".join(f"{each.episodes} {each.kind}" for each in found.played)
    return (
        f"Precision and recall are over {found.pairs:,} distinct frames (each with its first frame), with 95% "
        "intervals. First credited: the error in steps, + is late.",
        f"Episodes: {kinds} (mixed: the expert with {found.slips:.0%} random actions), {found.starts} distinct first "
        f"frames, seeds {found.seeds[0]} to {found.seeds[1]}. {found.matching} of these seeds were played before, to "
        "find the counterparts.",
    )


def _warnings(found: "Evaluation") -> "list[Text]":
    from rich.text import Text

    said = [f"No program was found for {name}." for name in found.without_program]
    for each in found.subtasks:
        if each.frames and each.frames.unanswered:
            said.append(f"{each.name} gave no answer on {each.frames.unanswered} frames; they count as not done.")
        if each.frames and each.frames.ambiguous:
            said.append(f"{each.frames.ambiguous} frames do not show whether {each.predicate} holds: both were met.")
    if found.skipped:
        said.append(f"{found.skipped} episodes were left out, because the bundle was made or judged with them.")
    return [Text(sentence, "yellow") for sentence in said]
