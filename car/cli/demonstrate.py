"""`car demo`."""

import dataclasses
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from car.cli.board import Board
from car.cli.output import Json, LowestLevel, note, notes, result
from car.cli.training import summary_table

if TYPE_CHECKING:
    from rich.live import Live

    from car.bundle import Bundle
    from car.cli.show import Narrator
    from car.demo import Demo
    from car.record import Progress as Recorded
    from car.train import Job, Progress


def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where everything goes.")] = Path("demo"),
    task: Annotated[str, typer.Option(help="A task with a recorded session.")] = "doorkey-8x8",
    steps: Annotated[int, typer.Option(help="Environment steps of each training run.", min=1)] = 120_000,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in a browser at the end.")] = False,
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Shows the whole loop in about five minutes on two cores, without any API key.

    A recorded session with a vision-language model is replayed on MiniGrid DoorKey: it names the sub-tasks and writes
    their programs, these are tried on expert and random episodes, wrong ones go back with the facts, and PPO is
    trained with the generated reward and with the sparse one. Interrupted, it goes on where it stopped.

    Exit code 0: done, and the reward is verified. 1: done, but not verified.

    Example: car demo --open
    """
    from rich.live import Live

    from car.cli.show import Narrator
    from car.demo import Audience, Demo, show

    began, planned = time.monotonic(), Demo(folder, task, steps, isolation)
    with Live("", console=notes, refresh_per_second=8, transient=True) as live:
        stage = _Stage(live, Narrator(notes), planned)
        audience = Audience(stage.begin, stage.recorded, stage.narrator, stage.bundled, stage.trained)
        shown = show(planned, audience)
    seconds = round(time.monotonic() - began, 1)
    document = {
        "report": str(shown.report),
        "review": str(shown.review),
        "bundle": str(shown.bundle.path),
        "accepted": shown.bundle.verdict.accepted,
        "runs": {label: [dataclasses.asdict(each) for each in runs] for label, runs in shown.results.items()},
        "seconds": seconds,
    }
    if open_:
        webbrowser.open(shown.report.resolve().as_uri())
    pages = [f"Review page: {shown.review.resolve()}", f"Next: open the report, {shown.report.resolve()}"]
    result(as_json, document, summary_table(shown.results), "", f"Done in {seconds:.0f} seconds.", *pages)
    raise typer.Exit(0 if shown.bundle.verdict.accepted else 1)


class _Stage:
    """What the live part of the screen shows at each stage.

    Args:
        live: the live part.
        narrator: tells of the second stage.
        planned: what is shown.
    """

    def __init__(self, live: "Live", narrator: "Narrator", planned: "Demo") -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self.narrator = narrator
        self._live = live
        self._board = Board(planned.jobs, 2 * planned.steps)
        self._bar = Progress(TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
        self._bars: dict[str, Any] = {}

    def begin(self, number: int, title: str) -> None:
        note(f"{'' if number == 1 else chr(10)}{number}. {title}", "bold blue")
        shown: dict[int, Any] = {1: self._bar, 2: self.narrator, 3: self._board}
        self._live.update(shown[number], refresh=True)

    def recorded(self, told: "Recorded") -> None:
        if told.who not in self._bars:
            self._bars[told.who] = self._bar.add_task(f"{told.who} episodes", total=told.wanted)
        self._bar.update(self._bars[told.who], completed=told.done)

    def bundled(self, bundle: "Bundle") -> None:
        from car.cli.verdict import verdict_table

        self._live.update("", refresh=True)
        notes.print(verdict_table(bundle.verdict, rehearsal=bundle.rehearsal))
        note(f"The bundle is in {bundle.path}")
        self._live.update("  writing the review page ...", refresh=True)

    def trained(self, job: "Job", line: "Progress") -> None:
        self._board.note(job, line)
