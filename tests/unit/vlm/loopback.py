"""A server on this machine that answers as a provider would, or misbehaves, and requests to ask it."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import numpy as np

from car.vlm import Picture, Request

FIRST = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
GOAL = np.random.default_rng(1).integers(0, 256, (25, 15, 3), dtype=np.uint8)


def question(text: str = "What is the goal?", stage: str = "goal", subject: str = "", attempt: int = 1) -> Request:
    parts = ("Look at two frames.", Picture(FIRST, "first frame"), Picture(GOAL, "goal frame"), text)
    return Request(stage, subject, attempt, "You see frames of a task.", parts)


class Fault(Enum):
    """What a server does in place of a whole answer."""

    HANG_UP = auto()
    RESET = auto()
    SILENCE = auto()
    CUT = auto()


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; a dict or list becomes JSON, bytes are sent as they are, None hangs up.

    Args:
        fault: what is wrong with it.
        pause: seconds before each of the `pieces` in which the body is sent.
    """

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    pause: float = 0.0
    pieces: int = 1

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    @property
    def chunks(self) -> Iterator[bytes]:
        """What is sent of the body, in pieces of about the same length."""
        sent = self.data[: len(self.data) // 2] if self.fault is Fault.CUT else self.data
        ends = [len(sent) * piece // self.pieces for piece in range(self.pieces + 1)]
        return (sent[start:end] for start, end in pairwise(ends))


HANG_UP = Answer(None, fault=Fault.HANG_UP)
RESET = Answer(None, fault=Fault.RESET)
SILENCE = Answer(None, fault=Fault.SILENCE)


def cut(answer: Answer) -> Answer:
    """Hangs up in the middle of the body."""
    return replace(answer, fault=Fault.CUT)


def slow(answer: Answer, pause: float, pieces: int) -> Answer:
    return replace(answer, pause=pause, pieces=pieces)


def half(answer: Answer) -> Answer:
    """Half of the JSON, as if it were all."""
    return replace(answer, body=answer.data[: len(answer.data) // 2])


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: Any
    at: float = field(default_factory=time.monotonic)


class Loopback:
    """Gives the answers in turn, the last one for ever, and keeps what it was asked.

    An answer may also be a function of what was asked.
    """

    def __init__(self, *answers: Answer | Callable[[Any], Answer]) -> None:
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
        if not isinstance(answer, Answer):
            answer = answer(body)
        # A client that has given up is no mistake of the server's.
        with suppress(ConnectionError):
            self._send(handler, answer)

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        if answer.fault is Fault.RESET:
            # Without lingering, closing sends a reset and no regular end.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.close(handler.connection.detach())
        if answer.fault is Fault.SILENCE:
            handler.connection.settimeout(30)
            handler.connection.recv(1)
        if answer.body is None:
            return
        handler.send_response(answer.status)
        for name, value in ({"content-type": "application/json"} | answer.headers).items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(answer.data)))
        handler.end_headers()
        for chunk in answer.chunks:
            time.sleep(answer.pause)
            handler.wfile.write(chunk)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def from_responses(text: str | None, reason: str | None = None, refusal: str | None = None) -> Answer:
    """An answer of OpenAI's Responses API; `reason` is why it is incomplete."""
    status = "incomplete" if reason else "completed"
    contents: list[dict[str, Any]] = []
    if text is not None:
        contents.append({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
    if refusal is not None:
        contents.append({"type": "refusal", "refusal": refusal})
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": contents}
    thoughts = {"id": "rs_1", "type": "reasoning", "summary": []}
    return Answer(
        {
            "id": "resp_1",
            "object": "response",
            "created_at": 1741476542,
            "status": status,
            "background": False,
            "completed_at": None if reason else 1741476543,
            "error": None,
            "incomplete_details": {"reason": reason} if reason else None,
            "instructions": "You see frames of a task.",
            "max_output_tokens": 8000,
            "max_tool_calls": None,
            "metadata": {},
            "model": "some-model-2026-01-01",
            "output": [thoughts, message] if contents else [thoughts],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "prompt_cache_key": None,
            "reasoning": {"effort": "medium", "summary": None},
            "safety_identifier": None,
            "service_tier": "default",
            "store": False,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}, "verbosity": "medium"},
            "tool_choice": "auto",
            "tools": [],
            "top_logprobs": 0,
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": {
                "input_tokens": 36,
                "input_tokens_details": {"cached_tokens": 16, "cache_write_tokens": 5},
                "output_tokens": 87,
                "output_tokens_details": {"reasoning_tokens": 64},
                "total_tokens": 123,
            },
            "user": None,
        }
    )


def failed_response(code: str, message: str) -> Answer:
    """An answer of the Responses API that says success in its status and failure in its body."""
    body = from_responses(None).body | {"status": "failed", "error": {"code": code, "message": message}, "output": []}
    return Answer(body | {"usage": None, "completed_at": None})


def from_openai(text: str | None, finish: str = "stop", refusal: str | None = None) -> Answer:
    """An answer of the Chat Completions API."""
    message = {"role": "assistant", "content": text, "refusal": refusal, "annotations": []}
    return Answer(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1741569952,
            "model": "some-model-2026-01-01",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": 19,
                "completion_tokens": 10,
                "total_tokens": 29,
                "prompt_tokens_details": {"cached_tokens": 6, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
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
