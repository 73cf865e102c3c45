"""What every command shares: where to print, and how an error becomes an exit code."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from car.cli.settings import defaults
from car.errors import CarError
from car.keys import masked

INTERRUPTED = "Interrupted. What was done is kept; the same command goes on from there."
_JSON = "car.json"
# Recent versions of Typer carry a copy of click, so click's own classes are reached through Typer's.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

notes = Console(stderr=True, highlight=False, emoji=False)
"""Where progress and messages go; standard output is for results."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]
Trajectories = Annotated[Path, typer.Option("--trajectories", help="Folder of recorded trajectories.")]
Rewards = Annotated[Path, typer.Option("--rewards", help="Folder of reward bundles.")]
LowestLevel = Annotated[
    int | None,
    typer.Option("--isolation", min=0, max=3, help="Lowest isolation level at which programs may run; by default 2."),
]
ExpertShare = Annotated[
    float, typer.Option("--expert", min=0, max=1, help="Share of the experts that must complete the whole chain.")
]
RandomShare = Annotated[
    float, typer.Option("--random", min=0, max=1, help="Share of random agents that may not, unconfirmed.")
]
Confidence = Annotated[
    float | None,
    typer.Option("--confidence", help="Show both with this confidence, e.g. 0.95; default: the rule of the paper."),
]
FrameLimit = Annotated[
    float, typer.Option("--limit", help="Microseconds that a frame of 128 x 128 pixels may take.", min=1)
]
TRAJECTORIES, REWARDS = Path("trajectories"), Path("generated_rewards")


def result(as_json: bool, document: dict[str, Any], *shown: Any) -> None:
    """Prints the result: the document as JSON, or for people what is shown.

    Args:
        as_json: which of the two.
        document: JSON-serialisable, but for paths.
        shown: sentences and styled ones, which are printed as they are and never cut, and rich renderables.
    """
    if as_json:
        typer.echo(json.dumps(document, indent=1, ensure_ascii=False, default=str))
        return
    # A pipe has no width of its own, and a table for it should not be cut.
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160
    screen = Console(highlight=False, emoji=False, width=width)
    for each in shown:
        screen.print(each, markup=False, soft_wrap=isinstance(each, str | Text))


def note(sentence: str, style: str = "") -> None:
    """Prints a sentence on standard error as it is; where nobody looks at a terminal, it stays on one line."""
    notes.print(Text(sentence, style), soft_wrap=not notes.is_terminal)


def next_step(command: str) -> Text:
    """The line at the end of a command that says what to do next."""
    return Text.assemble(("Next: ", "dim"), (command, "bold"), overflow="fold")


class Group(TyperGroup):
    """Turns what this package raises on purpose into one sentence and an exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses, and remembers whether errors are to be told as JSON too."""
        ctx.find_root().meta[_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Finds the command, and gives it the defaults of the file of settings.

        Raises:
            UserError: the file cannot be used.
        """
        name, command, rest = super().resolve_command(ctx, args)
        # Help must be there for whoever has to put the file right.
        if name is not None and "--help" not in rest:
            chosen = defaults(ctx, self.commands, name)
            ctx.default_map = {name: chosen}
            ctx.find_root().meta[_JSON] |= chosen.get("as_json", False)
        return name, command, rest

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
            raise self._exit(ctx, str(error) or INTERRUPTED, 130) from error
        except BrokenPipeError:
            # Whoever read the output has enough of it, as `head` has; Typer ends quietly then.
            raise
        except OSError as error:
            raise self._exit(ctx, _described(error), 2) from error
        except _UsageError as error:
            _tell_machine(ctx, str(error), 2)
            raise

    @staticmethod
    def _exit(ctx: Any, message: str, code: int) -> typer.Exit:
        # A person who puts a key where a model belongs should not find it in a log.
        message = masked(message)
        note(message if code == 130 else f"error: {message}", "yellow" if code == 130 else "red")
        _tell_machine(ctx, message, code)
        return typer.Exit(code)


def _tell_machine(ctx: Any, message: str, code: int) -> None:
    if ctx.find_root().meta.get(_JSON):
        typer.echo(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))


def _described(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}. What was done before is kept; put this right and start again."


Advance = Callable[..., None]


@contextmanager
def progress(description: str, total: int | None) -> Iterator[Advance]:
    """A progress bar on standard error that vanishes at the end.

    Yields:
        ``advance(text=None, steps=1)``: goes on by some steps, perhaps with another text.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes, transient=True) as bar:
        task = bar.add_task(description, total=total)

        def advance(text: str | None = None, steps: int = 1) -> None:
            bar.update(task, advance=steps, description=text or description)

        yield advance
