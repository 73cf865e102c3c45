import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from car.sandbox.openings import Openings


def frames(*values: int, side: int = 4) -> np.ndarray:
    return np.stack([np.full((side, side, 3), value, np.uint8) for value in values])


def test_equal_frames_have_one_number() -> None:
    openings = Openings(8)
    numbers, new = openings.number(frames(5, 6, 6, 5))
    assert numbers.tolist() == [0, 1, 1, 0]
    assert new == [0, 1]
    assert openings.number(frames(6))[1] == []


def test_the_least_recently_used_number_is_given_away() -> None:
    openings = Openings(2)
    openings.number(frames(1, 2))
    openings.number(frames(1))
    numbers, new = openings.number(frames(3))
    assert numbers.tolist() == new == [1]
    assert openings.number(frames(1))[0].tolist() == [0]


def test_a_number_is_not_reused_for_a_frame_that_lost_it_in_the_same_call() -> None:
    openings = Openings(3)
    openings.number(frames(1, 2))
    openings.number(frames(3, 2))
    openings.number(frames(3, 2))
    numbers, new = openings.number(frames(4, 1))
    assert sorted(new) == sorted(set(numbers.tolist()))
    assert len(new) == 2


def test_the_frames_given_may_change_afterwards() -> None:
    openings, batch = Openings(4), frames(1)
    openings.number(batch)
    batch[:] = 2
    assert openings.number(batch)[0].tolist() == [1]


@pytest.mark.parametrize("side", [4, 5])
@given(batches=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=4), max_size=12))
def test_a_number_means_one_frame_until_it_is_called_new(side: int, batches: list[list[int]]) -> None:
    openings, meaning = Openings(4), dict[int, int]()
    for values in batches:
        numbers, new = openings.number(frames(*values, side=side))
        meaning = {number: value for number, value in meaning.items() if number not in new}
        for number, value in zip(numbers.tolist(), values, strict=True):
            assert number < 4
            assert meaning.setdefault(number, value) == value
