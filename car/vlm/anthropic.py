"""Anthropic, through its Messages API."""

import base64

import anthropic
from anthropic import omit
from anthropic.resources.messages import DEPRECATED_MODELS
from anthropic.types import ImageBlockParam, Message, TextBlockParam
from anthropic.types import Usage as Counted

from car.vlm import Finish, Reply, Request, Usage
from car.vlm.provider import pieces_of, used_up, wellformed
from car.vlm.remote import UNDECODED, RemoteVLM, counted, hooks

_CUT_OFF = "max_tokens"
_FINISH = {
    _CUT_OFF: Finish.TRUNCATED,
    "model_context_window_exceeded": Finish.TRUNCATED,
    "refusal": Finish.REFUSED,
}
_MOST_BREAKPOINTS = 4


class AnthropicVLM(RemoteVLM[Message]):
    """Asks Anthropic, or with a `base_url` a gateway. The key comes from ``ANTHROPIC_API_KEY``.

    A reply that the model refused carries the provider's explanation as its note.
    """

    kind = "anthropic"
    provider = "Anthropic"
    variable = "ANTHROPIC_API_KEY"
    keyless = False
    errors = (anthropic.AnthropicError, *UNDECODED)

    def _client(self) -> anthropic.Anthropic:
        return anthropic.Anthropic(
            api_key=self._key(),
            base_url=self.base_url,
            max_retries=self.max_retries,
            timeout=self.timeout,
            http_client=anthropic.DefaultHttpxClient(
                timeout=self.timeout, event_hooks=hooks(self.timeout, self._leaving[0])
            ),
        )

    def _send(self, request: Request, schema: dict[str, object] | None) -> Message:
        with self._client() as client:
            return client.messages.create(
                model=self.model,
                max_tokens=self.max_output,
                system=request.system,
                messages=[{"role": "user", "content": _content(request)}],
                output_config=omit if schema is None else {"format": {"type": "json_schema", "schema": schema}},
            )

    def _count(self, request: Request) -> int:
        with self._client() as client:
            answer = client.messages.count_tokens(
                model=self.model, system=request.system, messages=[{"role": "user", "content": _content(request)}]
            )
        return counted(answer, "input_tokens")

    def _reply(self, answer: Message) -> Reply:
        text = "".join(block.text for block in answer.content if block.type == "text")
        finish = _FINISH.get(answer.stop_reason or "", Finish.COMPLETE)
        why = answer.stop_details.explanation if answer.stop_details else None
        reply = Reply(wellformed(text), finish, _usage(answer.usage), answer.model or self.model, note=why or "")
        return used_up(reply, self.max_output) if answer.stop_reason == _CUT_OFF else reply

    def _status(self, error: Exception) -> tuple[int, object] | None:
        return (error.status_code, error.body) if isinstance(error, anthropic.APIStatusError) else None


def _content(request: Request) -> list[TextBlockParam | ImageBlockParam]:
    # The longest of the beginnings save most.
    ends = request.shared[-_MOST_BREAKPOINTS:]
    blocks: list[TextBlockParam | ImageBlockParam] = []
    for count, part in enumerate(request.parts, start=1):
        blocks += [_block(piece) for piece in pieces_of(part)]
        if count in ends and blocks:
            blocks[-1]["cache_control"] = {"type": "ephemeral"}
    return blocks


def _block(piece: str | bytes) -> TextBlockParam | ImageBlockParam:
    if isinstance(piece, str):
        return {"type": "text", "text": piece}
    data = base64.b64encode(piece).decode("ascii")
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def _usage(usage: Counted) -> Usage:
    read, written = counted(usage, "cache_read_input_tokens"), counted(usage, "cache_creation_input_tokens")
    # What came from or went into the provider's cache is not in `input_tokens`, but was read all the same.
    return Usage(counted(usage, "input_tokens") + read + written, counted(usage, "output_tokens"), read, written)


def retiring(model: str) -> str:
    """What the SDK knows about the end of a model, in a sentence; "" if nothing."""
    end = DEPRECATED_MODELS.get(model)
    return f"Anthropic retires {model} on {end}; another model will do the same work." if end else ""
