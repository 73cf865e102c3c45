"""Trajectories from videos, through OpenCV."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from car.errors import BadTrajectory, UserError
from car.frames import Frame
from car.importing.film import film
from car.trajectory import Trajectory


def import_video(path: Path, who: str = "expert", every: int = 1, *, size: tuple[int, int] | None = None) -> Trajectory:
    """The trajectory that a video shows.

    Args:
        path: a file that OpenCV can decode, e.g. MP4, AVI or GIF.
        who: who acted, ``expert`` or ``random``.
        every: 1 takes every frame, 2 every second one, and so on; the last frame is always taken, because the goal
            shows there.
        size: width and height to scale to; None leaves the frames as they are.

    Raises:
        BadTrajectory: no such file, not a video, or not one frame in it; or more than 2 GiB of frames.
        BadFrame: frames of more than 4096 pixels.
        UserError: `every` or `size` out of range.
    """
    if every < 1:
        raise UserError(f"every = {every} cannot be used; it must be 1 or more.")
    if not path.is_file():
        raise BadTrajectory(f"There is no video {path}.")
    return film(_thinned(_decoded(path), every), who, f"The video {path}", size)


def _decoded(path: Path) -> Iterator[Frame]:
    capture = cv2.VideoCapture(str(path))
    try:
        got, picture = capture.read()
        if not got:
            raise BadTrajectory("OpenCV cannot decode a frame of it; is it a video?")
        while got:
            yield np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
            got, picture = capture.read()
    finally:
        capture.release()


def _thinned(frames: Iterator[Frame], every: int) -> Iterator[Frame]:
    skipped = None
    for index, frame in enumerate(frames):
        if index % every == 0:
            skipped = None
            yield frame
        else:
            skipped = frame
    if skipped is not None:
        yield skipped
