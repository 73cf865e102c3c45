import dataclasses
from typing import Any

import numpy as np
import pytest

from car.film.playing import LARGEST, NoSubTasks, play
from car.frames import Frame
from tests.unit.train.empty_room import EMPTY_ROOM, QUICK, HalfWay, Loafer, Solver


def test_an_episode_knows_when_each_sub_task_was_credited() -> None:
    episode = play(Solver(), EMPTY_ROOM, HalfWay(), QUICK, seed=7)
    assert episode.names == ("moved", "moved-down")
    assert [moment.step for moment in episode.moments] == [0, 1, 2, 3, 4, 5]
    assert [moment.credited for moment in episode.moments] == [(None, None), *[(1, None)] * 3, (1, 4), (1, 4)]
    assert [moment.shaped for moment in episode.moments] == [0, 0.5, 0.5, 0.5, 1, 1]
    assert [moment.over for moment in episode.moments] == [False] * 5 + [True]
    assert [moment.success for moment in episode.moments] == [None] * 5 + [True]
    assert episode.last.own == pytest.approx(1 - 0.9 * 5 / 20)
    assert episode.moments[0].frame.shape == (40, 40, 3)
    assert not np.array_equal(episode.moments[0].frame, episode.moments[1].frame)
    # The last frame shows the agent on the goal, and not the beginning of another episode.
    assert (episode.last.frame[-16:-8, -16:-8] == (255, 0, 0)).all(axis=2).any()


def test_steps_that_the_reward_does_not_look_at_are_filmed_too() -> None:
    every = dataclasses.replace(QUICK, every=3)
    seldom, always = (play(Solver(), EMPTY_ROOM, HalfWay(), settings, seed=7) for settings in (every, QUICK))
    assert [moment.step for moment in seldom.moments] == [0, 1, 2, 3, 4, 5]
    for one, other in zip(seldom.moments, always.moments, strict=True):
        np.testing.assert_array_equal(one.frame, other.frame)
    assert seldom.moments[1].credited == (None, None)
    assert seldom.last.credited == (3, 5)


def test_what_is_done_on_the_first_frame_is_credited_at_the_start() -> None:
    class FromTheStart(HalfWay):
        def signals(self, initial, frames, ask):  # type: ignore[no-untyped-def]
            return np.where(ask, [1.0, 0.0], np.nan)

    episode = play(Loafer(), EMPTY_ROOM, FromTheStart(), QUICK, seed=7)
    assert episode.last.credited == (0, None)
    assert episode.last.shaped == 0


def test_without_a_reward_nothing_is_credited_and_frames_are_there_all_the_same() -> None:
    episode = play(Loafer(), EMPTY_ROOM, None, QUICK, seed=7)
    assert (episode.names, episode.last.credited, episode.last.shaped) == ((), (), None)
    assert (episode.last.step, episode.last.success, episode.last.own) == (20, False, 0.0)
    assert episode.moments[0].frame.shape == (40, 40, 3)
    assert NoSubTasks().names == ()


def test_an_episode_that_does_not_end_is_left() -> None:
    episode = play(Loafer(), EMPTY_ROOM, HalfWay(), QUICK, seed=7, longest=6)
    assert (episode.last.step, episode.last.over, episode.last.success) == (6, True, None)


class Large:
    """A camera with a large sensor."""

    def __call__(self, env: Any, observation: Any) -> Frame:
        return np.full((500, 1000, 3), 7, np.uint8)


def test_large_frames_are_kept_small() -> None:
    large = dataclasses.replace(EMPTY_ROOM, camera="tests.unit.film.test_film_playing:Large")
    assert play(Loafer(), large, None, QUICK, seed=0).last.frame.shape == (LARGEST // 2, LARGEST, 3)
