"""Small CLIPs: one with hand-made vectors, and a random one of `transformers` in a folder."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from car.frames import Frame


def unit(*numbers: float) -> NDArray[np.float32]:
    """The unit vector in this direction."""
    vector = np.array(numbers, np.float64)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def units(rng: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    """Random unit vectors, the last axis being theirs."""
    vectors = rng.standard_normal(shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


class FakeEncoder:
    """Sentences mean what they are said to; a frame means the direction of its first pixel's red, green and blue.

    `batches` has how many frames there were in each call, `heard` the sentences.
    """

    name, sha256 = "fake", "f" * 64

    def __init__(self, meanings: Mapping[str, Sequence[float]]) -> None:
        self.meanings = {sentence: unit(*vector) for sentence, vector in meanings.items()}
        self.batches: list[int] = []
        self.heard: list[str] = []

    def images(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        self.batches.append(len(frames))
        return np.stack([unit(*frame[0, 0].tolist()) for frame in frames])

    def texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        self.heard += sentences
        return np.stack([self.meanings[each] for each in sentences])


def coloured(red: int, green: int, blue: int, side: int = 4) -> Frame:
    """A frame of one colour."""
    return np.full((side, side, 3), (red, green, blue), np.uint8)


def save_tiny(folder: Path, seed: int = 0) -> Path:
    """Writes a random CLIP of our smallest size, always the same one for a seed; skips without `transformers`."""
    pytest.importorskip("transformers")
    import torch

    from car.clip.model import PROCESSOR, new_model, new_tokeniser
    from car.clip.sizes import SIZES
    from car.rewards.clip import transformer

    tokeniser = new_tokeniser()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = new_model(SIZES["xs"], tokeniser)
    transformer.save(model, tokeniser, PROCESSOR, folder)
    return folder


class HashingEncoder:
    """Every sentence and every frame means a direction of its own, always the same one, as for a CLIP that is lost."""

    name, sha256 = "hashing", "0" * 64

    def __init__(self, width: int = 8) -> None:
        self._width = width

    def images(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        return np.stack([self._direction(frame.tobytes()) for frame in frames])

    def texts(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._direction(each.encode()) for each in sentences])

    def _direction(self, told: bytes) -> NDArray[np.float32]:
        return units(np.random.default_rng(zlib.crc32(told)), self._width).astype(np.float32)
