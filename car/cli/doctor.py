"""`car doctor`."""

import dataclasses

import typer
from rich.table import Table

from car.cli.output import Json, result

_MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[dim]·[/]"}


def doctor(as_json: Json = False) -> None:
    """Says what works on this machine, and what to do where something does not.

    Example: car doctor
    """
    from car.doctor import examine

    findings = examine()
    table = Table("", "what", "finding", header_style="dim", box=None, padding=(0, 2))
    for each in findings:
        table.add_row(_MARKS[each.fine], each.name, each.said)
    result(as_json, {"findings": [dataclasses.asdict(each) for each in findings]}, table)
    raise typer.Exit(2 if any(each.fine is False for each in findings) else 0)
