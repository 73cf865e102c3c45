"""Who is asked, at which server, and what that costs: as typed, or by default."""

from typing import TYPE_CHECKING

import typer

from car.errors import UserError

if TYPE_CHECKING:
    from car.vlm.price import Pricing


def is_paid(vlm: str) -> bool:
    """Whether a provider or a server is asked, and not a person or a recording."""
    from car.vlm.choose import is_paid as is_paid_

    return is_paid_(vlm)


def address(ctx: typer.Context, vlm: str, base_url: str | None) -> str | None:
    """The server that is meant. One that was not typed is for ``compatible`` alone.

    A default is for a server of one's own, and must not send another provider's key there.
    """
    source = ctx.get_parameter_source("base_url")
    typed = source is not None and source.name == "COMMANDLINE"
    return base_url if typed or vlm.strip().startswith("compatible/") else None


def pricing(vlm: str, base_url: str | None, price: str | None) -> "Pricing":
    """What a VLM charges: as typed, or else as the price list says; nothing where nobody is asked.

    Raises:
        UserError: the price is not of the form 3/15.
    """
    from car.vlm.choose import pricing_of

    return pricing_of(vlm, base_url, None if price is None else prices(price))


def prices(given: str) -> tuple[float, float]:
    """What a million tokens cost, in and out, from ``3/15``.

    Raises:
        UserError: it is not of that form.
    """
    parts = given.split("/")
    try:
        into, out = (float(each) for each in parts)
    except ValueError as error:
        raise UserError(f"--price {given}: give two numbers, for a million tokens in and out, e.g. 3/15.") from error
    return into, out
