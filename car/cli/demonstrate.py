"""`car demo`."""

import dataclasses
import time
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from car.cli.output import Json, notes, result
from car.cli.show import Narrator, verdict_table
from car.cli.training import Board, summary_table


def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where everything goes.")] = Path("demo"),
    task: Annotated[str, typer.Option(help="A task with a recorded session: doorkey-8x8 or unlock.")] = "doorkey-8x8",
    steps: Annotated[int, typer.Option(help="Environment steps of each training run.", min=1)] = 120_000,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in a browser at the end.")] = False,
    as_json: Json = False,
) -> None:
    """Shows the whole loop in about five minutes on two cores, without any API key.

    A recorded session with a vision-language model is replayed on MiniGrid DoorKey: it names the sub-tasks and writes
    their programs, these are tried on expert and random episodes, wrong ones go back with the facts, and PPO is
    trained with the generated reward and with the sparse one. Interrupted, it goes on where it stopped.

    Example: car demo --open
    """
    from car.demo import Audience, Demo, show

    began = time.monotonic()
    with Live(console=notes, refresh_per_second=4, auto_refresh=True) as live:
        stage = _Stage(live, steps)
        narrator = Narrator(notes)
        audience = Audience(stage.begin, stage.recorded, narrator, stage.bundled, stage.trained)
        shown = show(Demo(folder, task, steps), audience)
        stage.end()
    document = {
        "report": str(shown.report),
        "review": str(shown.review),
        "bundle": str(shown.bundle.path),
        "accepted": shown.bundle.verdict.accepted,
        "runs": {label: [dataclasses.asdict(each) for each in runs] for label, runs in shown.results.items()},
        "seconds": round(time.monotonic() - began, 1),
    }
    if open_:
        webbrowser.open(shown.report.resolve().as_uri())
    done = f"Done in {document['seconds']:.0f} seconds. Open the report in a browser:"
    pages = f"[bold]{shown.report.resolve()}[/]\nReview page: {shown.review.resolve()}"
    result(as_json, document, summary_table(shown.results), done, pages)
    raise typer.Exit(0 if shown.bundle.verdict.accepted else 1)


class _Stage:
    """What the live part of the screen shows at each stage."""

    def __init__(self, live: Live, steps: int) -> None:
        self._live = live
        self._board = Board(steps)
        self._bar = Progress(TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
        self._tasks: dict[str, Any] = {}

    def begin(self, number: int, title: str) -> None:
        self.end()
        notes.print(f"\n[bold blue]{number}. {title}[/]")
        shown: dict[int, Any] = {1: self._bar, 3: self._board}
        self._live.update(shown.get(number, ""))

    def recorded(self, told: Any) -> None:
        if told.who not in self._tasks:
            self._tasks[told.who] = self._bar.add_task(f"{told.who} episodes", total=told.wanted)
        self._bar.update(self._tasks[told.who], completed=told.done)

    def bundled(self, bundle: Any) -> None:
        notes.print(verdict_table(bundle.verdict))
        notes.print(f"The bundle is in [bold]{bundle.path}[/]")

    def trained(self, label: str, seed: int, line: Any) -> None:
        self._board.note(label, seed, line)
        self._live.refresh()

    def end(self) -> None:
        """Clears the live part."""
        self._live.update("")
