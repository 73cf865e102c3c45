"""The sizes of our own CLIP."""

from collections.abc import Mapping
from dataclasses import dataclass

from car.errors import UnknownName


@dataclass(frozen=True)
class Size:
    """One size.

    Args:
        width: of both transformers.
        layers: of the vision transformer; the text transformer has one.
    """

    width: int
    layers: int

    @property
    def heads(self) -> int:
        """Of each attention layer, 16 channels each."""
        return self.width // 16


SIZES: Mapping[str, Size] = {"xs": Size(16, 1), "s": Size(32, 1), "m": Size(48, 2), "l": Size(64, 2)}
"""From the smallest to the largest."""


def find_size(name: str) -> Size:
    """The size with a name.

    Raises:
        UnknownName: there is none.
    """
    if name not in SIZES:
        raise UnknownName("size of CLIP", name, list(SIZES))
    return SIZES[name]
