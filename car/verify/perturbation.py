"""What a camera may change in pictures without changing what they show.

What is drawn depends on the seed and the picture alone, so no answer depends on what else is asked.
"""

from collections.abc import Callable, Mapping
from functools import partial

import cv2
import numpy as np

from car.frames import Frame, Frames, digest, from_picture

SIGMA = 4.0
BRIGHTNESS = 12
QUALITY = 90

Perturbation = Callable[[Frame, Frames, int], tuple[Frame, Frames]]
"""From an episode's first frame (H, W, 3), some of its frames (n, H, W, 3) and a seed to the same, changed."""

_FIRST, _CURRENT = 0, 1
"""The first frame is looked at twice, in two pictures: as it is found, and as the frame at time 0."""
_STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))


def _dice(frame: Frame, seed: int, role: int) -> np.random.Generator:
    return np.random.default_rng([seed, role, int(digest(frame)[:16], 16)])


def _each(change: Callable[[Frame], Frame], frames: Frames) -> Frames:
    return np.stack([change(frame) for frame in frames])


def _noisy(frame: Frame, seed: int, role: int) -> Frame:
    noise = _dice(frame, seed, role).standard_normal(frame.shape, np.float32)
    changed: Frame = np.clip(np.rint(frame + SIGMA * noise), 0, 255).astype(np.uint8)
    return changed


def _noise(first: Frame, frames: Frames, seed: int) -> tuple[Frame, Frames]:
    return _noisy(first, seed, _FIRST), _each(lambda frame: _noisy(frame, seed, _CURRENT), frames)


def _brightness(by: int, first: Frame, frames: Frames, seed: int) -> tuple[Frame, Frames]:
    table = np.clip(np.arange(256) + by, 0, 255).astype(np.uint8)
    return table[first], table[frames]


def _shifted(frame: Frame, step: tuple[int, int]) -> Frame:
    """The picture moved by one pixel; what comes in at the edge is the edge once more."""
    rows, columns = (np.clip(np.arange(side) - by, 0, side - 1) for side, by in zip(frame.shape[:2], step, strict=True))
    shifted: Frame = frame[rows[:, None], columns]
    return shifted


def _step(frame: Frame, seed: int, role: int) -> tuple[int, int]:
    return _STEPS[int(_dice(frame, seed, role).integers(len(_STEPS)))]


def _shift_both(first: Frame, frames: Frames, seed: int) -> tuple[Frame, Frames]:
    step = _step(first, seed, _FIRST)
    return _shifted(first, step), _each(lambda frame: _shifted(frame, step), frames)


def _shift_current(first: Frame, frames: Frames, seed: int) -> tuple[Frame, Frames]:
    return first, _each(lambda frame: _shifted(frame, _step(frame, seed, _CURRENT)), frames)


def _through_jpeg(frame: Frame) -> Frame:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    return from_picture(data.tobytes())


def _jpeg(first: Frame, frames: Frames, seed: int) -> tuple[Frame, Frames]:
    return _through_jpeg(first), _each(_through_jpeg, frames)


PERTURBATIONS: Mapping[str, Mapping[str, Perturbation]] = {
    "noise": {f"noise of sigma {SIGMA:g}": _noise},
    "brightness": {
        f"{BRIGHTNESS} brighter": partial(_brightness, BRIGHTNESS),
        f"{BRIGHTNESS} darker": partial(_brightness, -BRIGHTNESS),
    },
    "shift": {"all frames one pixel aside": _shift_both, "the current frame one pixel aside": _shift_current},
    "jpeg": {f"JPEG of quality {QUALITY}": _jpeg},
}
"""By the name of the probe, its variants by what they are."""
