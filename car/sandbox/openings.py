"""Numbers for the first frames of episodes, under which a worker remembers what it found in them."""

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from car.frames import Frames, digest

_FEW_BYTES = 1 << 18
"""Up to here, comparing texts of bytes is cheaper than what numpy takes to begin."""


class Openings:
    """Gives each distinct first frame a number; the one not used for longest gives its number to the next.

    Args:
        most: how many numbers there are; a call must not bring more distinct frames than that.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._names: list[str] = []
        self._last: Frames = np.empty((0, 0, 0, 3), np.uint8)
        self._last_bytes = b""
        self._given: Frames | None = None
        self._last_numbers: NDArray[np.uint32] = np.empty(0, np.uint32)

    def number(self, initial: Frames, given: Frames | None = None) -> tuple[NDArray[np.uint32], list[int]]:
        """Numbers a batch of first frames.

        Args:
            initial: (m, H, W, 3), all of one size.
            given: the array that `initial` is a view of, if there is one; the same array as before is not compared if
                nobody can have changed it.

        Returns:
            The number of each, (m,), and the numbers that mean another frame than before.
        """
        given = initial if given is None else given
        if given is self._given:
            return self._last_numbers, []
        self._given = given if not given.flags.writeable and given.base is None else None
        # A step in training brings the same first frames as the step before: comparing them is cheaper than a hash.
        if initial.shape == self._last.shape and self._equals_last(initial):
            return self._last_numbers, []
        new: list[int] = []
        numbers = np.empty(len(initial), np.uint32)
        for at, frame in enumerate(initial):
            numbers[at] = self._reused(at, initial, numbers, new)
            if numbers[at] == self._most:
                numbers[at] = self._named(digest(frame), new)
            self._numbers.move_to_end(self._names[numbers[at]])
        self._last, self._last_numbers = initial.copy(), numbers
        self._last_bytes = self._last.tobytes() if self._last.nbytes <= _FEW_BYTES else b""
        return numbers, new

    def _equals_last(self, initial: Frames) -> bool:
        if initial.nbytes <= _FEW_BYTES:
            return initial.tobytes() == self._last_bytes
        return _equal(initial, self._last)

    def _reused(self, at: int, initial: Frames, numbers: NDArray[np.uint32], new: list[int]) -> int:
        """The number of an equal frame close by, or `most`."""
        if at and _equal(initial[at], initial[at - 1]):
            return int(numbers[at - 1])
        if initial.shape == self._last.shape and _equal(initial[at], self._last[at]):
            number = int(self._last_numbers[at])
            # It may have been given away within this very call.
            return number if number not in new else self._most
        return self._most

    def _named(self, name: str, new: list[int]) -> int:
        if name in self._numbers:
            return self._numbers[name]
        if len(self._names) < self._most:
            number = len(self._names)
            self._names.append(name)
        else:
            _, number = self._numbers.popitem(last=False)
            self._names[number] = name
        self._numbers[name] = number
        new.append(number)
        return number


def _equal(one: Frames, other: Frames) -> bool:
    """Whether two arrays of the same shape are equal; eight bytes at a time where they lie in one piece."""
    if one.nbytes % 8 == 0 and one.flags.c_contiguous and other.flags.c_contiguous:
        return bool((one.reshape(-1).view(np.uint64) == other.reshape(-1).view(np.uint64)).all())
    return bool((one == other).all())
