"""A server on this machine that answers as a provider would, and requests to ask it."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import numpy as np

from car.vlm import Picture, Request

FIRST = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
GOAL = np.random.default_rng(1).integers(0, 256, (25, 15, 3), dtype=np.uint8)


def question(text: str = "What is the goal?", stage: str = "goal", subject: str = "", attempt: int = 1) -> Request:
    parts = ("Look at two frames.", Picture(FIRST, "first frame"), Picture(GOAL, "goal frame"), text)
    return Request(stage, subject, attempt, "You see frames of a task.", parts)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; a dict or list becomes JSON, bytes are sent as they are, None hangs up."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: Any


class Loopback:
    """Gives the answers in turn, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.received = list(answers), list[Received]()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                owner.serve(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.received.append(Received(handler.path, headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.body is None:
            return
        handler.send_response(answer.status)
        for name, value in ({"content-type": "application/json"} | answer.headers).items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(answer.data)))
        handler.end_headers()
        handler.wfile.write(answer.data)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def from_openai(text: str | None, finish: str = "stop", refusal: str | None = None) -> Answer:
    message = {"role": "assistant", "content": text, "refusal": refusal, "annotations": []}
    return Answer(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1741569952,
            "model": "some-model-2026-01-01",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29},
            "service_tier": "default",
        }
    )


def from_anthropic(text: str | None, stop: str = "end_turn", explanation: str | None = None) -> Answer:
    details = {"type": "refusal", "category": None, "explanation": explanation} if stop == "refusal" else None
    return Answer(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "some-model-20260101",
            "content": [] if text is None else [{"type": "text", "text": text, "citations": None}],
            "stop_reason": stop,
            "stop_sequence": None,
            "stop_details": details,
            "usage": {
                "input_tokens": 12,
                "cache_creation_input_tokens": 4,
                "cache_read_input_tokens": 3,
                "output_tokens": 10,
            },
        }
    )


def openai_error(status: int, message: str, code: str | None = None, **headers: str) -> Answer:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Answer({"error": error}, status, {name.replace("_", "-"): value for name, value in headers.items()})


def anthropic_error(status: int, kind: str, message: str, **headers: str) -> Answer:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return Answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()})
