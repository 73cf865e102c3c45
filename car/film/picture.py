"""One picture of a film: the environment's frame, and beside or under it what has been done."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from car.film import brush
from car.film.moment import Moment
from car.frames import Frame

_SIDE = 560  # a frame is enlarged by the largest whole factor that leaves its longer side at most so long
_MARGIN, _GAP = 28, 32
_ROW, _LINE = 32, 28
_TITLE, _TEXT, _SMALL = 25, 18, 15
_NARROWEST, _WIDEST, _HALF = 300, 440, 284
_TICK = 20


@dataclass(frozen=True)
class Caption:
    """What is written over the numbers, the same on all pictures of an episode.

    Args:
        title: e.g. the task.
        lines: smaller, under it.
        names: of the sub-tasks.
        paid: whether the reward pays something of its own.
    """

    title: str
    lines: tuple[str, ...]
    names: tuple[str, ...]
    paid: bool


class Layout:
    """Where everything goes, so that nothing moves between two pictures.

    Args:
        frame: any frame of the film; the others have its size.
        captions: of all episodes.
        steps: the largest number of steps that is shown.
    """

    def __init__(self, frame: Frame, captions: Sequence[Caption], steps: int) -> None:
        height, width = frame.shape[:2]
        self._factor = max(1, _SIDE // max(height, width))
        width, height = width * self._factor, height * self._factor
        self._steps = max(brush.width_of(_at(steps), _SMALL), brush.width_of(f"{steps:,}", _TEXT))
        text = max(self._width(each) for each in captions)
        told, counted = (max(measure(each) for each in captions) for measure in (_told_height, _counted_height))
        self._under = width > 1.25 * height
        if self._under:
            side = max(width, 2 * _HALF + _GAP)
            column = (side - _GAP) // 2
            self._told = _Column(_MARGIN, _MARGIN + height + _GAP, column)
            self._counted = _Column(_MARGIN + side - column, self._told.y, column)
            self.size = _even(side + 2 * _MARGIN, self._told.y + max(told, counted) + _MARGIN)
            self._frame_at = _MARGIN + (side - width) // 2, _MARGIN
        else:
            column, x = min(max(text, _NARROWEST), _WIDEST), _MARGIN + width + _GAP
            inner = max(height, told + _GAP + counted)
            self._told = _Column(x, _MARGIN, column)
            self._counted = _Column(x, _MARGIN + inner - counted, column)
            self.size = _even(x + column + _MARGIN, inner + 2 * _MARGIN)
            self._frame_at = _MARGIN, _MARGIN + (inner - height) // 2

    def _width(self, caption: Caption) -> int:
        names = [brush.width_of(name, _TEXT) + _TICK + 12 + 16 + self._steps for name in caption.names]
        lines = [brush.width_of(line, _SMALL) for line in caption.lines]
        return max([brush.width_of(caption.title, _TITLE), *lines, *names])

    def draw(self, moment: Moment, caption: Caption) -> Frame:
        """The picture, uint8 RGB; its sides are even, as some films need them."""
        picture = Image.new("RGB", self.size, brush.PAPER)
        frame = moment.frame.repeat(self._factor, axis=0).repeat(self._factor, axis=1)
        picture.paste(Image.fromarray(frame), self._frame_at)
        self._tell(picture, moment, caption)
        self._count(picture, moment, caption)
        return np.asarray(picture)

    def _tell(self, picture: Image.Image, moment: Moment, caption: Caption) -> None:
        x, y, width = self._told.x, self._told.y, self._told.width
        brush.write(picture, (x, y + _TITLE // 2), brush.fitting(caption.title, _TITLE, width), _TITLE)
        y += _TITLE + 12
        for line in caption.lines:
            brush.write(picture, (x, y + 9), brush.fitting(line, _SMALL, width), _SMALL, brush.SOFT)
            y += 22
        y += 14
        for name, step in zip(caption.names, moment.credited, strict=True):
            self._milestone(picture, y + _ROW // 2, name, step)
            y += _ROW
        if caption.names:
            done = sum(step is not None for step in moment.credited)
            counted = f"{done} of {len(caption.names)}"
            room = brush.width_of(counted, _SMALL) + 14
            brush.bar(picture, (x, y + 13), (width - room, 10), done / len(caption.names))
            brush.write(picture, (x + width, y + 18), counted, _SMALL, brush.SOFT, "rm")

    def _milestone(self, picture: Image.Image, middle: int, name: str, step: int | None) -> None:
        x, width = self._told.x, self._told.width
        done = step is not None
        brush.tick(picture, (x, middle - _TICK // 2), _TICK, done)
        shown = brush.fitting(name, _TEXT, width - _TICK - 12 - 16 - self._steps)
        brush.write(picture, (x + _TICK + 12, middle), shown, _TEXT, brush.INK if done else brush.SOFT)
        if step is not None:
            brush.write(picture, (x + width, middle), _at(step), _SMALL, brush.GREEN, "rm")

    def _count(self, picture: Image.Image, moment: Moment, caption: Caption) -> None:
        x, y, width = self._counted.x, self._counted.y, self._counted.width
        numbers = [("step", f"{moment.step:,}")]
        if caption.paid:
            numbers.append(("reward for sub-tasks", f"{moment.shaped or 0.0:.2f}"))
        numbers.append(("reward of the environment", f"{moment.own:.2f}"))
        for name, number in numbers:
            brush.write(picture, (x, y + _LINE // 2), name, _TEXT, brush.SOFT)
            brush.write(picture, (x + width, y + _LINE // 2), number, _TEXT, brush.INK, "rm")
            y += _LINE
        if moment.over:
            said, colour = _ended(moment)
            brush.pill(picture, (x, y + 12), (width, 40), colour)
            brush.write(picture, (x + width // 2, y + 32), said, _TEXT, "#FFFFFF", "mm")


@dataclass(frozen=True)
class _Column:
    x: int
    y: int
    width: int


def _ended(moment: Moment) -> tuple[str, str]:
    if moment.success is None:
        return "not over yet", brush.SOFT
    return ("success", brush.GREEN) if moment.success else ("no success", brush.RED)


def _at(step: int) -> str:
    return f"step {step:,}" if step else "at the start"


def _told_height(caption: Caption) -> int:
    rows = len(caption.names) * _ROW + 28 if caption.names else 0
    return _TITLE + 12 + 22 * len(caption.lines) + 14 + rows


def _counted_height(caption: Caption) -> int:
    return (2 + caption.paid) * _LINE + 52


def _even(width: int, height: int) -> tuple[int, int]:
    return width + width % 2, height + height % 2
