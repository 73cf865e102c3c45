"""The digests of pictures that are remembered while their array lives."""

import gc

import numpy as np

from car.trajectory import Trajectory


def _played(pictures: np.ndarray, *order: int) -> Trajectory:
    return Trajectory(pictures, np.array(order), None, None, 3, "random", None)


def _pictures(*levels: int) -> np.ndarray:
    made = np.stack([np.full((4, 4, 3), level, np.uint8) for level in levels])
    made.flags.writeable = False
    return made


def test_episodes_that_share_pictures_have_the_hashes_that_they_have_alone() -> None:
    shared = _pictures(1, 2, 3)
    together = [_played(shared, 0, 1, 0).sha256(), _played(shared, 2, 1).sha256(), _played(shared, 0, 1, 0).sha256()]
    alone = [_played(_pictures(1, 2, 3), *order).sha256() for order in ((0, 1, 0), (2, 1), (0, 1, 0))]
    assert together == alone
    assert len(set(together)) == 2


def test_the_picture_at_the_same_place_of_a_later_array_has_a_hash_of_its_own() -> None:
    """Arrays come and go, and the number by which one is known may come again."""
    found = set()
    for level in range(50):
        found.add(_played(_pictures(level), 0).sha256())
        gc.collect()
    assert len(found) == 50


def test_what_was_written_to_before_it_became_a_trajectory_is_hashed_as_it_is_now() -> None:
    pictures = np.zeros((1, 4, 4, 3), np.uint8)
    before = _played(pictures, 0)
    first = before.sha256()
    pictures[:] = 9
    assert _played(pictures, 0).sha256() == _played(_pictures(9), 0).sha256()
    assert before.sha256() == first
