"""The part of a batch that is asked at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from car.frames import Frames
from car.sandbox.channel import FrameStore, Sheet


@dataclass(slots=True)
class Chunk:
    """The part of a batch that lies in the frame store.

    Args:
        store: where the frames are; its slot i has frame i of the chunk.
        rows: the row in the batch of each frame, (m,).
        initial: the first frame for each frame, (m, H, W, 3).
        numbers: the number of each first frame, (m,).
        what: `worker.ASK` or `worker.EXPLAIN`.
        sheet: where the answers go.
    """

    store: FrameStore
    rows: NDArray[np.intp]
    initial: Frames
    numbers: NDArray[np.uint32]
    what: int
    sheet: Sheet
