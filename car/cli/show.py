"""Events and verdicts as a person reads them in a terminal."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from car.refine import Accepted, Asked, Event, GaveUp, Judged, Named, Rejected, Replied
from car.verify import SubTaskEvidence, Verdict
from car.vlm import Usage

_QUESTIONS = {
    "goal": "What do you think the final goal is?",
    "subtasks": "What tasks must the agent complete to achieve the goal?",
    "checker": "How would you know that it is done?",
    "refine": "The program was wrong; here are the facts. Write it again.",
}


class Narrator:
    """Shows the events of a generation as they come, with a running count of calls and tokens.

    Args:
        console: where to print.
        programs: whether accepted programs are shown in full.
    """

    def __init__(self, console: Console, programs: bool = False) -> None:
        self._console = console
        self._programs = programs
        self._calls = 0
        self._usage = Usage()
        self._tell: dict[type, Callable[[Any], None]] = {
            Asked: self._asked,
            Replied: self._replied,
            Named: self._named,
            Rejected: self._rejected,
            Accepted: self._accepted,
            GaveUp: self._gave_up,
            Judged: lambda event: None,
        }

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        self._tell[type(event)](event)

    def _asked(self, event: Asked) -> None:
        self._calls += 1
        request = event.request
        subject = f" [bold]{escape(request.subject)}[/]" if request.subject else ""
        attempt = f", attempt {request.attempt}" if request.attempt > 1 else ""
        pictures = len(request.pictures)
        self._console.print(f"[cyan]?[/]{subject}{attempt} {_QUESTIONS[request.stage]} [dim]({pictures} pictures)[/]")

    def _replied(self, event: Replied) -> None:
        self._usage += event.reply.usage
        used = (
            f", {self._usage.input_tokens} + {self._usage.output_tokens} tokens so far"
            if self._usage != Usage()
            else ""
        )
        first = next((line for line in event.reply.text.splitlines() if line.strip()), "(empty)")
        self._console.print(f"  [dim]call {self._calls}{used}:[/] {escape(_shortened(first, 100))}")
        if event.reply.note:
            self._console.print(f"  [yellow]{escape(event.reply.note)}[/]")

    def _named(self, event: Named) -> None:
        table = Table("", "sub-task", "done when", "after", box=None, padding=(0, 2, 0, 2), header_style="dim")
        for number, each in enumerate(event.decomposition.subtasks, 1):
            style = "bold green" if each.goal else "bold"
            table.add_row(str(number), f"[{style}]{each.name}[/]", escape(each.description), ", ".join(each.after))
        self._console.print(
            Panel(Group(Text(event.decomposition.goal, style="italic"), table), title="goal", width=110)
        )

    def _rejected(self, event: Rejected) -> None:
        for complaint in event.complaints:
            self._console.print(f"  [red]rejected[/] {escape(complaint)}")

    def _accepted(self, event: Accepted) -> None:
        lines = len(event.checker.source.splitlines())
        self._console.print(f"  [green]passes[/] the trajectories that refinement may see ({lines} lines)")
        if self._programs:
            self._console.print(Syntax(event.checker.source, "python", word_wrap=True))

    def _gave_up(self, event: GaveUp) -> None:
        self._console.print(f"  [bold red]gave up[/] after {event.attempts} attempts; the best program is kept")


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def verdict_table(verdict: Verdict, title: str = "verdict on held-out trajectories") -> Group:
    """The verdict as a table, with the findings below it."""
    table = Table(title=title, title_justify="left", header_style="dim")
    for column in ("", "sub-task", "experts", "first on frame", "random", "first on frame"):
        table.add_column(column, justify="left" if column in ("", "sub-task") else "right")
    for each in verdict.subtasks:
        table.add_row(_mark(not verdict.of(each.name)), each.name, *_shares(each))
    chain = verdict.chain
    experts, randoms = f"{chain.experts_done}/{chain.experts}", f"{chain.randoms_done}/{chain.randoms}"
    table.add_row(_mark(not verdict.of("")), "[bold]whole chain[/]", experts, "", randoms, "", end_section=True)
    findings = [
        Text.assemble((each.subtask or "whole chain", "bold"), f" ({each.rule}): ", each.message)
        for each in verdict.findings
    ]
    looked = f"{verdict.rule}. {verdict.frames:,} frames, {verdict.distinct:,} of them looked at."
    said = Text("ACCEPTED" if verdict.accepted else "REJECTED", style="bold green" if verdict.accepted else "bold red")
    return Group(table, Text(looked, style="dim"), *findings, said)


def _mark(fine: bool) -> str:
    return "[green]✓[/]" if fine else "[red]✗[/]"


def _shares(each: SubTaskEvidence) -> tuple[str, str, str, str]:
    return (
        f"{each.experts_done}/{each.experts}",
        _typical(each.expert_first),
        f"{each.randoms_done}/{each.randoms}",
        _typical(each.random_first),
    )


def _typical(times: Sequence[int | None]) -> str:
    known = [time for time in times if time is not None]
    return f"{median(known):g} ({min(known)}-{max(known)})" if known else ""
