"""The events of a generation as a person reads them in a terminal; imported only by commands that show some."""

import ast
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.spinner import Spinner
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from car.refine import (
    Accepted,
    Asked,
    Event,
    Faster,
    GaveUp,
    Judged,
    Leaving,
    Named,
    Rejected,
    Replied,
    Unanswered,
    Waiting,
    Weak,
)
from car.refine.purse import money
from car.vlm import Request, Usage
from car.vlm.price import FREE, Free, Pricing

_QUESTIONS = {
    "goal": "What do you think the final goal is?",
    "subtasks": "What tasks must the agent complete to achieve the goal?",
    "checker": "How would you know that it is done?",
    "refine": "The program was wrong; here are the facts. Write it again.",
    "faster": "The program is right and too slow; here is where its time goes. Write it again.",
}
_TRIED = "going on with what was found"
_WIDEST = 100


class Narrator:
    """Shows the events of a generation as they come; as a renderable, what is going on and what it has used.

    Args:
        console: where to print.
        programs: whether accepted programs are shown in full, and not only their `check`.
        price: what tokens cost.
    """

    def __init__(self, console: Console, programs: bool = False, price: Pricing = FREE) -> None:
        self._console = console
        self._programs = programs
        self._price = price
        self._calls, self._replies = 0, 0
        self._usage = Usage()
        self._cost: float | None = 0.0
        self._spinner = Spinner("dots", style="cyan")
        self._doing, self._since = "", time.monotonic()
        self._tell: dict[type, Callable[[Any], None]] = {
            Asked: self._asked,
            Waiting: self._waiting,
            Leaving: self._leaving,
            Replied: self._replied,
            Named: self._named,
            Unanswered: self._unanswered,
            Rejected: self._rejected,
            Accepted: self._accepted,
            Faster: self._made_faster,
            Weak: self._weak,
            GaveUp: self._gave_up,
            Judged: lambda event: None,
        }

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        self._tell[type(event)](event)

    def __rich__(self) -> RenderableType:
        """One line: what is going on, and calls, tokens and money so far."""
        so_far = used(self._calls, self._usage, self._cost, self._price)
        minutes, seconds = divmod(int(time.monotonic() - self._since), 60)
        clock = f" {minutes}:{seconds:02d}" if self._doing else ""
        said = Text.assemble(self._doing, (f"{clock} \u00b7 {so_far}", "dim"))
        said.no_wrap, said.overflow = True, "ellipsis"
        self._spinner.update(text=said)
        return self._spinner

    def _asked(self, event: Asked) -> None:
        self._calls += 1
        self._doing, self._since = f"{_about(event.request)}: waiting for the answer", time.monotonic()
        pictures = len(event.request.pictures)
        about = f"{_about(event.request)} " if event.request.subject else ""
        question = _QUESTIONS[event.request.stage]
        self._console.print(
            Text.assemble(("? ", "cyan"), (about, "bold"), question, (f" ({pictures} pictures)", "dim"))
        )

    def _waiting(self, event: Waiting) -> None:
        if event.number > 1:
            self._doing = f"waiting for {event.number} answers"

    def _leaving(self, event: Leaving) -> None:
        answers = "the answer that is" if event.number == 1 else f"the {event.number} answers that are"
        words = f"Interrupted. Waiting for {answers} on the way, to be paid for anyhow; Ctrl-C again leaves at once."
        self._console.print(Text(words, "yellow"))

    def _replied(self, event: Replied) -> None:
        self._replies += 1
        self._usage += event.reply.usage
        cost = self._price.of(event.reply.usage)
        self._cost = None if cost is None or self._cost is None else self._cost + cost
        self._doing, self._since = f"{_about(event.request)}: trying the answer", time.monotonic()
        first = next((line for line in event.reply.text.splitlines() if line.strip(" `")), "(empty)")
        tokens = "" if self._usage == Usage() else f", {_spent(self._usage, self._cost, self._price)} so far"
        subject = f"{event.request.subject}: " if event.request.subject else ""
        known = ", from disk" if event.kept else ""
        said = Text.assemble((f"answer {self._replies}{known}{tokens}: {subject}", "dim"), _cut(first.strip()))
        self._indented(said)
        if event.reply.note:
            self._indented(Text(event.reply.note, "yellow"))

    def _named(self, event: Named) -> None:
        subtasks = event.decomposition.subtasks
        numbers = {each.name: number for number, each in enumerate(subtasks, 1)}
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("")
        # In a narrow terminal a long name is folded, and nowhere is it cut off.
        table.add_column("sub-task", no_wrap=self._console.width >= _WIDEST, overflow="fold", style="bold")
        table.add_column("done when")
        table.add_column("after", no_wrap=True)
        for number, each in enumerate(subtasks, 1):
            after = ", ".join(str(numbers[name]) for name in each.after)
            name = Text(each.name, "green" if each.goal else "")
            table.add_row(str(number), name, Text(each.description), after)
        width = min(_WIDEST, self._console.width)
        goal = Text(event.decomposition.goal, style="italic")
        self._console.print(Panel(Group(goal, "", table), title="goal", title_align="left", width=width))

    def _rejected(self, event: Rejected) -> None:
        for complaint in event.complaints:
            self._indented(Text.assemble(("rejected ", "red"), (f"{event.subtask.name}: ", "bold"), complaint))

    def _accepted(self, event: Accepted) -> None:
        self._doing = _TRIED
        lines = len(event.checker.source.splitlines())
        self._indented(
            Text.assemble(
                (f"{event.checker.subtask.name} ", "bold"),
                ("passes ", "green"),
                f"the trajectories that refinement may see ({lines} lines of Python)",
            )
        )
        shown = event.checker.source if self._programs else _heart(event.checker.source)
        self._console.print(Padding(Syntax(shown, "python", word_wrap=True, background_color="default"), (0, 0, 0, 4)))

    def _gave_up(self, event: GaveUp) -> None:
        self._doing = _TRIED
        why = f"the budget ended: {event.ended}" if event.ended else f"after {event.attempts} attempts"
        kept = "the best program is kept" if event.kept else "there is no program that may run"
        name = event.subtask.name
        self._indented(Text.assemble((f"{name} ", "bold"), ("gave up ", "bold red"), f"{why}; {kept}"))

    def _unanswered(self, event: Unanswered) -> None:
        self._calls -= 1
        self._indented(Text("The recording has no answer to this; it goes on without one.", "dim"))

    def _made_faster(self, event: Faster) -> None:
        change = f"{event.before_us:.0f} to {event.now_us:.0f} microseconds a frame"
        name = event.checker.subtask.name
        self._indented(Text.assemble((f"{name} ", "bold"), ("faster ", "green"), change))

    def _weak(self, event: Weak) -> None:
        for fact in event.facts:
            self._indented(Text.assemble(("weak ", "yellow"), fact))
        asked = "better sub-tasks are asked for" if event.again else "no further sub-tasks are asked for"
        self._indented(Text(f"The programs pass; {asked}.", "dim"))

    def _indented(self, text: Text) -> None:
        self._console.print(Padding(text, (0, 0, 0, 2)))


def _about(request: Request) -> str:
    attempt = f", attempt {request.attempt}" if request.attempt > 1 else ""
    return f"{request.subject or 'the task'}{attempt}"


def used(calls: int, usage: Usage, cost: float | None = 0.0, price: Pricing = FREE) -> str:
    """Calls, tokens and money in words."""
    counted = f"{calls} call{'s' * (calls != 1)}"
    return counted if usage == Usage() else f"{counted}, {_spent(usage, cost, price)}"


def _spent(usage: Usage, cost: float | None, price: Pricing) -> str:
    counted = f"{usage.input_tokens:,} + {usage.output_tokens:,} tokens"
    if isinstance(price, Free):
        return counted
    return f"{counted}, price unknown" if cost is None else f"{counted}, {money(cost, price)}"


def _cut(line: str, most: int = 160) -> str:
    return line if len(line) <= most else f"{line[:most]} ..."


def _heart(source: str, most: int = 14) -> str:
    """The function `check` of a program, its first lines if it is long."""
    check = next(each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef) and each.name == "check")
    lines = (ast.get_source_segment(source, check) or "").splitlines()
    return "\n".join(lines if len(lines) <= most else [*lines[:most], "    ..."])
