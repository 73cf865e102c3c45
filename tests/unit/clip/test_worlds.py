import numpy as np
import pytest
from minigrid.core.constants import COLOR_NAMES
from minigrid.core.grid import Grid
from minigrid.core.world_object import Key

from car.clip.worlds import collect

_TASKS = ("doorkey-5x5", "pickup-ball")


@pytest.fixture(scope="module")
def seen() -> list:
    return collect(7, 60, tasks=_TASKS)


def test_frames_are_different_ones_of_all_tasks(seen: list) -> None:
    assert {each.task for each in seen} == set(_TASKS)
    assert len({each.frame.tobytes() for each in seen}) == len(seen)
    assert len(seen) <= 60


def test_no_state_of_affairs_fills_a_task(seen: list) -> None:
    doors = [each for each in seen if each.task == "doorkey-5x5"]
    start = sum(not any(claim.holds for claim in each.claims[:-1]) for each in doors)
    assert 0 < start <= 30 * 0.25 + 1


def test_claims_are_what_the_picture_shows(seen: list) -> None:
    """The key lies on the floor if and only if its tile is drawn somewhere."""
    # MiniGrid makes tiles of fractions, which a picture cuts off.
    tiles = [Grid.render_tile(Key(colour), None, highlight=False, tile_size=8) for colour in COLOR_NAMES]
    keys = [tile.astype(np.uint8) for tile in tiles]
    frames = [each for each in seen if each.task == "doorkey-5x5"]
    held = [each.claims[0].holds for each in frames]
    drawn = [
        any(
            any(np.array_equal(each.frame[y : y + 8, x : x + 8], key) for key in keys)
            for y in range(0, each.frame.shape[0], 8)
            for x in range(0, each.frame.shape[1], 8)
        )
        for each in frames
    ]
    assert True in held
    assert False in held
    assert [not each for each in drawn] == held


def test_the_seed_decides_which_frames(seen: list) -> None:
    again, other = (collect(seed, 20, tasks=_TASKS[:1]) for seed in (7, 8))
    assert np.array_equal(again[0].frame, next(each.frame for each in seen if each.task == _TASKS[0]))
    assert not all(np.array_equal(first.frame, second.frame) for first, second in zip(again, other, strict=False))
