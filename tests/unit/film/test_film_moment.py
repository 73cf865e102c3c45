import numpy as np
import pytest

from car.film.moment import Moment, Reel

FRAME = np.zeros((4, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("steps", "shown", "stride"),
    [
        (0, [0], 1),
        (4, [0, 1, 2, 3, 4], 1),
        (5, [0, 2, 4, 5], 2),
        (10, [0, 4, 8, 10], 4),
        (40, [0, 16, 32, 40], 16),
    ],
)
def test_a_reel_keeps_few_moments_evenly_and_always_the_last(steps: int, shown: list[int], stride: int) -> None:
    reel = Reel(most=5)
    for step in range(steps + 1):
        reel.add(Moment(FRAME, step))
    assert [moment.step for moment in reel.moments] == shown
    assert reel.stride == stride
