"""The names of frames, found quickly."""

import hashlib
import weakref

import numpy as np

from car.frames import Frame

_NAMED = 10_000


class FrameNames:
    """The digests of frames; those of the last few thousand that nobody draws over are kept, while these live."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Frame], bytes]] = {}

    def of(self, frame: Frame) -> bytes:
        """The sha256 of a frame's shape and pixels; of a read-only one that is known, without a look at them."""
        known = self._known.get(id(frame))
        if known is not None and known[0]() is frame and not frame.flags.writeable:
            return known[1]
        name = _digest(frame)
        if not frame.flags.writeable and frame.base is None:
            self._keep(frame, name)
        return name

    def _keep(self, frame: Frame, name: bytes) -> None:
        # The number of a frame that is gone may come again, and then belongs at the end.
        self._known.pop(id(frame), None)
        self._known[id(frame)] = weakref.ref(frame), name
        if len(self._known) > _NAMED:
            del self._known[next(iter(self._known))]


def _digest(frame: Frame) -> bytes:
    hashed = hashlib.sha256(repr(frame.shape).encode())
    hashed.update(np.ascontiguousarray(frame).data)
    return hashed.digest()
