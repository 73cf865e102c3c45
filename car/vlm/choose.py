"""From the words on the command line to a VLM; a provider's SDK is loaded only when it is chosen."""

import os
from pathlib import Path

from car.errors import UnknownName, UserError
from car.vlm import VLM

FORMS = [
    "openai/MODEL",
    "anthropic/MODEL",
    "compatible/MODEL (with --base-url URL)",
    "manual",
    "manual/FOLDER",
    "replay/FILE",
]
_ADDRESS = "OPENAI_BASE_URL"


def vlm_from(spec: str, *, base_url: str | None = None, folder: Path | None = None, strict: bool = False) -> VLM:
    """The VLM that a spec names.

    Args:
        spec: one of `FORMS`.
        base_url: the server's address; needed by ``compatible``, possible with ``openai`` and ``anthropic``.
        folder: where ``manual`` puts its questions if the spec names no folder; None for ``manual`` in the working
            directory.
        strict: ``replay`` refuses a request that differs from the recorded one.

    Raises:
        UnknownName: no such form, or no such recording.
        UserError: a model or an address is missing, or an address is given where none is used.
        MissingKey: the provider's key is not in the environment.
        BadRecording: the recording is damaged.
    """
    kind, _, rest = spec.strip().partition("/")
    if kind not in {form.partition("/")[0] for form in FORMS} or (kind == "replay" and not rest):
        raise UnknownName("VLM", spec, FORMS)
    if kind in {"openai", "anthropic", "compatible"}:
        return _provider(kind, rest, base_url)
    if base_url:
        raise UserError(f"--base-url goes with openai, anthropic and compatible, not with {kind}; leave it out.")
    return _manual(rest, folder) if kind == "manual" else _replay(rest, strict)


def _provider(kind: str, model: str, base_url: str | None) -> VLM:
    if not model:
        raise UserError(f"{kind!r} needs a model: {kind}/MODEL.")
    if kind == "anthropic":
        from car.vlm.anthropic import AnthropicVLM

        return AnthropicVLM(model, base_url)
    server = base_url or os.environ.get(_ADDRESS) or None
    if kind == "compatible" and server is None:
        raise UserError(f"compatible/{model} needs the server's address: --base-url URL, or {_ADDRESS}.")
    from car.vlm.openai import OpenAIVLM

    return OpenAIVLM(model, server)


def _manual(rest: str, folder: Path | None) -> VLM:
    from car.vlm.manual import ManualVLM

    return ManualVLM(Path(rest) if rest else folder or Path("manual"))


def _replay(rest: str, strict: bool) -> VLM:
    from car.vlm.replay import ReplayVLM

    return ReplayVLM(rest, strict=strict)
