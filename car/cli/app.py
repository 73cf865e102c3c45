"""The commands, and the entry point."""

from typing import Annotated

import typer

from car import __version__
from car.cli.bundles import bundles, review
from car.cli.demonstrate import demo
from car.cli.doctor import doctor
from car.cli.make import generate, verify
from car.cli.output import Group
from car.cli.training import train
from car.cli.trajectories import record, tasks

app = typer.Typer(
    name="car",
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _car(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Code as Reward: a vision-language model writes reward programs; verified, they train agents.

    Start with `car demo`, which needs no API key. On a task of your own: `car record`, `car generate`, `car review`,
    `car train`.
    """


app.command("demo")(demo)
app.command("tasks")(tasks)
app.command("record")(record)
app.command("generate")(generate)
app.command("verify")(verify)
app.command("bundles")(bundles)
app.command("review")(review)
app.command("train")(train)
app.command("doctor")(doctor)


def main() -> None:
    """Runs the command line and exits with its code."""
    app()
