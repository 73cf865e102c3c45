"""From the words on the command line to a VLM; a provider's SDK is loaded only when it is chosen."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from car.errors import UnknownName, UserError
from car.vlm import VLM, Request

if TYPE_CHECKING:
    from car.vlm.price import Pricing

FORMS = [
    "openai/MODEL",
    "anthropic/MODEL",
    "compatible/MODEL (with --base-url URL)",
    "manual",
    "manual/FOLDER",
    "replay/FILE",
]
# Where the SDKs themselves look for an address. Read here too, so that names and errors say which server is meant.
_ADDRESSES = {
    "openai": "OPENAI_BASE_URL",
    "compatible": "OPENAI_BASE_URL",
    "anthropic": "ANTHROPIC_BASE_URL",
}


_KEYS = {"openai": "OPENAI_API_KEY", "compatible": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}


def vlm_from(
    spec: str,
    *,
    base_url: str | None = None,
    folder: Path | None = None,
    strict: bool = False,
    max_output: int = 8000,
    timeout: float = 600.0,
    problem: Callable[[Request, str], str] = lambda request, text: "",
) -> VLM:
    """The VLM that a spec names.

    Args:
        spec: one of `FORMS`.
        base_url: the server's address; needed by ``compatible``, possible with ``openai`` and ``anthropic``.
        folder: where ``manual`` puts its questions if the spec names no folder; None for ``manual`` in the working
            directory.
        strict: ``replay`` refuses a request that differs from the recorded one.
        max_output: where a provider cuts a reply off, in tokens.
        timeout: seconds for a whole answer of a provider.
        problem: what is wrong with a text as the answer to a request, in a sentence, "" for nothing; ``manual`` asks
            for such an answer again.

    Raises:
        UnknownName: no such form, or no such recording.
        UserError: a model or an address is missing, or an address is given where none is used.
        MissingKey: the provider's key is not in the environment.
        BadRecording: the recording is damaged.
    """
    check(spec, base_url)
    kind, rest = _kind_of(spec)
    if kind in _ADDRESSES:
        return _provider(kind, rest, server_of(spec, base_url), max_output, timeout)
    return _manual(rest, folder, problem) if kind == "manual" else _replay(rest, strict)


def _provider(kind: str, model: str, base_url: str | None, max_output: int, timeout: float) -> VLM:
    if kind == "anthropic":
        from car.vlm.anthropic import AnthropicVLM

        return AnthropicVLM(model, base_url, max_output, timeout=timeout)
    if kind == "openai":
        from car.vlm.openai import OpenAIVLM

        return OpenAIVLM(model, base_url, max_output, timeout=timeout)
    from car.vlm.compatible import CompatibleVLM

    return CompatibleVLM(model, base_url, max_output, timeout=timeout)


def _manual(rest: str, folder: Path | None, problem: Callable[[Request, str], str]) -> VLM:
    from car.vlm.manual import ManualVLM

    return ManualVLM(Path(rest) if rest else folder or Path("manual"), problem=problem)


def _replay(rest: str, strict: bool) -> VLM:
    from car.vlm.replay import ReplayVLM

    return ReplayVLM(rest, strict=strict)


def check(spec: str, base_url: str | None = None) -> None:
    """Finds what is wrong with the words alone, without a key, a file or a network.

    Args:
        spec: one of `FORMS`.
        base_url: the server's address, if one was given.

    Raises:
        UnknownName: no such form.
        UserError: a model or an address is missing, or an address is given where none is used.
    """
    kind, rest = _kind_of(spec)
    if kind in _ADDRESSES and not rest:
        raise UserError(f"{kind!r} needs a model: {kind}/MODEL.")
    if kind == "compatible" and server_of(spec, base_url) is None:
        raise UserError(
            f"{spec.strip()} needs the server's address: --base-url URL, CAR_BASE_URL or {_ADDRESSES[kind]}."
        )
    if base_url and kind not in _ADDRESSES:
        raise UserError(f"--base-url goes with openai, anthropic and compatible, not with {kind}; leave it out.")


def server_of(spec: str, base_url: str | None = None) -> str | None:
    """The address of the server that a spec means, from the command line or the environment; None for the provider's.

    Args:
        spec: one of `FORMS`.
        base_url: the address that was given.

    Raises:
        UnknownName: no such form.
    """
    variable = _ADDRESSES.get(_kind_of(spec)[0], "")
    return base_url or os.environ.get(variable) or None


def _kind_of(spec: str) -> tuple[str, str]:
    kind, _, rest = spec.strip().partition("/")
    if kind not in {form.partition("/")[0] for form in FORMS} or (kind == "replay" and not rest):
        raise UnknownName("VLM", spec, FORMS)
    return kind, rest


def is_paid(spec: str) -> bool:
    """Whether a provider or a server is asked, and not a person or a recording."""
    return spec.strip().partition("/")[0] not in {"manual", "replay"}


def pricing_of(spec: str, base_url: str | None = None, price: tuple[float, float] | None = None) -> "Pricing":
    """What a VLM charges; nothing where nobody is asked.

    Args:
        spec: one of `FORMS`.
        base_url: the server's address.
        price: for a million tokens in and out, as it was typed; None for the price list.

    Raises:
        UserError: a negative price.
    """
    from car.vlm.price import FREE, Price, price_of

    typed = None if price is None else Price(*price)
    if not is_paid(spec):
        return FREE
    return typed or price_of(spec, server_of(spec, base_url))


def environment_of(spec: str) -> dict[str, str]:
    """What the environment here holds for a VLM: the key and the address of its server. Not to be logged.

    Args:
        spec: one of `FORMS`.
    """
    kind = spec.strip().partition("/")[0]
    names = (_KEYS.get(kind, ""), _ADDRESSES.get(kind, ""))
    return {name: os.environ[name] for name in names if name in os.environ}


def warning_about(spec: str) -> str:
    """What a person should know about a model before it is paid, in a sentence; "" if nothing.

    Args:
        spec: one of `FORMS`.
    """
    kind, _, model = spec.strip().partition("/")
    if kind != "anthropic":
        return ""
    from car.vlm.anthropic import retiring

    return retiring(model)


def tokens_by_provider(spec: str, request: Request, base_url: str | None = None) -> int | None:
    """The tokens of a request as the provider counts them before it is asked, for nothing; None if it does not.

    Args:
        spec: one of `FORMS`.
        request: what is to be counted; it is sent to the provider.
        base_url: the server's address.

    Raises:
        UserError: as `vlm_from`.
    """
    from car.vlm.remote import RemoteVLM

    vlm = vlm_from(spec, base_url=base_url)
    return vlm.count(request) if isinstance(vlm, RemoteVLM) else None
