"""One small question with a picture, to see whether a VLM answers, sees, and what it costs."""

import random
import re
import time
from dataclasses import dataclass

import numpy as np

from car.frames import Frame
from car.vlm import VLM, Finish, Picture, Reply, Request, Usage
from car.vlm.price import Pricing

COLOURS = {"red": (220, 30, 30), "green": (30, 170, 50), "blue": (40, 60, 220), "yellow": (240, 220, 40)}
MAX_OUTPUT = 2000
_SIDE = 128


@dataclass(frozen=True)
class Trial:
    """What came of it.

    Args:
        shown: the colour of the square in the picture.
        said: the answer.
        sees: whether the answer names that colour and no other.
        finish: how the answer ended.
        model: the model that answered, as it calls itself.
        note: what the VLM wants to be known.
        usage: tokens.
        cost: what it cost; None if the price is not known.
        seconds: how long it took.
    """

    shown: str
    said: str
    sees: bool
    finish: Finish
    model: str
    note: str
    usage: Usage
    cost: float | None
    seconds: float


def try_out(vlm: VLM, price: Pricing, chance: random.Random | None = None) -> Trial:
    """Asks for the colour of a square, which is another one from time to time.

    Raises:
        ProviderError: the provider failed, in its own words.
    """
    shown = (chance or random.Random()).choice(sorted(COLOURS))  # noqa: S311 - nothing is kept secret by it
    began = time.monotonic()
    reply = vlm.ask(_question(shown))
    seconds = time.monotonic() - began
    return Trial(
        shown,
        reply.text.strip(),
        _sees(reply, shown),
        reply.finish,
        reply.model,
        reply.note,
        reply.usage,
        price.of(reply.usage),
        seconds,
    )


def _question(colour: str) -> Request:
    system = "You answer a question about a picture in one word."
    return Request("trial", "", 1, system, (Picture(_square(colour), "the picture"), "Which colour is the square?"))


def _square(colour: str) -> Frame:
    frame = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
    frame[_SIDE // 4 : -_SIDE // 4, _SIDE // 4 : -_SIDE // 4] = COLOURS[colour]
    return frame


def _sees(reply: Reply, shown: str) -> bool:
    said = set(re.findall(r"[a-z]+", reply.text.lower()))
    return said & set(COLOURS) == {shown}
