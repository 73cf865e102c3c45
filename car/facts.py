"""Facts measured from frames, as data for a prompt: a VLM's eye is good at what, poor at where and how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from car.frames import Frame

_FAMILIES = (
    ("red", 0, 9),
    ("orange", 10, 20),
    ("yellow", 21, 34),
    ("green", 35, 79),
    ("cyan", 80, 99),
    ("blue", 100, 127),
    ("purple", 128, 149),
    ("pink", 150, 169),
    ("red", 170, 179),
)
_COARSE = 16
_MANY_COLOURS = 256

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels; x to the right, y down, from the top left corner."""

_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True)
class Colour:
    """One colour of a frame.

    Args:
        rgb: red, green, blue, 0 to 255.
        hsv: OpenCV's scale: hue 0 to 179, saturation and value 0 to 255.
        share: of all pixels, 0 to 1.
        pixels: how many.
    """

    rgb: tuple[int, int, int]
    hsv: tuple[int, int, int]
    share: float
    pixels: int


@dataclass(frozen=True)
class Region:
    """One connected region (8 neighbours) of one colour family.

    Args:
        family: red, orange, yellow, green, cyan, blue, purple, pink, black, grey or white.
        box: x, y, width, height in pixels; x to the right, y down, from the top left corner.
        pixels: its area.
        rgb: its most frequent exact colour.
    """

    family: str
    box: Box
    pixels: int
    rgb: tuple[int, int, int]


@dataclass(frozen=True)
class Change:
    """One place where two frames differ.

    Args:
        box: x, y, width, height in pixels.
        pixels: how many pixels differ inside.
        before: the most frequent colour of those pixels in the first frame.
        after: the same in the second frame.
    """

    box: Box
    pixels: int
    before: tuple[int, int, int]
    after: tuple[int, int, int]


@dataclass(frozen=True)
class FrameFacts:
    """What was measured on one frame.

    Args:
        width: in pixels.
        height: in pixels.
        exact: False if there are so many colours that they were rounded to multiples of 16.
        colours: the most frequent first.
        regions: the largest first, the background's family left out.
    """

    width: int
    height: int
    exact: bool
    colours: tuple[Colour, ...]
    regions: tuple[Region, ...]


def measure(frame: Frame, colours: int = 14, regions: int = 24) -> FrameFacts:
    """The facts of one frame: at most so many colours and regions."""
    exact = len(np.unique(_codes(frame))) <= _MANY_COLOURS
    rounded = frame if exact else (frame // _COARSE * _COARSE + _COARSE // 2).astype(np.uint8)
    return FrameFacts(
        width=frame.shape[1],
        height=frame.shape[0],
        exact=exact,
        colours=_colours(rounded, colours),
        regions=_regions(rounded, regions),
    )


def changes(first: Frame, second: Frame, most: int = 16) -> tuple[Change, ...]:
    """Where two frames of one size differ: connected places, the largest first; gaps of up to 2 pixels are bridged."""
    differs = (first != second).any(axis=2)
    joined = cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)).astype(np.uint8)
    found = []
    for box, changed in _components(joined, differs, most):
        before, after = _cut(first, box)[changed], _cut(second, box)[changed]
        found.append(Change(box, int(changed.sum()), _mode(before), _mode(after)))
    return tuple(sorted(found, key=lambda each: (-each.pixels, each.box))[:most])


def family(rgb: Sequence[int]) -> str:
    """The colour family of one RGB colour."""
    names: NDArray[np.str_] = _families(np.array(rgb, np.uint8).reshape(1, 1, 3))
    return str(names[0, 0])


def _codes(frame: Frame) -> NDArray[np.int64]:
    wide = frame.astype(np.int64)
    codes: NDArray[np.int64] = (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
    return codes


def _rgb(code: int) -> tuple[int, int, int]:
    return (code >> 16) & 255, (code >> 8) & 255, code & 255


def _colours(frame: Frame, most: int) -> tuple[Colour, ...]:
    codes, counts = np.unique(_codes(frame), return_counts=True)
    order = np.lexsort((codes, -counts))[:most]
    total = frame.shape[0] * frame.shape[1]
    return tuple(
        Colour(_rgb(int(codes[i])), _hsv(_rgb(int(codes[i]))), float(counts[i] / total), int(counts[i])) for i in order
    )


def _hsv(rgb: tuple[int, int, int]) -> tuple[int, int, int]:
    pixel = cv2.cvtColor(np.array(rgb, np.uint8).reshape(1, 1, 3), cv2.COLOR_RGB2HSV)[0, 0]
    return int(pixel[0]), int(pixel[1]), int(pixel[2])


def _families(frame: Frame) -> NDArray[np.str_]:
    hue, saturation, value = cv2.split(cv2.cvtColor(frame, cv2.COLOR_RGB2HSV))
    names = np.full(hue.shape, "grey", dtype="<U6")
    for name, low, high in _FAMILIES:
        names[(hue >= low) & (hue <= high)] = name
    pale = saturation < 48
    names[pale] = "grey"
    names[pale & (value > 200)] = "white"
    names[value < 40] = "black"
    return names


def _regions(frame: Frame, most: int) -> tuple[Region, ...]:
    names = _families(frame)
    kinds, counts = np.unique(names, return_counts=True)
    background = kinds[counts.argmax()]
    found = []
    for kind in kinds[kinds != background]:
        mask = names == kind
        for box, inside in _components(mask.astype(np.uint8), mask, most):
            found.append(Region(str(kind), box, int(inside.sum()), _mode(_cut(frame, box)[inside])))
    return tuple(sorted(found, key=lambda each: (-each.pixels, each.box))[:most])


def _components(mask: NDArray[np.uint8], counted: NDArray[np.bool_], most: int) -> list[tuple[Box, NDArray[np.bool_]]]:
    """The connected components of the mask with the most counted pixels.

    Returns:
        The box of each, and its counted pixels within that box.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    sizes = np.bincount(labels[counted], minlength=count)[1:]
    x, y, width, height = stats[1:, :4].T
    largest = np.lexsort((height, width, y, x, -sizes))[:most]
    made = []
    for label in sorted(int(each) + 1 for each in largest):
        left, top, wide, high = (int(value) for value in stats[label, :4])
        box = left, top, wide, high
        made.append((box, (_cut(labels, box) == label) & _cut(counted, box)))
    return made


def _cut(pixels: NDArray[_T], box: Box) -> NDArray[_T]:
    x, y, width, height = box
    return pixels[y : y + height, x : x + width]


def _mode(pixels: NDArray[np.uint8]) -> tuple[int, int, int]:
    codes, counts = np.unique(_codes(pixels.reshape(1, -1, 3)), return_counts=True)
    return _rgb(int(codes[counts.argmax()]))
