"""What the providers that are asked over the network have in common: a deadline, retries, and what is an error."""

import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import ClassVar, Generic, TypeVar

import httpx2

from car.errors import ProviderError
from car.vlm import Reply, Request
from car.vlm.provider import (
    address,
    hint,
    host,
    key_from,
    lacks_schemas,
    refusal,
    spent,
    too_slow,
    unreachable,
    unreadable,
)

Answer = TypeVar("Answer")
# What the SDKs let through where an answer that says success is no JSON.
UNDECODED = (json.JSONDecodeError, UnicodeDecodeError)
_BEGAN = "began"
_PATIENCE = 10.0


@dataclass(frozen=True)
class RemoteVLM(ABC, Generic[Answer]):
    """Asks a provider through its SDK. The key comes from the environment and is never kept.

    Errors that may pass (no connection, no answer in time, 408, 409, 429, 5xx) are tried again by the SDK, which waits
    as long as the provider says.

    Args:
        model: the model, as the provider names it.
        base_url: the address of another server that speaks the same protocol; None for the provider's own.
        max_output: where a reply is cut off, in tokens; what the model thinks before it answers counts too.
        max_retries: how often to try again after an error that may pass.
        timeout: seconds for a whole answer, however slowly it comes; each try has as many.

    Raises:
        MissingKey: there is no key where one is needed.
        UserError: `base_url` is not an http or https address.
    """

    model: str
    base_url: str | None = None
    max_output: int = 8000
    max_retries: int = 4
    timeout: float = 600.0
    _schemaless: Event = field(default_factory=Event, init=False, repr=False, compare=False)
    _leaving: list[Event] = field(default_factory=lambda: [Event()], init=False, repr=False, compare=False)

    kind: ClassVar[str]
    """As the name begins, e.g. ``openai``."""
    provider: ClassVar[str]
    """As a sentence begins, e.g. ``OpenAI``."""
    variable: ClassVar[str]
    """The environment variable that holds the key."""
    keyless: ClassVar[bool]
    """Whether a server at `base_url` may do without a key."""
    errors: ClassVar[tuple[type[Exception], ...]]
    """What `_send` raises: the SDK's errors and `UNDECODED`."""

    def __post_init__(self) -> None:
        # Both raise now what would otherwise be found only at the first question.
        self._key()
        self._who()

    @property
    def name(self) -> str:
        """``<kind>/<model>``, and with a `base_url` `` at <host:port>``.

        A journal keeps replies by this name, and two servers may call different models the same.
        """
        return f"{self.kind}/{self.model}" + (f" at {host(self.base_url)}" if self.base_url else "")

    def leave(self) -> None:
        """What is being asked is not tried again; answers that are on their way still come.

        Whoever asks afterwards, as one who was interrupted in a notebook may, is answered as ever.
        """
        self._leaving[0].set()
        self._leaving[0] = Event()

    def ask(self, request: Request) -> Reply:
        """The reply; what the content filter or the model itself refused is REFUSED.

        Raises:
            MissingKey: the key has gone since this object was made.
            ProviderError: the provider refused or failed for good, in its own words.
        """
        answer = self._answer(request)
        try:
            return self._reply(answer)
        except (AttributeError, IndexError, TypeError):
            # The SDKs do not check what a server sends, and gateways send all kinds of things.
            raise unreadable(self._who(), str(answer), self._key()) from None

    def count(self, request: Request) -> int | None:
        """The tokens of a request as the provider counts them beforehand, for nothing; None if it does not.

        One try, and not a long one: who wants to know can do without.
        """
        quick = replace(self, max_retries=0, timeout=min(self.timeout, _PATIENCE))
        try:
            return quick._count(request) or None
        except self.errors:
            return None

    def _count(self, request: Request) -> int:
        """What the provider counts, 0 if it has no way to; raises what the SDK raises."""
        return 0

    @abstractmethod
    def _send(self, request: Request, schema: dict[str, object] | None) -> Answer:
        """The SDK's answer; raises what the SDK raises."""

    @abstractmethod
    def _reply(self, answer: Answer) -> Reply:
        """What the answer says; may raise as it likes where a field is missing or of another type."""

    @abstractmethod
    def _status(self, error: Exception) -> tuple[int, object] | None:
        """The HTTP status and the decoded text of an answer that is not success; None for another error."""

    def _answer(self, request: Request) -> Answer:
        wanted = None if request.schema is None or self._schemaless.is_set() else dict(request.schema)
        try:
            return self._send(request, wanted)
        except self.errors as error:
            answered = self._status(error)
            if wanted is None or answered is None or not lacks_schemas(*answered):
                # Not chained: the SDK's error holds the request's headers, and with them the key.
                raise self._failure(error) from None
        self._schemaless.set()
        return self._answer(request)

    def _failure(self, error: Exception) -> ProviderError:
        key, who, answered = self._key(), self._who(), self._status(error)
        if answered is not None:
            advice = hint(*answered, self.variable, self.model)
            if not key and answered[0] in {401, 403}:
                advice = f"{self.variable} is not set."
            return refusal(who, *answered, key, advice)
        if isinstance(error, UNDECODED):
            return unreadable(who, error.doc if isinstance(error, json.JSONDecodeError) else str(error), key)
        if isinstance(error.__cause__, httpx2.ReadTimeout):
            return too_slow(who, self.timeout, key)
        return unreachable(who, error, key)

    def _key(self) -> str:
        if self.keyless and self.base_url and not os.environ.get(self.variable, "").strip():
            return ""
        return key_from(self.variable)

    def _who(self) -> str:
        return f"The server at {address(self.base_url)}" if self.base_url else self.provider


def counted(tokens: object, name: str) -> int:
    """A number of tokens in an SDK's object; 0 where the server has not counted them."""
    value = getattr(tokens, name, None)
    return value if isinstance(value, int) and value > 0 else 0


def hooks(timeout: float, leaving: Event) -> Mapping[str, list[Callable[..., None]]]:
    """Event hooks of an HTTP client: no answer goes on for longer than `timeout` seconds, none that says that the
    balance is used up is asked for again, and nothing is asked by who is leaving.
    """

    def begin(request: httpx2.Request) -> None:
        if leaving.is_set():
            # No error that the SDK would try again.
            raise KeyboardInterrupt
        request.extensions.setdefault(_BEGAN, time.monotonic())

    def arrive(response: httpx2.Response) -> None:
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Timed(response.stream, response.request.extensions[_BEGAN] + timeout)
        if response.status_code == 429 and spent(429, _read(response)):
            # What the SDKs obey in place of their own rule, which takes every 429 for one that passes.
            response.headers["x-should-retry"] = "false"

    return {"request": [begin], "response": [arrive]}


def _read(response: httpx2.Response) -> str:
    response.read()
    return response.text


class _Timed(httpx2.SyncByteStream):
    """Ends with an error when the time is over. A timeout of the HTTP client is for each read, not for all."""

    def __init__(self, stream: httpx2.SyncByteStream, end: float) -> None:
        self._stream, self._end = stream, end

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            if time.monotonic() > self._end:
                raise httpx2.ReadTimeout("The answer was not whole in time.")
            yield chunk

    def close(self) -> None:
        self._stream.close()
