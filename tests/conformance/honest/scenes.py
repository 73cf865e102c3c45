"""The pictures that honest programs look at."""

from typing import Any

import cv2
import numpy as np

Pictures = np.ndarray[Any, np.dtype[np.uint8]]


def scenes() -> Pictures:
    """Three pictures, uint8 (3, 96, 128, 3): a scene, the same with everything moved, and blurred noise."""
    noise = np.random.default_rng(7)
    first, second = (_scene(shift, noise) for shift in (0, 3))
    blurred = cv2.GaussianBlur(noise.integers(0, 256, (96, 128, 3), dtype=np.uint8), (9, 9), 0)
    return np.stack([first, second, cv2.normalize(blurred, blurred, 0, 255, cv2.NORM_MINMAX)])


def _scene(shift: int, noise: np.random.Generator) -> Pictures:
    rows, columns = np.mgrid[:96, :128]
    scene = np.stack([columns + 20, rows + 60, 140 - rows], axis=-1).astype(np.uint8)
    cv2.rectangle(scene, (10 + shift, 12), (38 + shift, 36), (230, 30, 30), -1)
    cv2.circle(scene, (70, 30 + shift), 16, (30, 220, 40), -1)
    cv2.ellipse(scene, (104, 60 - shift), (18, 9), 30, 0, 360, (40, 60, 240), -1)
    star = np.array([[20, 60], [34, 66], [46, 56], [40, 74], [48, 88], [30, 80], [14, 88], [22, 74]], np.int32)
    cv2.fillPoly(scene, [star + shift], (240, 230, 40))
    cv2.putText(scene, "KEY 42", (56, 86 - shift), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1)
    speckles = noise.integers(-12, 13, scene.shape)
    return np.clip(scene + speckles, 0, 255).astype(np.uint8)
