"""`car doctor`."""

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from car.cli.output import Json, next_step, result
from car.cli.provider import address, is_paid, pricing
from car.errors import ProviderError, UserError

if TYPE_CHECKING:
    from car.doctor import Finding
    from car.vlm.price import Pricing
    from car.vlm.trial import Trial

_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}


def doctor(
    ctx: typer.Context,
    vlm: Annotated[
        str | None,
        typer.Option("--vlm", help="Also ask this VLM one small question with a picture; it costs a little."),
    ] = None,
    base_url: Annotated[str | None, typer.Option(envvar="CAR_BASE_URL", help="The server of the VLM.")] = None,
    price: Annotated[str | None, typer.Option(help="For a million tokens in and out, e.g. 3/15.")] = None,
    as_json: Json = False,
) -> None:
    """Says what works on this machine, and what to do where something does not.

    Nothing is asked and paid unless --vlm is typed; a default for it in car.toml does not count here.

    Exit code 0: all that is needed works. 2: something does not. 3: the VLM failed.

    Examples:
    car doctor
    car doctor --vlm anthropic/MODEL
    """
    from rich.table import Table
    from rich.text import Text

    from car.doctor import examine

    findings = examine()
    asked = [] if vlm is None else _tried(vlm, address(ctx, vlm, base_url), price)
    table = Table("", "what", "finding", header_style="dim", box=None, padding=(0, 2, 0, 0))
    for each in [*findings, *asked]:
        table.add_row(Text(*_MARKS[each.fine]), f"  {each.name}" if each.part_of else each.name, Text(each.said))
    broken = list(dict.fromkeys(each.part_of or each.name for each in [*findings, *asked] if each.fine is False))
    advice = f"Put right: {', '.join(broken)}." if broken else next_step(_next(vlm))
    result(as_json, {"findings": [dataclasses.asdict(each) for each in [*findings, *asked]]}, table, "", advice)
    if any(each.fine is False for each in findings):
        raise typer.Exit(2)
    raise typer.Exit(3 if any(each.fine is False for each in asked) else 0)


def _next(vlm: str | None) -> str:
    return "car demo" if vlm is None else f"car generate TASK --vlm {vlm} --dry-run"


def _tried(spec: str, base_url: str | None, price: str | None) -> "list[Finding]":
    """What one small question found.

    Raises:
        UserError: the VLM cannot be asked like that.
    """
    from car.doctor import Finding
    from car.vlm.choose import vlm_from, warning_about
    from car.vlm.trial import MAX_OUTPUT, try_out

    if not is_paid(spec):
        raise UserError(f"--vlm {spec} asks nobody that could fail; give openai/, anthropic/ or compatible/MODEL.")
    charged = pricing(spec, base_url, price)
    vlm = vlm_from(spec, base_url=base_url, max_output=MAX_OUTPUT)
    try:
        trial = try_out(vlm, charged)
    except ProviderError as error:
        return [Finding(vlm.name, False, str(error))]
    warning = warning_about(spec)
    return [*_findings(vlm.name, trial, charged), *([Finding("retires", None, warning, vlm.name)] if warning else [])]


def _findings(name: str, trial: "Trial", charged: "Pricing") -> "list[Finding]":
    from car.cli.show import used
    from car.doctor import Finding

    answered = f"{trial.model or 'a model without a name'}, {trial.seconds:.1f} s"
    counted = used(1, trial.usage, trial.cost, charged)
    cost = counted if trial.usage.tokens else f"{counted}, no tokens counted: cost unknown"
    return [
        Finding(name, True, f"answered: {answered}", details={"model": trial.model, "seconds": trial.seconds}),
        _seen(name, trial),
        Finding("costs", None, f"{cost}; prices: {charged.source}", name, dataclasses.asdict(trial)),
    ]


def _seen(name: str, trial: "Trial") -> "Finding":
    from car.doctor import Finding
    from car.vlm import Finish

    if trial.finish is Finish.TRUNCATED and not trial.said:
        return Finding("sees", None, "it thought for so long that its answer was cut off; nothing is known", name)
    seen = f"it was shown a {trial.shown} square and said: {_short(trial.said) or '(nothing)'}"
    if trial.finish is not Finish.COMPLETE:
        seen += f" ({trial.finish})"
    if not trial.sees:
        seen = f"{seen.rstrip('.')}. Does this model see pictures?"
    return Finding("sees", trial.sees, f"{seen}{f' ({trial.note})' if trial.note else ''}", name)


def _short(text: str, most: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]} ..."
