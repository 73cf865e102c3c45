"""Recorded sessions with a VLM: one JSON file, and a wrapper that writes it around any VLM."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self, TypeVar

from car.errors import BadRecording
from car.files import write_text
from car.vlm import VLM, Finish, Leaver, Reply, Request, Usage

FORMAT = "car-recording/1"
T = TypeVar("T", str, int, list[object], dict[str, object])


@dataclass(frozen=True)
class Exchange:
    """A question, known by its hash and its place in the session, and the reply to it."""

    request_sha256: str
    stage: str
    subject: str
    attempt: int
    reply: Reply
    sample: int = 1

    @classmethod
    def of(cls, request: Request, reply: Reply) -> Self:
        """The exchange of a request and its reply."""
        return cls(request.sha256, request.stage, request.subject, request.attempt, reply, request.sample)

    @property
    def place(self) -> tuple[str, str, int, int]:
        """Stage, subject, attempt and sample."""
        return self.stage, self.subject, self.attempt, self.sample

    def to_json(self) -> dict[str, object]:
        """The exchange as JSON values; `note` only where there is one, `sample` only for a further one."""
        reply = self.reply
        values: dict[str, object] = {
            "request_sha256": self.request_sha256,
            "stage": self.stage,
            "subject": self.subject,
            "attempt": self.attempt,
            "finish": reply.finish.value,
            "model": reply.model,
            "usage": usage_to_json(reply.usage),
            "text": reply.text,
        }
        sample = {} if self.sample == 1 else {"sample": self.sample}
        return values | sample | ({"note": reply.note} if reply.note else {})

    @classmethod
    def from_json(cls, values: object) -> Self:
        """The exchange that `to_json` gave.

        Raises:
            ValueError: something is missing or of the wrong kind; says what.
        """
        if not isinstance(values, dict):
            raise ValueError("an exchange is not an object")
        reply = Reply(
            text=field(values, "text", str),
            finish=Finish(field(values, "finish", str)),
            usage=usage_from_json(field(values, "usage", dict)),
            model=field(values, "model", str),
            note=field({"note": "", **values}, "note", str),
        )
        place = field(values, "stage", str), field(values, "subject", str), field(values, "attempt", int)
        return cls(field(values, "request_sha256", str), *place, reply, field({"sample": 1, **values}, "sample", int))


@dataclass(frozen=True)
class Recording:
    """A recorded session.

    Args:
        made: how it was made, as a sentence.
        model: the model that answered first.
        exchanges: in the order in which they were asked.
    """

    made: str
    model: str
    exchanges: tuple[Exchange, ...]


def load_recording(path: Path) -> Recording:
    """The recording in a file.

    Raises:
        BadRecording: there is no such file, it is damaged, or its format is unknown.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRecording(f"The recording {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise BadRecording(f"The recording {path} is damaged: it is not JSON ({error}).") from error
    form = values.get("format") if isinstance(values, dict) else None
    if form != FORMAT:
        raise BadRecording(
            f"{path} is not a recording that this version reads: its format is {form!r}, not {FORMAT!r}."
        )
    try:
        exchanges = tuple(Exchange.from_json(exchange) for exchange in field(values, "exchanges", list))
        return Recording(field(values, "made", str), field(values, "model", str), exchanges)
    except ValueError as error:
        raise BadRecording(f"The recording {path} is damaged: {error}.") from error


def save_recording(recording: Recording, path: Path) -> None:
    """Writes a recording, atomically.

    Raises:
        OSError: the file cannot be written; what was there before is untouched.
    """
    values = {
        "format": FORMAT,
        "made": recording.made,
        "model": recording.model,
        "exchanges": [exchange.to_json() for exchange in recording.exchanges],
    }
    write_text(path, json.dumps(values, indent=1) + "\n")


class Recorder:
    """Records what a VLM says, as it says it.

    An existing file is continued. Of two replies to the same request the later one stays.

    Args:
        vlm: the one to ask.
        path: the file to write.
        made: how the recording is made, as a true sentence.

    Attributes:
        vlm: the one that is asked.
        recording: what is recorded so far.

    Raises:
        BadRecording: there is a file at `path` that is not a recording.
    """

    def __init__(self, vlm: VLM, path: Path, made: str) -> None:
        self.vlm, self._path, self._lock = vlm, path, threading.Lock()
        before = load_recording(path) if path.exists() else Recording(made, "", ())
        # A file that was begun in another way must go on saying so.
        self.recording = before if made in before.made else replace(before, made=f"{before.made} {made}".strip())

    @property
    def name(self) -> str:
        """The name of the VLM that is asked."""
        return self.vlm.name

    def ask(self, request: Request) -> Reply:
        """The reply, on disk before it is returned.

        Raises:
            ProviderError: from the VLM that is asked.
            OSError: the recording cannot be written.
        """
        reply = self.vlm.ask(request)
        with self._lock:
            self._record(Exchange.of(request, reply))
        return reply

    def leave(self) -> None:
        """Tells the VLM that nobody waits any longer, if it can be told."""
        if isinstance(self.vlm, Leaver):
            self.vlm.leave()

    def arrange(self, requests: Sequence[Request]) -> None:
        """Puts the exchanges into the order of these requests, behind those of other sessions.

        Where several are asked at once, they are recorded as they are answered.

        Raises:
            OSError: the recording cannot be written; it stays as it was.
        """
        place = {request.sha256: number for number, request in enumerate(requests)}
        with self._lock:
            exchanges = sorted(self.recording.exchanges, key=lambda each: place.get(each.request_sha256, -1))
            self.recording = replace(self.recording, exchanges=tuple(exchanges))
            save_recording(self.recording, self._path)

    def _record(self, exchange: Exchange) -> None:
        known = list(self.recording.exchanges)
        places = {other.request_sha256: place for place, other in enumerate(known)}
        if exchange.request_sha256 not in places:
            known.append(exchange)
        elif known[places[exchange.request_sha256]] == exchange:
            return
        else:
            # Asked anew, because the first answer was cut off, or all was to be asked anew.
            known[places[exchange.request_sha256]] = exchange
        model = self.recording.model or exchange.reply.model or self.name
        self.recording = replace(self.recording, model=model, exchanges=tuple(known))
        save_recording(self.recording, self._path)


def usage_to_json(usage: Usage) -> dict[str, int]:
    """Tokens as JSON values; those of the provider's cache only where there are some."""
    cached = {"cache_read_tokens": usage.cache_read_tokens, "cache_write_tokens": usage.cache_write_tokens}
    counted = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return counted | {name: tokens for name, tokens in cached.items() if tokens}


def usage_from_json(values: Mapping[str, object]) -> Usage:
    """The tokens that `usage_to_json` gave.

    Raises:
        ValueError: a number is missing or none.
    """
    known = {"cache_read_tokens": 0, "cache_write_tokens": 0, **values}
    return Usage(*(field(known, each.name, int) for each in fields(Usage)))


def field(values: Mapping[str, object], name: str, kind: type[T]) -> T:
    """One value of a JSON object.

    Raises:
        ValueError: it is missing or of another kind.
    """
    value = values.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name!r} is missing or not of type {kind.__name__}")
    return value
