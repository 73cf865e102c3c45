"""Text, bars and ticks on a picture, in the few sizes and colours that a film has."""

from functools import lru_cache
from typing import cast

from PIL import Image, ImageDraw, ImageFont

PAPER, INK, SOFT, TRACK, GREEN, RED = "#FBFBF9", "#1F2328", "#6B7280", "#E4E6EA", "#1A7F37", "#B42318"
_SHARP = 4  # shapes are drawn so many times larger and scaled down, which smooths their edges


@lru_cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The typeface of films, which comes with Pillow, at a size in pixels."""
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


def width_of(text: str, size: int) -> int:
    """How wide a line of text is, in pixels."""
    return round(font(size).getlength(text))


def fitting(text: str, size: int, width: int) -> str:
    """The text, cut with an ellipsis if it is wider than that."""
    if width_of(text, size) <= width:
        return text
    while text and width_of(f"{text}...", size) > width:
        text = text[:-1].rstrip()
    return f"{text}..."


def write(
    picture: Image.Image, at: tuple[int, int], text: str, size: int, colour: str = INK, anchor: str = "lm"
) -> None:
    """Writes a line of text; the anchor is Pillow's, e.g. ``lm`` for the middle of the left side."""
    ImageDraw.Draw(picture).text(at, text, font=font(size), fill=colour, anchor=anchor)


def bar(picture: Image.Image, at: tuple[int, int], size: tuple[int, int], share: float) -> None:
    """A rounded bar that is filled up to a share, 0 to 1."""
    width, height = size
    _stamp(picture, at, _pill(width, height), TRACK)
    if (filled := round(width * share)) > 0:
        _stamp(picture, at, _pill(max(filled, height), height), GREEN)


def pill(picture: Image.Image, at: tuple[int, int], size: tuple[int, int], colour: str) -> None:
    """A rounded box."""
    _stamp(picture, at, _pill(*size), colour)


def tick(picture: Image.Image, at: tuple[int, int], side: int, done: bool) -> None:
    """A disc with a tick in it, or an empty ring."""
    _stamp(picture, at, _disc(side, done), GREEN if done else "#C5CAD3")


def _stamp(picture: Image.Image, at: tuple[int, int], mask: Image.Image, colour: str) -> None:
    picture.paste(Image.new("RGB", mask.size, colour), at, mask)


@lru_cache(maxsize=512)
def _pill(width: int, height: int) -> Image.Image:
    large = Image.new("L", (width * _SHARP, height * _SHARP), 0)
    corners = (0, 0, width * _SHARP - 1, height * _SHARP - 1)
    ImageDraw.Draw(large).rounded_rectangle(corners, height * _SHARP // 2, fill=255)
    return large.resize((width, height), Image.Resampling.LANCZOS)


@lru_cache
def _disc(side: int, ticked: bool) -> Image.Image:
    full = side * _SHARP
    large = Image.new("L", (full, full), 0)
    draw = ImageDraw.Draw(large)
    draw.ellipse((0, 0, full - 1, full - 1), fill=255)
    if ticked:
        line = [(round(x * full), round(y * full)) for x, y in ((0.27, 0.53), (0.44, 0.70), (0.74, 0.34))]
        draw.line(line, fill=0, width=round(0.11 * full), joint="curve")
    else:
        inner = round(0.11 * full)
        draw.ellipse((inner, inner, full - 1 - inner, full - 1 - inner), fill=0)
    return large.resize((side, side), Image.Resampling.LANCZOS)
