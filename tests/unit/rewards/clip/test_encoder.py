"""Equal frames are encoded once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from car.errors import UserError
from car.rewards.clip.encoder import RememberingEncoder, checked_sentences
from tests.unit.rewards.clip.small_clip import FakeEncoder, coloured

frames = st.lists(st.integers(1, 6), min_size=1, max_size=5)


def fake() -> FakeEncoder:
    return FakeEncoder({"red": (1, 0, 0)})


@given(st.lists(frames, max_size=8), st.integers(1, 10))
def test_it_says_what_the_encoder_behind_it_says(calls: list[list[int]], size: int) -> None:
    remembering = RememberingEncoder(fake(), size)
    for levels in calls:
        batch = [coloured(level, 7, 0) for level in levels]
        np.testing.assert_array_equal(remembering.images(batch), fake().images(batch))


def test_new_frames_are_one_batch_and_equal_ones_are_asked_once() -> None:
    encoder = fake()
    remembering = RememberingEncoder(encoder)
    remembering.images([coloured(1, 2, 3), coloured(1, 2, 3), coloured(4, 5, 6)])
    assert encoder.batches == [2]
    remembering.images([coloured(4, 5, 6), coloured(7, 8, 9), coloured(1, 2, 3), coloured(9, 9, 9)])
    assert encoder.batches == [2, 2]
    remembering.images([coloured(9, 9, 9)])
    assert encoder.batches == [2, 2]
    assert remembering.asked == 4


def test_it_forgets_what_was_not_met_for_longest() -> None:
    encoder = fake()
    remembering = RememberingEncoder(encoder, size=2)
    for level in (1, 2, 1, 3):
        remembering.images([coloured(level, 0, 0)])
    assert remembering.asked == 3
    remembering.images([coloured(1, 0, 0), coloured(3, 0, 0)])
    assert remembering.asked == 3
    remembering.images([coloured(2, 0, 0)])
    assert remembering.asked == 4


def test_a_batch_larger_than_its_memory_is_answered_whole() -> None:
    encoder = fake()
    remembering = RememberingEncoder(encoder, size=2)
    batch = [coloured(level, 10, 0) for level in range(1, 8)]
    np.testing.assert_array_equal(remembering.images(batch), fake().images(batch))
    remembering.images(batch[-2:])
    assert encoder.batches == [7]


def test_a_frame_that_was_drawn_over_is_another_frame() -> None:
    remembering = RememberingEncoder(fake())
    frame = coloured(1, 0, 0)
    before = remembering.images([frame])
    frame[:] = (0, 0, 9)
    assert (remembering.images([frame]) != before).any()


def test_frames_of_another_shape_with_the_same_pixels_are_others() -> None:
    remembering = RememberingEncoder(fake())
    remembering.images([np.zeros((4, 9, 3), np.uint8) + np.uint8(5)])
    remembering.images([np.zeros((6, 6, 3), np.uint8) + np.uint8(5)])
    assert remembering.asked == 2


def test_it_is_called_as_the_encoder_and_passes_sentences_on() -> None:
    encoder = fake()
    remembering = RememberingEncoder(encoder)
    assert (remembering.name, remembering.sha256) == (encoder.name, encoder.sha256)
    assert remembering.texts(["red"]).tolist() == [[1.0, 0.0, 0.0]]
    assert encoder.heard == ["red"]


def test_sentences_lose_the_space_around_them_and_none_may_be_empty() -> None:
    assert checked_sentences([" the door\t", "key\n"], "goal") == ("the door", "key")
    assert checked_sentences([], "goal") == ()
    with pytest.raises(UserError, match="A prompt of the baseline is empty; say in words what a frame shows"):
        checked_sentences(["door", " \t"], "baseline")
