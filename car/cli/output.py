"""What every command shares: where to print, and how an error becomes an exit code."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from car.errors import CarError

_JSON = "car.json"

notes = Console(stderr=True, highlight=False)
"""Where progress and messages go; standard output is for results."""


def _remember_json(context: typer.Context, value: bool) -> bool:
    context.find_root().meta[_JSON] = value
    return value


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.", callback=_remember_json)]
Trajectories = Annotated[Path, typer.Option("--trajectories", help="Folder of recorded trajectories.")]
Rewards = Annotated[Path, typer.Option("--rewards", help="Folder of reward bundles.")]
TRAJECTORIES, REWARDS = Path("trajectories"), Path("generated_rewards")


def result(as_json: bool, document: dict[str, Any], *pictures: Any) -> None:
    """Prints the result: the document as JSON, or the rich renderables for people."""
    if as_json:
        typer.echo(json.dumps(document, indent=1, ensure_ascii=False, default=str))
        return
    screen = Console(highlight=False)
    for picture in pictures:
        screen.print(picture)


class Group(TyperGroup):
    """Turns what this package raises on purpose into one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command.

        Raises:
            typer.Exit: 2 user error, 3 provider failed, 130 interrupted.
        """
        try:
            return super().invoke(ctx)
        except CarError as error:
            raise self._exit(ctx, str(error), error.exit_code) from error
        except KeyboardInterrupt as error:
            raise self._exit(
                ctx, "Interrupted. What was done is kept; the same command goes on from there.", 130
            ) from error
        except OSError as error:
            raise self._exit(ctx, _described(error), 2) from error

    @staticmethod
    def _exit(ctx: Any, message: str, code: int) -> typer.Exit:
        notes.print(f"[bold red]error:[/] {_escaped(message)}" if code != 130 else f"[yellow]{_escaped(message)}[/]")
        if ctx.find_root().meta.get(_JSON):
            typer.echo(json.dumps({"error": message, "exit_code": code}))
        return typer.Exit(code)


def _described(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}. What was recorded or paid for before is kept."


def _escaped(message: str) -> str:
    return message.replace("[", r"\[")


@contextmanager
def progress(description: str, total: int | None) -> Iterator[Any]:
    """A progress bar on standard error; yields a function that advances it by one, or sets its text."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes, transient=True) as bar:
        task = bar.add_task(description, total=total)

        def advance(text: str | None = None, steps: int = 1) -> None:
            bar.update(task, advance=steps, description=text or description)

        yield advance
