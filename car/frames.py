"""Frames: one picture is uint8 RGB of shape (H, W, 3)."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from car.errors import BadFrame

Frame = NDArray[np.uint8]
"""One picture: uint8 RGB, shape (H, W, 3)."""

Frames = NDArray[np.uint8]
"""A batch of pictures: uint8 RGB, shape (n, H, W, 3)."""

_SMALLEST, _LARGEST = 4, 4096


def as_frame(picture: object, what: str = "frame") -> Frame:
    """The picture as a contiguous frame, or BadFrame with what was wrong.

    Args:
        picture: anything; only a uint8 array of shape (H, W, 3) with sides of 4 to 4096 pixels is accepted.
        what: what to call the picture in the error.

    Raises:
        BadFrame: not an array, another dtype, another number of axes or channels, or an absurd size.
    """
    if not isinstance(picture, np.ndarray):
        raise BadFrame(f"The {what} is {_named(picture)}; it must be a uint8 RGB array of shape (H, W, 3).")
    if picture.dtype != np.uint8:
        raise BadFrame(f"The {what} has dtype {picture.dtype}; it must be uint8 (0 to 255).")
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise BadFrame(f"The {what} has shape {picture.shape}; it must be (H, W, 3), RGB.")
    if not all(_SMALLEST <= side <= _LARGEST for side in picture.shape[:2]):
        raise BadFrame(f"The {what} has shape {picture.shape}; sides must be {_SMALLEST} to {_LARGEST} pixels.")
    return np.ascontiguousarray(picture)


def _named(thing: object) -> str:
    return "None (does the environment have render_mode='rgb_array'?)" if thing is None else f"a {type(thing).__name__}"


def digest(frame: Frame) -> str:
    """The sha256 of a frame's shape and pixels, as hex: the frame's name everywhere."""
    return hashlib.sha256(repr(frame.shape).encode() + frame.tobytes()).hexdigest()


def to_png(frame: Frame) -> bytes:
    """The frame as the bytes of a PNG file."""
    # OpenCV's default is fast and ten times larger on pictures with few colours, which pages and bundles are full of.
    small = (cv2.IMWRITE_PNG_COMPRESSION, 9)
    ok, data = cv2.imencode(".png", cv2.cvtColor(as_frame(frame), cv2.COLOR_RGB2BGR), small)
    if not ok:
        raise BadFrame(f"OpenCV could not encode a frame of shape {frame.shape} as PNG.")
    return bytes(data.tobytes())


def from_picture(data: bytes, what: str = "picture") -> Frame:
    """The frame in the bytes of a PNG, JPEG or other picture file that OpenCV reads.

    Raises:
        BadFrame: the bytes are not a picture.
    """
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if decoded is None:
        raise BadFrame(f"The {what} is not a picture that OpenCV can read.")
    return as_frame(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB).astype(np.uint8), what)


def read_picture(path: Path) -> Frame:
    """The frame in a picture file.

    Raises:
        BadFrame: there is no such file, or it is not a picture.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadFrame(f"The picture {path} cannot be read: {error.strerror}.") from error
    return from_picture(data, f"picture {path}")


def enlarged(frame: Frame, side: int = 512) -> Frame:
    """The frame enlarged by a whole factor, without smoothing, so that its longer side is about `side` pixels."""
    factor = max(1, side // max(frame.shape[:2]))
    return np.ascontiguousarray(frame.repeat(factor, axis=0).repeat(factor, axis=1))
