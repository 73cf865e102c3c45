"""OpenAI, through its Responses API."""

from dataclasses import replace

from openai import Omit, omit
from openai.types.responses import (
    EasyInputMessageParam,
    Response,
    ResponseInputImageParam,
    ResponseInputMessageContentListParam,
    ResponseInputTextParam,
    ResponseTextConfigParam,
    ResponseUsage,
)

from car.vlm import Finish, Reply, Request, Usage
from car.vlm.openai_client import OpenAIClientVLM, data_url
from car.vlm.provider import failed, pieces, used_up, wellformed
from car.vlm.remote import counted

_REFUSED, _CUT_OFF = "content_filter", "max_output_tokens"
_PASSES = {"server_error", "rate_limit_exceeded"}


class OpenAIVLM(OpenAIClientVLM[Response]):
    """Asks OpenAI, or with a `base_url` another server that speaks its Responses protocol.

    The key comes from ``OPENAI_API_KEY``; a server at `base_url` may do without one.
    """

    kind = "openai"
    provider = "OpenAI"

    def _send(self, request: Request, schema: dict[str, object] | None) -> Response:
        with self._client() as client:
            return client.responses.create(
                model=self.model,
                instructions=request.system,
                input=[EasyInputMessageParam(role="user", content=_content(request))],
                max_output_tokens=self.max_output,
                prompt_cache_key=_cache_key(request),
                store=False,
                text=omit if schema is None else _text_config(schema),
            )

    def _count(self, request: Request) -> int:
        with self._client() as client:
            answer = client.responses.input_tokens.count(
                model=self.model,
                instructions=request.system,
                input=[EasyInputMessageParam(role="user", content=_content(request))],
            )
        return counted(answer, "input_tokens")

    def _reply(self, answer: Response) -> Reply:
        if answer.status == "failed":
            error = answer.error
            later = "Try again later." if error and error.code in _PASSES else ""
            raise failed(self._who(), error.message if error else "", self._key(), later)
        text, refused = _read(answer)
        reply = Reply(wellformed(text), _finish(answer, refused), _usage(answer.usage), answer.model or self.model)
        return used_up(reply, self.max_output) if _reason(answer) == _CUT_OFF else reply


def _content(request: Request) -> ResponseInputMessageContentListParam:
    return [
        ResponseInputTextParam(type="input_text", text=piece)
        if isinstance(piece, str)
        else ResponseInputImageParam(type="input_image", image_url=data_url(piece), detail="high")
        for piece in pieces(request)
    ]


def _cache_key(request: Request) -> str | Omit:
    """The same for all questions with the same rules and the same first beginning.

    OpenAI finds a kept beginning by itself, but only on the machine that has it; by this the questions go to the same.
    """
    if not request.shared:
        return omit
    return replace(request, parts=request.parts[: request.shared[0]], sample=1).sha256[:32]


def _text_config(schema: dict[str, object]) -> ResponseTextConfigParam:
    return {"format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}}


def _read(answer: Response) -> tuple[str, bool]:
    """The text, or else the words of the refusal; and whether it is a refusal."""
    messages = [item for item in answer.output if item.type == "message" and item.phase != "commentary"]
    contents = [content for message in messages for content in message.content]
    refusals = [content.refusal for content in contents if content.type == "refusal"]
    text = "".join(content.text for content in contents if content.type == "output_text")
    return text or "".join(refusals), bool(refusals)


def _finish(answer: Response, refused: bool) -> Finish:
    if refused or _reason(answer) == _REFUSED:
        return Finish.REFUSED
    return Finish.TRUNCATED if answer.status == "incomplete" else Finish.COMPLETE


def _reason(answer: Response) -> str | None:
    return answer.incomplete_details.reason if answer.incomplete_details else None


def _usage(usage: ResponseUsage | None) -> Usage:
    details = getattr(usage, "input_tokens_details", None)
    return Usage(
        counted(usage, "input_tokens"),
        counted(usage, "output_tokens"),
        counted(details, "cached_tokens"),
        counted(details, "cache_write_tokens"),
    )
