"""A provider on this machine that answers a generation with planted programs, late, or kills its client."""

import hashlib
import json
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.planted import doorkey as planted
from tests.unit.refine.scripted import DOOR, GOAL, KEY, RIGHT, naming, program

_WRONG_AT_FIRST = {KEY: planted.ALWAYS_TRUE, GOAL: planted.GOAL_ONE_STEP_EARLY}


@dataclass
class Killing:
    """When a client is killed.

    Args:
        request: with which of its requests, from 1.
        part: how much of the answer is sent before, from 0 to 1.
        seconds: how long after that.
    """

    request: int
    part: float
    seconds: float

    @classmethod
    def at_random(cls, chance: random.Random) -> "Killing":
        part = chance.choice([0.0, 0.0, chance.random(), 1.0, 1.0, 1.0])
        return cls(chance.randint(1, 5), part, chance.choice([0.0, chance.uniform(0, 0.05), chance.uniform(0, 1.5)]))


@dataclass
class Book:
    """What a provider writes down.

    Attributes:
        asked: how often each question was asked, by the hash of its body.
        answered: when the answer to each question was first sent to this client in full.
    """

    asked: Counter[str] = field(default_factory=Counter)
    answered: dict[str, float] = field(default_factory=dict)


@dataclass
class Provider:
    """Speaks OpenAI's Responses API.

    Args:
        delay: seconds before each answer.
        counts: what it says if it is asked how many tokens a question has.
        uncounted: whether its answers say nothing of tokens.
    """

    delay: float = 0.0
    counts: int = 3000
    uncounted: bool = False
    book: Book = field(default_factory=Book)
    client: int = 0
    killing: Killing | None = None
    killed_at: float = 0.0

    def __post_init__(self) -> None:
        self._lock, self._requests = threading.Lock(), 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                with suppress(ConnectionError):
                    owner.serve(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def expect(self, client: int, killing: Killing | None, book: Book) -> None:
        """Another client begins."""
        with self._lock:
            self.client, self.killing, self._requests, self.killed_at = client, killing, 0, 0.0
            self.book = book
            # What an earlier client was sent in the moment in which it was killed, it may have lost.
            book.answered.clear()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"]))
        if len(body) < int(handler.headers["content-length"]):
            # Killed while it was asking: that is no question yet.
            return
        if handler.path.endswith("/input_tokens"):
            _send(handler, json.dumps({"object": "response.input_tokens", "input_tokens": self.counts}).encode())
            return
        name = hashlib.sha256(body).hexdigest()
        with self._lock:
            self.book.asked[name] += 1
            self._requests += 1
            killing = self.killing if self.killing and self._requests == self.killing.request else None
        time.sleep(self.delay)
        response = _response(_answer(json.loads(body)), name)
        data = json.dumps(response | ({"usage": None} if self.uncounted else {})).encode()
        sent = len(data) if killing is None else round(len(data) * killing.part)
        _send(handler, data, sent)
        if sent == len(data):
            self.book.answered.setdefault(name, time.monotonic())
        if killing is not None:
            time.sleep(killing.seconds)
            self._kill()

    def _kill(self) -> None:
        self.killed_at = time.monotonic()
        with suppress(ProcessLookupError):
            os.kill(self.client, signal.SIGKILL)


def _send(handler: BaseHTTPRequestHandler, data: bytes, sent: int | None = None) -> None:
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[:sent])


def _answer(body: dict[str, Any]) -> str:
    """What the questions are recognised by are the words that a model would go by."""
    text = "\n".join(part.get("text", "") for part in body["input"][0]["content"])
    if "What do you think the final goal is?" in text:
        return RIGHT["goal", "", 1]  # type: ignore[return-value]
    if "What tasks must the agent complete" in text:
        return naming(planted.KEY, planted.DOOR, planted.GOAL)
    about = re.search(r'(?:You wrote a program for the sub-task|know that the sub-task|The goal is) "([^"]+)"', text)
    assert about is not None, text[-600:]
    right = RIGHT["checker", about[1], 1]
    mends = "You wrote a program" in text
    return right if mends or about[1] == DOOR else program(_WRONG_AT_FIRST[about[1]])  # type: ignore[return-value]


def _response(text: str, name: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    message = {"id": f"msg_{name[:8]}", "type": "message", "role": "assistant", "status": "completed"}
    usage = {
        "input_tokens": 1000 + int(name[:2], 16),
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 200,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1200 + int(name[:2], 16),
    }
    return {
        "id": f"resp_{name}",
        "object": "response",
        "created_at": 1741569952,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        # The hash of the question, so that whoever reads a journal knows which one a reply is to.
        "model": f"gpt-4o {name}",
        "output": [message | {"content": content}],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage,
    }
