import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from car.errors import BadFrame
from car.frames import as_frame, digest, enlarged, from_picture, read_picture, to_png

frames = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=4, max_side=12).map(lambda s: (*s, 3)))


@pytest.mark.parametrize(
    ("picture", "complaint"),
    [
        (None, r"is None \(does the environment have render_mode='rgb_array'\?\)"),
        ([[0]], "is a list; it must be a uint8 RGB array"),
        (np.zeros((8, 8, 3)), "dtype float64; it must be uint8"),
        (np.zeros((8, 8, 3), np.int16), "dtype int16"),
        (np.zeros((8, 8), np.uint8), r"shape \(8, 8\); it must be \(H, W, 3\)"),
        (np.zeros((8, 8, 4), np.uint8), r"shape \(8, 8, 4\)"),
        (np.zeros((3, 8, 8), np.uint8), r"shape \(3, 8, 8\)"),
        (np.zeros((2, 8, 8, 3), np.uint8), r"shape \(2, 8, 8, 3\)"),
        (np.zeros((3, 8, 3), np.uint8), "sides must be 4 to 4096 pixels"),
        (np.zeros((8, 4097, 3), np.uint8), "sides must be 4 to 4096 pixels"),
    ],
)
def test_what_is_no_frame_is_refused(picture: Any, complaint: str) -> None:
    with pytest.raises(BadFrame, match=f"^The rendered frame .*{complaint}"):
        as_frame(picture, "rendered frame")


def test_a_frame_is_made_contiguous_and_otherwise_left_alone() -> None:
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    assert as_frame(picture) is picture
    mirrored = as_frame(picture[:, ::-1])
    assert mirrored.flags.c_contiguous
    assert np.array_equal(mirrored, picture[:, ::-1])


def test_the_digest_is_the_sha256_of_shape_and_pixels() -> None:
    picture = np.full((4, 6, 3), 7, np.uint8)
    assert digest(picture) == hashlib.sha256(b"(4, 6, 3)" + bytes([7]) * 72).hexdigest()
    changed = picture.copy()
    changed[3, 5, 2] = 8
    assert len({digest(each) for each in (picture, changed, picture.reshape(6, 4, 3))}) == 3


@given(frame=frames)
def test_a_png_gives_the_same_pixels_back(frame: np.ndarray) -> None:
    assert np.array_equal(from_picture(to_png(frame)), frame)


def test_a_png_is_rgb_for_those_who_open_it() -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    blue_green_red = cv2.imdecode(np.frombuffer(to_png(red), np.uint8), cv2.IMREAD_COLOR)
    assert blue_green_red is not None
    assert blue_green_red[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize("data", [b"", b"no picture", to_png(np.zeros((4, 4, 3), np.uint8))[:30]])
def test_bytes_that_are_no_picture_are_refused(data: bytes) -> None:
    with pytest.raises(BadFrame, match="The goal is not a picture that OpenCV can read"):
        from_picture(data, "goal")


def test_a_picture_file_is_read_and_a_missing_one_named(tmp_path: Path) -> None:
    frame = np.full((5, 6, 3), 9, np.uint8)
    (tmp_path / "a.png").write_bytes(to_png(frame))
    assert np.array_equal(read_picture(tmp_path / "a.png"), frame)
    with pytest.raises(BadFrame, match=r"b\.png cannot be read: No such file or directory"):
        read_picture(tmp_path / "b.png")


def test_a_grey_or_transparent_picture_becomes_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((5, 6), 9, np.uint8))
    cv2.imwrite(str(tmp_path / "clear.png"), np.full((5, 6, 4), 9, np.uint8))
    for name in ("grey.png", "clear.png"):
        assert np.array_equal(read_picture(tmp_path / name), np.full((5, 6, 3), 9, np.uint8))


@given(frame=frames)
def test_enlarging_repeats_each_pixel_by_a_whole_factor(frame: np.ndarray) -> None:
    large = enlarged(frame, side=48)
    factor = 48 // max(frame.shape[:2])
    assert large.shape == (frame.shape[0] * factor, frame.shape[1] * factor, 3)
    assert np.array_equal(large[::factor, ::factor], frame)
    assert np.array_equal(large[factor - 1 :: factor, factor - 1 :: factor], frame)


def test_a_frame_larger_than_wanted_keeps_its_size() -> None:
    frame = np.zeros((40, 60, 3), np.uint8)
    assert enlarged(frame, side=32).shape == frame.shape
