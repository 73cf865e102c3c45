import numpy as np
import pytest
from numpy.typing import NDArray

from car.film import brush
from car.film.moment import Moment
from car.film.picture import Caption, Layout
from car.frames import Frame

NAMES = ("pick-up-the-key", "open-the-door", "reach-the-goal")
TITLE = Caption("a-task", ("generated reward", "episode 1 of 3, seed 2000000000"), NAMES, paid=True)


def noise(height: int, width: int) -> Frame:
    return np.random.default_rng(0).integers(0, 100, (height, width, 3)).astype(np.uint8)


def drawn(
    frame: Frame, credited: tuple[int | None, ...], caption: Caption = TITLE, success: bool | None = None
) -> Frame:
    moment = Moment(frame, 17, credited, 0.5, 0.9, success, over=success is not None)
    return Layout(frame, [caption], 360).draw(moment, caption)


def count(picture: Frame, colour: str) -> int:
    wanted = [int(colour[index : index + 2], 16) for index in (1, 3, 5)]
    return int((picture == wanted).all(axis=2).sum())


def place_of(frame: Frame, picture: Frame) -> tuple[int, int]:
    """Where in the picture the frame lies whole, pixel by pixel."""
    corner: NDArray[np.bool_] = (picture == frame[0, 0]).all(axis=2)
    height, width = frame.shape[:2]
    for y, x in np.argwhere(corner).tolist():
        if np.array_equal(picture[y : y + height, x : x + width], frame):
            return y, x
    raise AssertionError("the frame is not in the picture")


def test_a_small_frame_is_enlarged_without_smoothing_with_the_sub_tasks_beside_it() -> None:
    frame = noise(48, 48)
    picture = drawn(frame, (5, None, None))
    enlarged = frame.repeat(11, axis=0).repeat(11, axis=1)
    assert place_of(enlarged, picture)[1] == 28
    assert (picture[28:-28, 28 + 48 * 11 :] != picture[0, 0]).any()
    assert picture.shape[1] > picture.shape[0]
    assert all(side % 2 == 0 for side in picture.shape[:2])


@pytest.mark.parametrize(("height", "width"), [(400, 600), (8, 48)])
def test_a_wide_frame_has_the_sub_tasks_under_it(height: int, width: int) -> None:
    frame = noise(height, width)
    picture = drawn(frame, (5, None, None))
    factor = max(1, 560 // width)
    y, _ = place_of(frame.repeat(factor, axis=0).repeat(factor, axis=1), picture)
    assert (picture[y + height * factor + 4 :] != picture[0, 0]).any()
    assert width * factor <= picture.shape[1] <= max(width * factor, 600) + 56


def test_each_credited_sub_task_turns_green_and_fills_the_bar() -> None:
    frame = noise(48, 48)
    greens = [count(drawn(frame, credited), brush.GREEN) for credited in ((None,) * 3, (5, None, None), (5, 9, 20))]
    assert greens[0] == 0
    assert 500 < greens[1] < greens[2]


def test_the_end_says_whether_it_succeeded() -> None:
    frame = noise(48, 48)
    going, won, lost = (drawn(frame, (None,) * 3, success=success) for success in (None, True, False))
    assert count(going, brush.GREEN) == count(going, brush.RED) == 0
    assert count(won, brush.GREEN) > 5000
    assert count(lost, brush.RED) > 5000
    # Nothing else has moved.
    assert np.array_equal(won[:400], lost[:400])


def test_without_sub_tasks_there_is_only_the_frame_the_step_and_the_success() -> None:
    frame = noise(48, 48)
    caption = Caption("a-task", ("sparse reward",), (), paid=False)
    picture = drawn(frame, (), caption)
    beside = picture[28:-28, 28 + 48 * 11 + 16 :]
    assert count(beside, brush.TRACK) == 0
    # Between the title and the numbers at the bottom there is nothing.
    assert (beside[100:400] == picture[0, 0]).all()


def test_many_sub_tasks_make_the_picture_higher_and_long_names_do_not_make_it_wide() -> None:
    names = tuple(f"a-sub-task-with-a-name-that-is-much-too-long-for-any-picture-{number}" for number in range(15))
    caption = Caption("a-task", ("generated reward",), names, paid=True)
    frame = noise(48, 48)
    picture = drawn(frame, (1, *[None] * 14), caption)
    assert picture.shape[0] > drawn(frame, (1, None, None)).shape[0]
    assert picture.shape[1] <= 28 + 528 + 32 + 440 + 28
    # The last columns are margin: nothing runs out of the picture.
    assert (picture[:, -20:] == picture[0, 0]).all()


def test_text_is_cut_where_it_must_be() -> None:
    assert brush.fitting("short", 18, 200) == "short"
    cut = brush.fitting("a very long name of a sub-task", 18, 100)
    assert cut.endswith("...")
    assert brush.width_of(cut, 18) <= 100
