"""One trajectory from frames that have no actions."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from car.errors import BadTrajectory, UserError
from car.frames import Frame
from car.trajectory import Trajectory

LARGEST_BYTES = 2 * 2**30


def film(frames: Iterable[Frame], who: str, what: str, size: tuple[int, int] | None) -> Trajectory:
    """The trajectory of these frames; an expert's is taken as a success, because its giver says so.

    Args:
        frames: frames (H, W, 3).
        who: ``expert`` or ``random``.
        what: what to call the source in errors.
        size: width and height to scale to; None leaves the frames as they are.

    Raises:
        BadFrame: a frame of an absurd size.
        BadTrajectory: no frames, frames of different sizes, or more than 2 GiB of them.
        UserError: a size out of range.
    """
    if size is not None and not all(4 <= side <= 4096 for side in size):
        raise UserError(f"The size {size[0]} x {size[1]} cannot be used; sides must be 4 to 4096 pixels.")
    try:
        return Trajectory.of(_bounded(frames, what, size), who, success=True if who == "expert" else None)
    except BadTrajectory as error:
        raise BadTrajectory(f"{what} cannot be imported. {error}") from error


def _bounded(frames: Iterable[Frame], what: str, size: tuple[int, int] | None) -> Iterator[Frame]:
    used = 0
    for frame in frames:
        scaled = frame if size is None else resized(frame, size)
        used += scaled.nbytes
        if used > LARGEST_BYTES:
            raise BadTrajectory(
                f"It has more than {LARGEST_BYTES / 2**30:g} GiB of frames; scale them down or take fewer."
            )
        yield scaled


def resized(frame: Frame, size: tuple[int, int]) -> Frame:
    """The frame scaled to width and height, by area."""
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
