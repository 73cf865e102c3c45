"""Anthropic, through its Messages API."""

import base64
import json
from dataclasses import dataclass

import anthropic
from anthropic.types import ImageBlockParam, Message, TextBlockParam

from car.errors import ProviderError
from car.vlm import Finish, Reply, Request, Usage
from car.vlm.provider import address, hint, key_from, pieces, refusal, unreachable, unreadable, wellformed

KEY = "ANTHROPIC_API_KEY"
_FINISH = {
    "max_tokens": Finish.TRUNCATED,
    "model_context_window_exceeded": Finish.TRUNCATED,
    "refusal": Finish.REFUSED,
}


@dataclass(frozen=True)
class AnthropicVLM:
    """Asks Anthropic. The key comes from ``ANTHROPIC_API_KEY`` and is never kept.

    Args:
        model: the model, as the provider names it.
        base_url: the address of a gateway that speaks the same protocol; None for Anthropic.
        max_tokens: where a reply is cut off; what the model thinks before it answers counts too.
        max_retries: how often the SDK tries again after an error that may pass.
        timeout: seconds to wait for an answer.

    Raises:
        MissingKey: there is no key.
        UserError: `base_url` is not an http or https address.
    """

    model: str
    base_url: str | None = None
    max_tokens: int = 8000
    max_retries: int = 4
    timeout: float = 600.0

    def __post_init__(self) -> None:
        # Both raise now what would otherwise be found only at the first question.
        key_from(KEY)
        self._who()

    @property
    def name(self) -> str:
        """``anthropic/<model>``."""
        return f"anthropic/{self.model}"

    def ask(self, request: Request) -> Reply:
        """The reply; one that the model refused carries the provider's explanation as its note.

        Raises:
            MissingKey: the key has gone since this object was made.
            ProviderError: the provider refused or failed for good, in its own words.
        """
        message = self._message(request)
        try:
            return _reply(message, self.model)
        except (AttributeError, TypeError):
            # The SDK does not check what a server sends, and gateways send all kinds of things.
            raise unreadable(self._who(), str(message), key_from(KEY)) from None

    def _message(self, request: Request) -> Message:
        try:
            with anthropic.Anthropic(
                api_key=key_from(KEY), base_url=self.base_url, max_retries=self.max_retries, timeout=self.timeout
            ) as client:
                return client.messages.create(
                    model=self.model,
                    max_tokens=self.max_tokens,
                    system=request.system,
                    messages=[{"role": "user", "content": _content(request)}],
                )
        except (anthropic.AnthropicError, json.JSONDecodeError, UnicodeDecodeError) as error:
            # Not chained: the SDK's error holds the request's headers, and with them the key.
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> ProviderError:
        key = key_from(KEY)
        if isinstance(error, anthropic.APIStatusError):
            return refusal(self._who(), error.status_code, error.body, key, hint(error.status_code, KEY, self.model))
        if isinstance(error, anthropic.AnthropicError):
            return unreachable(self._who(), error, key)
        return unreadable(self._who(), error.doc if isinstance(error, json.JSONDecodeError) else str(error), key)

    def _who(self) -> str:
        return f"The server at {address(self.base_url)}" if self.base_url else "Anthropic"


def _content(request: Request) -> list[TextBlockParam | ImageBlockParam]:
    return [
        TextBlockParam(type="text", text=piece) if isinstance(piece, str) else _image(piece)
        for piece in pieces(request)
    ]


def _image(png: bytes) -> ImageBlockParam:
    data = base64.b64encode(png).decode("ascii")
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def _reply(message: Message, asked: str) -> Reply:
    text = "".join(block.text for block in message.content if block.type == "text")
    finish = _FINISH.get(message.stop_reason or "", Finish.COMPLETE)
    why = message.stop_details.explanation if message.stop_details else None
    return Reply(wellformed(text), finish, _usage(message), message.model or asked, note=why or "")


def _usage(message: Message) -> Usage:
    counted = message.usage
    # What came from or went into the provider's cache is not in `input_tokens`, but was read all the same.
    cached = (counted.cache_read_input_tokens or 0) + (counted.cache_creation_input_tokens or 0)
    return Usage((counted.input_tokens or 0) + cached, counted.output_tokens or 0)
