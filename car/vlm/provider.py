"""What the files that know a provider have in common: keys, what is sent, and errors in the provider's own words."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import SplitResult, urlsplit

from car.errors import MissingKey, ProviderError, UserError
from car.frames import to_png
from car.keys import masked, without_secrets
from car.vlm import Picture, Reply, Request

_LONGEST = 500
_NO_SCHEMA = re.compile(r"response_format|output_(config|format)|text\.format|structured|schema", re.IGNORECASE)
# Codes and words for an account without money. "Quota" alone also means a limit per minute, which passes.
_SPENT = re.compile(
    r"insufficient[_ ](quota|credits?|balance|funds)|billing_(error|hard_limit_reached|not_active)|credit balance",
    re.IGNORECASE,
)
_TOO_LONG_AN_ANSWER = re.compile(
    r"max_(output_|completion_)?tokens\b.*?(too (large|high|big)|maximum|at most|exceed|greater|above|less than|<|>)",
    re.IGNORECASE | re.DOTALL,
)


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
            f"{without_secrets(base_url)!r} is not the address of a server; give all of it, for example "
            "http://localhost:8000/v1."
        )
    return parts


def pieces(request: Request) -> Iterator[str | bytes]:
    """The request's parts in order: text as str, pictures as PNG bytes right after their captions; no blank text."""
    for part in request.parts:
        yield from pieces_of(part)


def pieces_of(part: str | Picture) -> Iterator[str | bytes]:
    """What `pieces` gives for one part: up to two pieces for a picture, none for blank text."""
    text = part if isinstance(part, str) else part.caption
    if text.strip():
        yield text
    if not isinstance(part, str):
        yield to_png(part.frame)


def wellformed(text: str) -> str:
    """The text with what UTF-8 cannot hold (half of a surrogate pair) replaced, so that it can be saved and sent."""
    return text.encode("utf-8", "replace").decode("utf-8")


def used_up(reply: Reply, limit: int) -> Reply:
    """The reply to an answer that was cut off, with a note where the limit was reached before anything was written."""
    if reply.text.strip():
        return reply
    note = f"The limit of {limit} tokens was used up before anything was written; --max-output raises it."
    return replace(reply, note=note)


def refusal(who: str, status: int, body: object, key: str, hint: str = "") -> ProviderError:
    """The error for an answer with an HTTP status that is not success.

    Args:
        who: the provider or server, as a sentence begins with it.
        status: the HTTP status.
        body: the answer, decoded if it was JSON.
        key: what must not be shown.
        hint: what the person can do, as a sentence.
    """
    return ProviderError(f"{masked(who, key)} answered {status}: {_sentence(_words(body, key))} {hint}".strip())


def failed(who: str, words: str, key: str, hint: str = "") -> ProviderError:
    """The error for an answer that says success in its HTTP status and failure in its text."""
    return ProviderError(f"{masked(who, key)} failed: {_sentence(_words(words, key))} {hint}".strip())


def unreachable(who: str, error: Exception, key: str) -> ProviderError:
    """The error for a server that could not be reached or hung up."""
    cause = f" ({error.__cause__})" if error.__cause__ and str(error.__cause__) else ""
    return ProviderError(masked(f"{who} could not be reached: {error}{cause}", key))


def too_slow(who: str, seconds: float, key: str) -> ProviderError:
    """The error for a server whose answer was not whole in time."""
    return ProviderError(masked(f"{who} gave no whole answer within {seconds:g} seconds. Try again later.", key))


def unreadable(who: str, answer: str, key: str) -> ProviderError:
    """The error for an answer that says success and is not in the provider's format."""
    shown = _short(masked(answer, key))
    return ProviderError(f"{masked(who, key)} answered with something that is not a reply: {shown!r}")


def hint(status: int, body: object, variable: str, model: str) -> str:
    """What a person can do about an HTTP status; "" if nothing in particular."""
    if spent(status, body):
        return "Look at the account's billing."
    if status in {401, 403}:
        return f"Check {variable}."
    if status == 404:
        return f"Check the name of the model, {model!r}."
    if _is_invalid(status) and _TOO_LONG_AN_ANSWER.search(_all(body)):
        return "Use --max-output N with a smaller number."
    return "Try again later." if status in {408, 409, 429} or status >= 500 else ""


def spent(status: int, body: object) -> bool:
    """Whether the answer says that the account's balance is used up, which passes with no time."""
    return status == 402 or (status in {400, 403, 429} and bool(_SPENT.search(_all(body))))


def lacks_schemas(status: int, body: object) -> bool:
    """Whether the answer says that the model or the server cannot hold an answer to a schema, or not to this one."""
    return _is_invalid(status) and bool(_NO_SCHEMA.search(_all(body)))


def _is_invalid(status: int) -> bool:
    return status in {400, 422}


def _all(body: object) -> str:
    return body if isinstance(body, str) else json.dumps(body)


def _words(body: object, key: str) -> str:
    inner = body.get("error", body) if isinstance(body, dict) else body
    message = inner.get("message") if isinstance(inner, dict) else inner
    if isinstance(message, str) and message.strip():
        return _short(masked(message, key))
    return _short(masked(json.dumps(body), key)) if body else "nothing that says why"


def _sentence(words: str) -> str:
    return words if words[-1] in ".!?" else f"{words}."


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."
