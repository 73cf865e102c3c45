"""The commands."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from car import __version__
from car.cli import clip
from car.cli.audit import audit
from car.cli.bench import bench
from car.cli.bundles import bundles, review
from car.cli.demonstrate import demo
from car.cli.doctor import doctor
from car.cli.evaluate import evaluate
from car.cli.export import export
from car.cli.film import film
from car.cli.make import generate
from car.cli.output import Group
from car.cli.repeat import repeat
from car.cli.training import train
from car.cli.trajectories import record, tasks
from car.cli.verify import verify

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


@app.callback(
    help="Code as Reward: a vision-language model writes reward programs; verified, they train agents.\n\n"
    "Example: car demo\n\n"
    "It needs no API key. On a task of your own: car record, car generate, car review, car train."
)
def _car(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


def flowed(text: str) -> str:
    """A docstring whose paragraphs are one line each, so that they fill a terminal of any width.

    A paragraph that begins with "Example" keeps its lines: each is a command.
    """
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(each if each.startswith("Example") else each.replace("\n", " ") for each in paragraphs)


def _add(name: str, command: Callable[..., Any], to: typer.Typer = app) -> None:
    to.command(name, help=flowed(command.__doc__ or ""))(command)


_add("demo", demo)
_add("tasks", tasks)
_add("record", record)
_add("generate", generate)
_add("verify", verify)
_add("evaluate", evaluate)
_add("bundles", bundles)
_add("review", review)
_add("audit", audit)
_add("export", export)
_add("train", train)
_add("film", film)
_add("repeat", repeat)
_add("bench", bench)
_add("doctor", doctor)

_clip = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(
    _clip,
    name="clip",
    help="CLIP models of our own, and measurements of CLIP rewards.\n\nExample: car clip evaluate doorkey-6x6",
)
_add("train", clip.train, _clip)
_add("evaluate", clip.evaluate, _clip)
_add("calibrate", clip.calibrate, _clip)
