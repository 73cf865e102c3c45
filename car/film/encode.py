"""Pictures into the file of a film, whole or not at all: GIF through Pillow, MP4 through OpenCV."""

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from car.errors import UserError
from car.files import write_atomically
from car.frames import Frame

FORMATS = ("gif", "mp4")

_PER_SECOND = 8
_FIRST_SECONDS, _LAST_SECONDS = 0.5, 2.0
_SAMPLED = 8
_COLOURS = 255


def write_film(pictures: Sequence[Frame], lasts: Collection[int], path: Path) -> None:
    """Writes pictures one after another, eight a second.

    Args:
        pictures: uint8 RGB, all of one size with even sides; each is asked for when it is needed, perhaps twice.
        lasts: which pictures are the last ones of an episode, by their index; these stay for two seconds, and those
            after them for half a second.
        path: ends in ``.gif`` or ``.mp4``, which says the format.

    Raises:
        UserError: it cannot be written in this format.
        OSError: the disk is full or the folder cannot be written.
    """
    counts = [_stays(index, lasts) for index in range(len(pictures))]
    (_write_mp4 if path.suffix == ".mp4" else _write_gif)(pictures, counts, path)


def _stays(index: int, lasts: Collection[int]) -> int:
    """How long a picture stays, in pictures."""
    if index in lasts:
        return round(_LAST_SECONDS * _PER_SECOND)
    return round(_FIRST_SECONDS * _PER_SECOND) if index == 0 or index - 1 in lasts else 1


def _write_gif(pictures: Sequence[Frame], counts: Sequence[int], path: Path) -> None:
    palette = _palette(pictures)
    # One palette for all, so that what does not change need not be stored again.
    drawn = (Image.fromarray(each).quantize(palette=palette, dither=Image.Dither.NONE) for each in pictures)
    milliseconds = [count * 1000 // _PER_SECOND for count in counts]
    with write_atomically(path) as stream:
        next(drawn).save(
            stream, "GIF", save_all=True, append_images=drawn, duration=milliseconds, loop=0, disposal=1, optimize=False
        )


def _palette(pictures: Sequence[Frame]) -> Image.Image:
    """The colours of some of the pictures, the first and the last among them."""
    chosen = np.unique(np.linspace(0, len(pictures) - 1, _SAMPLED).round().astype(int))
    together = Image.fromarray(np.concatenate([pictures[index] for index in chosen], axis=0))
    return together.quantize(_COLOURS, dither=Image.Dither.NONE)


def _write_mp4(pictures: Sequence[Frame], counts: Sequence[int], path: Path) -> None:
    height, width = pictures[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "film.mp4"
        writer = cv2.VideoWriter(str(made), cv2.VideoWriter.fourcc(*"mp4v"), _PER_SECOND, (width, height))
        try:
            if not writer.isOpened():
                raise UserError("OpenCV cannot write MP4 here; make a GIF instead.")
            for picture, count in zip(pictures, counts, strict=True):
                for _ in range(count):
                    writer.write(np.ascontiguousarray(picture[:, :, ::-1]))
        finally:
            writer.release()
        with write_atomically(path) as stream:
            stream.write(made.read_bytes())
