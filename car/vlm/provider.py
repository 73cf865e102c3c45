"""What the files that know a provider have in common: keys, what is sent, and errors in the provider's own words."""

import json
import os
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from car.errors import MissingKey, ProviderError, UserError
from car.frames import to_png
from car.vlm import Request

_LONGEST = 500
# The beginnings of the keys in use, for the case that a provider repeats a key other than the one that was sent.
_KEY = re.compile(r"\bsk-[\w*.-]{4,}")


def key_from(variable: str) -> str:
    """The API key in an environment variable.

    Raises:
        MissingKey: the variable is not set, empty, or holds what cannot be a key.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        raise MissingKey(
            f"There is no API key: set {variable}, or work without a key: --vlm manual (you carry the questions to a "
            "chat by hand) or --vlm replay/FILE (a recorded session)."
        )
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise MissingKey(f"{variable} holds characters that no API key has; copy the key again.")
    return key


def masked(text: str, key: str) -> str:
    """The text without the key, and without anything that looks like one."""
    return _KEY.sub("sk-***", text.replace(key, "***") if key else text)


def address(base_url: str) -> str:
    """The server's address as it may be shown, without a user name or password.

    Raises:
        UserError: it is not an http or https address.
    """
    parts = _parts(base_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def host(base_url: str) -> str:
    """The server's host, with its port if the address has one.

    Raises:
        UserError: it is not an http or https address.
    """
    return _parts(base_url).netloc.rpartition("@")[2]


def _parts(base_url: str) -> SplitResult:
    try:
        parts = urlsplit(base_url)
        # The port is read only here: like a bracket that is not closed, one that is no number is a ValueError.
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise UserError(
            f"{base_url!r} is not the address of a server; give all of it, for example http://localhost:8000/v1."
        )
    return parts


def pieces(request: Request) -> Iterator[str | bytes]:
    """The request's parts in order: text as str, pictures as PNG bytes right after their captions; no blank text."""
    for part in request.parts:
        text = part if isinstance(part, str) else part.caption
        if text.strip():
            yield text
        if not isinstance(part, str):
            yield to_png(part.frame)


def wellformed(text: str) -> str:
    """The text with what UTF-8 cannot hold (half of a surrogate pair) replaced, so that it can be saved and sent."""
    return text.encode("utf-8", "replace").decode("utf-8")


def refusal(who: str, status: int, body: object, key: str, hint: str = "") -> ProviderError:
    """The error for an answer with an HTTP status that is not success.

    Args:
        who: the provider or server, as a sentence begins with it.
        status: the HTTP status.
        body: the answer, decoded if it was JSON.
        key: what must not be shown.
        hint: what the person can do, as a sentence.
    """
    words = _words(body)
    end = "" if words[-1] in ".!?" else "."
    return ProviderError(masked(f"{who} answered {status}: {words}{end} {hint}".strip(), key))


def unreachable(who: str, error: Exception, key: str) -> ProviderError:
    """The error for a server that could not be reached, hung up or did not answer in time."""
    cause = f" ({error.__cause__})" if error.__cause__ and str(error.__cause__) else ""
    return ProviderError(masked(f"{who} could not be reached: {error}{cause}", key))


def unreadable(who: str, answer: str, key: str) -> ProviderError:
    """The error for an answer that says success and is not in the provider's format."""
    return ProviderError(masked(f"{who} answered with something that is not a reply: {_short(answer)!r}", key))


def hint(status: int, variable: str, model: str) -> str:
    """What a person can do about an HTTP status; "" if nothing in particular."""
    if status in {401, 403}:
        return f"Check {variable}."
    if status == 404:
        return f"Check the name of the model, {model!r}."
    return "Try again later." if status == 429 or status >= 500 else ""


def _words(body: object) -> str:
    inner = body.get("error", body) if isinstance(body, dict) else body
    message = inner.get("message") if isinstance(inner, dict) else inner
    if isinstance(message, str) and message.strip():
        return _short(message)
    return _short(json.dumps(body)) if body else "nothing that says why"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."
