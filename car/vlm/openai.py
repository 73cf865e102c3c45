"""OpenAI, and every server that speaks its Chat Completions protocol."""

import base64
import json
from dataclasses import dataclass

import openai
from openai.types.chat import ChatCompletion, ChatCompletionContentPartParam, ChatCompletionMessage

from car.errors import MissingKey, ProviderError
from car.vlm import Finish, Reply, Request, Usage
from car.vlm.provider import address, hint, host, key_from, pieces, refusal, unreachable, unreadable, wellformed

KEY = "OPENAI_API_KEY"
# Servers of one's own mostly want no key, but the SDK wants to send one.
_NO_KEY = "none"
_FINISH = {"length": Finish.TRUNCATED, "content_filter": Finish.REFUSED}


@dataclass(frozen=True)
class OpenAIVLM:
    """Asks OpenAI, or a compatible server (vLLM, Ollama, llama.cpp, LM Studio, gateways).

    The key comes from ``OPENAI_API_KEY`` and is never kept; a server at `base_url` may do without one.

    Args:
        model: the model, as the provider names it.
        base_url: the address of a compatible server; None for OpenAI.
        max_retries: how often the SDK tries again after an error that may pass.
        timeout: seconds to wait for an answer.

    Raises:
        MissingKey: there is no key and no `base_url`.
        UserError: `base_url` is not an http or https address.
    """

    model: str
    base_url: str | None = None
    max_retries: int = 4
    timeout: float = 600.0

    def __post_init__(self) -> None:
        # Both raise now what would otherwise be found only at the first question.
        self._key()
        self._who()

    @property
    def name(self) -> str:
        """``openai/<model>``, or ``compatible/<model> at <host:port>`` with a `base_url`.

        A journal keeps replies by this name, and two servers may call different models the same.
        """
        return f"compatible/{self.model} at {host(self.base_url)}" if self.base_url else f"openai/{self.model}"

    def ask(self, request: Request) -> Reply:
        """The reply; what the content filter or the model itself refused is REFUSED.

        Raises:
            MissingKey: the key has gone since this object was made.
            ProviderError: the provider refused or failed for good, in its own words.
        """
        completion = self._completion(request)
        try:
            return _reply(completion, self.model)
        except (AttributeError, IndexError, TypeError):
            # The SDK does not check what a server sends; compatible ones send all kinds of things.
            raise unreadable(self._who(), str(completion), self._key()) from None

    def _completion(self, request: Request) -> ChatCompletion:
        try:
            with openai.OpenAI(
                api_key=self._key(), base_url=self.base_url, max_retries=self.max_retries, timeout=self.timeout
            ) as client:
                return client.chat.completions.create(
                    model=self.model,
                    messages=[
                        {"role": "system", "content": request.system},
                        {"role": "user", "content": _content(request)},
                    ],
                )
        except (openai.OpenAIError, json.JSONDecodeError, UnicodeDecodeError) as error:
            # Not chained: the SDK's error holds the request's headers, and with them the key.
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> ProviderError:
        key = self._key()
        if isinstance(error, openai.APIStatusError):
            return refusal(self._who(), error.status_code, error.body, key, hint(error.status_code, KEY, self.model))
        if isinstance(error, openai.OpenAIError):
            return unreachable(self._who(), error, key)
        return unreadable(self._who(), error.doc if isinstance(error, json.JSONDecodeError) else str(error), key)

    def _key(self) -> str:
        try:
            return key_from(KEY)
        except MissingKey:
            if not self.base_url:
                raise
            return _NO_KEY

    def _who(self) -> str:
        return f"The server at {address(self.base_url)}" if self.base_url else "OpenAI"


def _content(request: Request) -> list[ChatCompletionContentPartParam]:
    return [
        {"type": "text", "text": piece}
        if isinstance(piece, str)
        else {
            "type": "image_url",
            "image_url": {"url": f"data:image/png;base64,{base64.b64encode(piece).decode('ascii')}"},
        }
        for piece in pieces(request)
    ]


def _reply(completion: ChatCompletion, asked: str) -> Reply:
    choice, usage = completion.choices[0], completion.usage
    finish = Finish.REFUSED if choice.message.refusal else _FINISH.get(choice.finish_reason, Finish.COMPLETE)
    tokens = Usage(usage.prompt_tokens or 0, usage.completion_tokens or 0) if usage else Usage()
    return Reply(_text(choice.message), finish, tokens, completion.model or asked)


def _text(message: ChatCompletionMessage) -> str:
    text = message.content or message.refusal or ""
    if not isinstance(text, str):
        raise TypeError(f"the content is a {type(text).__name__}")
    return wellformed(text)
