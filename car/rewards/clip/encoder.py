"""Images and sentences as unit vectors in one space."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from car.errors import UserError
from car.frames import Frame
from car.rewards.names import FrameNames

KEPT = 20_000
"""Embeddings of frames."""


class Encoder(Protocol):
    """A CLIP: an image encoder and a text encoder."""

    @property
    def name(self) -> str:
        """What to call it."""
        ...

    @property
    def sha256(self) -> str:
        """Of its weights."""
        ...

    def images(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Unit embeddings of frames of one size, n of (H, W, 3), as (n, d)."""
        ...

    def texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Unit embeddings of sentences, as (m, d)."""
        ...


class RememberingEncoder:
    """An encoder that is asked about equal frames once.

    Args:
        encoder: who is asked.
        size: for how many frames it is remembered; the one that was not met for longest is forgotten first.
    """

    def __init__(self, encoder: Encoder, size: int = KEPT) -> None:
        self.name = encoder.name
        self.sha256 = encoder.sha256
        self.asked = 0
        self._encoder, self._size = encoder, size
        self._names = FrameNames()
        self._known: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    def texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """The encoder's own."""
        return self._encoder.texts(sentences)

    def images(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """The encoder's, which sees the new ones of the frames in one batch."""
        names = [self._names.of(frame) for frame in frames]
        missing = {name: frame for name, frame in zip(names, frames, strict=True) if name not in self._known}
        fresh = dict(zip(missing, self._encoder.images(list(missing.values())), strict=True)) if missing else {}
        self.asked += len(fresh)
        rows = []
        for name in names:
            row = fresh.get(name)
            if row is None:
                row = self._known[name]
                self._known.move_to_end(name)
            rows.append(row)
        self._known |= fresh
        while len(self._known) > self._size:
            self._known.popitem(last=False)
        return np.stack(rows)


def checked_sentences(sentences: Sequence[str], what: str) -> tuple[str, ...]:
    """Sentences without the space around them.

    Args:
        sentences: what was given.
        what: what they are, for the error.

    Raises:
        UserError: one of them is empty.
    """
    stripped = tuple(each.strip() for each in sentences)
    if not all(stripped):
        raise UserError(f"A prompt of the {what} is empty; say in words what a frame shows.")
    return stripped
