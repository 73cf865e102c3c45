"""The vision-language model, as one method: ask.

Providers are the only files that know a provider: `openai`, `anthropic`, `compatible`, `manual`, `replay`. `journal`
and `recording` wrap any of them.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from car.frames import Frame, digest


@dataclass(frozen=True)
class Picture:
    """A picture in a request.

    Args:
        frame: uint8 RGB (H, W, 3), as it is to be sent.
        caption: what it shows, e.g. ``first frame``; also names the file in the `manual` way.
        original: the same picture before it was enlarged; None if it was not.
    """

    frame: Frame
    caption: str
    original: Frame | None = None


class Measured(str):
    """Text in a request that holds measured times, which differ from run to run.

    It is no part of the request's hash: the same question asked again must find the reply that was paid for.
    """

    __slots__ = ()


@dataclass(frozen=True)
class Request:
    """One question, complete in itself: it needs no conversation before it.

    Args:
        stage: ``goal``, ``subtasks``, ``checker``, ``refine`` or ``faster``; ``trial`` for `car doctor`.
        subject: the sub-task's name, or "" where the whole task is meant.
        attempt: 1 for the first try.
        system: the rules that are the same in every request.
        parts: text and pictures in the order in which they are to be read.
        sample: which of several independent answers to the same question this is to be, from 1.
        shared: after how many parts a beginning ends that other questions of the same task have too, in rising order;
            what a provider may keep and read again for less.
        schema: the JSON schema of the answer, for providers that can hold a model to one; None where it is free text.
    """

    stage: str
    subject: str
    attempt: int
    system: str
    parts: tuple[str | Picture, ...]
    sample: int = 1
    shared: tuple[int, ...] = ()
    schema: Mapping[str, object] | None = field(default=None, hash=False)

    @property
    def sha256(self) -> str:
        """The hash of all that the VLM gets to see but for measured times, and of the sample, as hex.

        How the text is cut into parts makes no difference.
        """
        seen = list(_joined(self.parts))
        told = [self.system, seen] if self.sample == 1 else [self.system, seen, self.sample]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @property
    def pictures(self) -> Sequence[Picture]:
        """The pictures, in order."""
        return [part for part in self.parts if isinstance(part, Picture)]


def _joined(parts: Sequence[str | Picture]) -> Iterator[str | dict[str, str]]:
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str) and not isinstance(part, Measured):
            texts.append(part)
            continue
        if texts:
            yield "\n\n".join(texts)
        texts = []
        if isinstance(part, Picture):
            yield {"caption": part.caption, "frame": digest(part.frame)}
    if texts:
        yield "\n\n".join(texts)


class Finish(StrEnum):
    """Why a reply ended."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    REFUSED = "refused"


@dataclass(frozen=True)
class Usage:
    """Tokens, as the provider counted them; 0 where nobody counts.

    Args:
        input_tokens: of the question, those from and for the provider's cache included.
        output_tokens: of the answer, with what the model thought before it.
        cache_read_tokens: those of the question that came from the provider's cache.
        cache_write_tokens: those of the question that went into it.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )

    @property
    def tokens(self) -> int:
        """All tokens, in and out."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True)
class Reply:
    """What came back.

    Args:
        text: the reply as it came.
        finish: whether it is whole.
        usage: tokens.
        model: the model that answered, as the provider names it.
        note: something a person should know, e.g. that the recording is of another prompt.
    """

    text: str
    finish: Finish = Finish.COMPLETE
    usage: Usage = Usage()
    model: str = ""
    note: str = ""


class VLM(Protocol):
    """Something that answers questions about pictures."""

    @property
    def name(self) -> str:
        """Provider and model, e.g. ``anthropic/<model>`` or ``replay/<recording>``."""
        ...

    def ask(self, request: Request) -> Reply:
        """The reply; a truncated or refused one is a value.

        Raises:
            ProviderError: the provider failed for good, in its own words.
        """
        ...


@runtime_checkable
class Leaver(Protocol):
    """A VLM that can be told that nobody waits any longer: what it would try again costs anew."""

    def leave(self) -> None:
        """What is being asked is not tried again; answers that are on their way still come."""
        ...
