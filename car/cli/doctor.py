"""`car doctor`."""

import dataclasses

import typer

from car.cli.output import Json, next_step, result

_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}


def doctor(as_json: Json = False) -> None:
    """Says what works on this machine, and what to do where something does not.

    Exit code 0: all that is needed works. 2: something does not.

    Example: car doctor
    """
    from rich.table import Table
    from rich.text import Text

    from car.doctor import examine

    findings = examine()
    table = Table("", "what", "finding", header_style="dim", box=None, padding=(0, 2, 0, 0))
    for each in findings:
        table.add_row(Text(*_MARKS[each.fine]), f"  {each.name}" if each.part_of else each.name, Text(each.said))
    broken = [each.name for each in findings if each.fine is False]
    advice = f"Put right: {', '.join(broken)}." if broken else next_step("car demo")
    result(as_json, {"findings": [dataclasses.asdict(each) for each in findings]}, table, "", advice)
    raise typer.Exit(2 if broken else 0)
