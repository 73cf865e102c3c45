"""Every server that speaks OpenAI's Chat Completions protocol: vLLM, Ollama, llama.cpp, LM Studio, gateways."""

from openai import omit
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionContentPartParam, ChatCompletionMessage
from openai.types.shared_params import ResponseFormatJSONSchema

from car.errors import UserError
from car.vlm import Finish, Reply, Request, Usage
from car.vlm.openai_client import OpenAIClientVLM, data_url
from car.vlm.provider import pieces, used_up, wellformed
from car.vlm.remote import counted

_FINISH = {"length": Finish.TRUNCATED, "content_filter": Finish.REFUSED}


class CompatibleVLM(OpenAIClientVLM[ChatCompletion]):
    """Asks the server at `base_url`. The key, if it wants one, comes from ``OPENAI_API_KEY``."""

    kind = "compatible"
    provider = "The server"

    def __post_init__(self) -> None:
        if not self.base_url:
            raise UserError(f"{self.kind}/{self.model} needs the server's address: --base-url URL, or OPENAI_BASE_URL.")
        super().__post_init__()

    def _send(self, request: Request, schema: dict[str, object] | None) -> ChatCompletion:
        with self._client() as client:
            return client.chat.completions.create(
                model=self.model,
                messages=[
                    {"role": "system", "content": request.system},
                    {"role": "user", "content": _content(request)},
                ],
                # The newer name, max_completion_tokens, is unknown to many of these servers.
                max_tokens=self.max_output,
                response_format=omit if schema is None else _format(schema),
            )

    def _reply(self, answer: ChatCompletion) -> Reply:
        choice = answer.choices[0]
        finish = Finish.REFUSED if choice.message.refusal else _FINISH.get(choice.finish_reason, Finish.COMPLETE)
        reply = Reply(_text(choice.message), finish, _usage(answer.usage), answer.model or self.model)
        return used_up(reply, self.max_output) if finish is Finish.TRUNCATED else reply


def _content(request: Request) -> list[ChatCompletionContentPartParam]:
    return [
        {"type": "text", "text": piece}
        if isinstance(piece, str)
        else {"type": "image_url", "image_url": {"url": data_url(piece)}}
        for piece in pieces(request)
    ]


def _format(schema: dict[str, object]) -> ResponseFormatJSONSchema:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


def _text(message: ChatCompletionMessage) -> str:
    text = message.content or message.refusal or ""
    if not isinstance(text, str):
        raise TypeError(f"the content is a {type(text).__name__}")
    return wellformed(text)


def _usage(usage: CompletionUsage | None) -> Usage:
    details = getattr(usage, "prompt_tokens_details", None)
    return Usage(
        counted(usage, "prompt_tokens"),
        counted(usage, "completion_tokens"),
        counted(details, "cached_tokens"),
        counted(details, "cache_write_tokens"),
    )
