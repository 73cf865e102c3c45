"""How many tokens a request has, estimated without asking anyone.

Providers count in ways of their own. Text: the prompts of this package have 2.4 to 3.0 characters a token in the
o200k_base encoding, and other encodings are up to a fifth apart. Pictures: Anthropic documents width x height / 750;
OpenAI patches of 32 x 32 pixels times a factor of the model, or 85 and 170 for each tile of 512 x 512.
"""

import math
from dataclasses import dataclass

from car.vlm import Request, Usage

_MOST_CHARACTERS, _FEWEST_CHARACTERS = 3.2, 2.0
_PIXELS = 750
_PATCH, _PATCH_FACTOR = 32, 2.5
_TILE, _FOR_TILE, _FOR_PICTURE = 512, 170, 85


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, both included."""

    low: int
    high: int

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.high + other.high)

    def times(self, number: int) -> "Range":
        """So many of it."""
        return Range(self.low * number, self.high * number)


def tokens_of_text(characters: int) -> Range:
    """The tokens of a text of this length."""
    return Range(math.ceil(characters / _MOST_CHARACTERS), math.ceil(characters / _FEWEST_CHARACTERS))


def tokens_of_picture(height: int, width: int) -> Range:
    """The tokens of a picture of this size in pixels."""
    by_area = math.ceil(width * height / _PIXELS)
    by_tile = _FOR_PICTURE + _FOR_TILE * math.ceil(width / _TILE) * math.ceil(height / _TILE)
    by_patch = math.ceil(_PATCH_FACTOR * math.ceil(width / _PATCH) * math.ceil(height / _PATCH))
    counted = by_area, by_tile, by_patch
    return Range(min(counted), max(counted))


def tokens_of(request: Request) -> Range:
    """The tokens of a request, system text and pictures included."""
    texts = [request.system, *(each if isinstance(each, str) else each.caption for each in request.parts)]
    total = tokens_of_text(sum(map(len, texts)))
    for picture in request.pictures:
        total += tokens_of_picture(*picture.frame.shape[:2])
    return total


def at_most(request: Request, max_output: int) -> Usage:
    """The most that a call is expected to use, if its answer may have so many tokens."""
    return Usage(tokens_of(request).high, max_output)
