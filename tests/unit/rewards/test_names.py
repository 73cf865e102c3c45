"""Frames are told apart by their pixels, and known ones by their identity."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from car.frames import digest
from car.rewards import names
from car.rewards.names import FrameNames


def still(level: int, shape: tuple[int, ...] = (4, 4, 3)) -> np.ndarray:
    frame = np.full(shape, level, np.uint8)
    frame.setflags(write=False)
    return frame


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=20))
def test_the_name_is_the_frames_digest_whether_it_is_known_or_not(asked: list[tuple[int, bool]]) -> None:
    known, kept = FrameNames(), [still(level) for level in range(4)]
    for level, same in asked:
        frame = kept[level] if same else np.full((4, 4, 3), level, np.uint8)
        assert known.of(frame).hex() == digest(frame)


def test_the_shape_belongs_to_it() -> None:
    known = FrameNames()
    assert known.of(still(3, (4, 9, 3))) != known.of(still(3, (6, 6, 3)))


def test_a_part_of_a_picture_is_named_by_its_pixels_alone() -> None:
    picture = np.arange(6 * 6 * 3, dtype=np.uint8).reshape(6, 6, 3)
    for part in (picture[1:5, 1:5], picture[::-1], picture[:, ::2]):
        assert FrameNames().of(part) == FrameNames().of(part.copy())


def test_of_a_known_read_only_frame_the_pixels_are_not_read_again(monkeypatch) -> None:
    read: list[np.ndarray] = []
    monkeypatch.setattr(names, "_digest", lambda frame: read.append(frame) or b"name")
    known, frame, writable = FrameNames(), still(1), np.zeros((4, 4, 3), np.uint8)
    for _ in range(3):
        known.of(frame)
    assert len(read) == 1
    for _ in range(3):
        known.of(writable)
    assert len(read) == 4


def test_what_may_be_drawn_over_is_looked_at_each_time() -> None:
    known, frame = FrameNames(), np.zeros((4, 4, 3), np.uint8)
    view = frame.view()
    view.setflags(write=False)
    before = known.of(view), known.of(frame)
    frame[:] = 9
    assert known.of(view) == known.of(frame) != before[0] == before[1]
    released = still(1)
    one = known.of(released)
    released.setflags(write=True)
    released[:] = 2
    assert known.of(released) != one


def test_the_number_of_a_frame_that_is_gone_may_come_again() -> None:
    known = FrameNames()
    for level in range(200):
        frame = still(level)
        assert known.of(frame).hex() == digest(frame)
        del frame


def test_it_keeps_a_bounded_number(monkeypatch) -> None:
    monkeypatch.setattr(names, "_NAMED", 5)
    known, frames = FrameNames(), [still(level) for level in range(20)]
    for _ in range(2):
        assert [known.of(frame).hex() for frame in frames] == [digest(frame) for frame in frames]
    assert len(known._known) == 5
