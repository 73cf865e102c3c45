"""Frames that stay what they were, and how often they are taken."""

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest
from hallway import Corridor, chain

from car.errors import BadFrame, UserError
from car.milestones import Shaping
from car.wrapper import DenseReward, FrameTap
from car.wrapper.camera import Shutter, Snapshot, settled


def grey(level: int) -> np.ndarray:
    return np.full((8, 8, 3), level, np.uint8)


def still(level: int) -> np.ndarray:
    frame = grey(level)
    frame.setflags(write=False)
    return frame


class CountingCamera:
    """Draws the corridor, and notes at which times."""

    def __init__(self) -> None:
        self.times: list[int] = []

    def __call__(self, env, observation):
        self.times.append(env.unwrapped.time)
        return env.render()


def test_a_picture_that_can_be_drawn_over_is_copied_and_one_that_cannot_is_not() -> None:
    canvas, own = grey(1), still(1)
    taken = settled(canvas, None)
    canvas[:] = 2
    assert (taken == 1).all()
    assert not taken.flags.writeable
    assert settled(own, None) is own
    view = canvas.view()
    view.setflags(write=False)
    seen = settled(view, None)
    canvas[:] = 3
    assert (seen == 2).all()


def test_a_picture_that_looks_like_the_one_before_is_the_one_before() -> None:
    before = still(1)
    assert settled(grey(1), before) is before
    assert settled(before, before) is before
    assert settled(grey(2), before) is not before
    assert settled(np.full((8, 9, 3), 1, np.uint8), before).shape == (8, 9, 3)
    another = still(2)
    assert settled(another, before) is another


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(BadFrame, match="The camera's picture is None"):
        settled(None, None)
    with pytest.raises(BadFrame, match="dtype float64"):
        settled(np.zeros((8, 8, 3)), still(1))


def test_a_copy_of_a_snapshot_is_the_snapshot_and_another_process_gets_the_picture() -> None:
    snapshot = Snapshot(still(7))
    assert copy.deepcopy({"frame": [snapshot]})["frame"][0] is snapshot
    assert copy.copy(snapshot) is snapshot
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(snapshot))), grey(7))
    np.testing.assert_array_equal(np.asarray(snapshot), grey(7))
    assert np.array(snapshot).flags.writeable


def test_every_third_step_and_the_last_are_looked_at() -> None:
    camera = CountingCamera()
    env = FrameTap(Corridor(max_steps=8), camera, every=3)
    for _ in range(2):
        camera.times.clear()
        infos, ended = [env.reset(seed=0)[1]], False
        while not ended:
            _, _, terminated, truncated, info = env.step(0)
            ended = terminated or truncated
            infos.append(info)
        assert camera.times == [0, 3, 6, 8]
        assert [time for time, info in enumerate(infos) if "car/frame" in info] == camera.times


def test_the_last_step_is_also_the_one_that_terminates() -> None:
    camera = CountingCamera()
    env = DenseReward(Corridor(max_steps=8), chain(Shaping("bonus")), camera=camera, every=5)
    seed = next(seed for seed in range(20) if env.reset(seed=seed)[1]["start"] == 2)
    env.reset(seed=seed)
    camera.times.clear()
    paid, told = [], []
    for _ in range(3):
        _, reward, terminated, _, info = env.step(1)
        paid.append((reward, info["car/shaped"], info["car/env_reward"]))
        told.append(info["car/credited"])
    assert terminated
    assert camera.times == [3]
    assert paid == [(0, 0, 0), (0, 0, 0), (2, 1, 1)]
    assert told == [0, 0, 3]


def test_how_often_is_at_least_never_less_than_once() -> None:
    for make in (
        lambda: Shutter(lambda env, observation: grey(0), 0),
        lambda: FrameTap(Corridor(), every=0),
        lambda: FrameTap(Corridor()).look_every(-1),
        lambda: DenseReward(Corridor(), chain(), every=0),
    ):
        with pytest.raises(UserError, match=r"every is (0|-1); it must be at least 1"):
            make()


def test_an_episode_that_ends_outside_of_the_tap_is_refused() -> None:
    env = DenseReward(gym.wrappers.TimeLimit(FrameTap(Corridor(max_steps=99)), 4), chain(), every=3)
    env.reset(seed=0)
    for _ in range(3):
        env.step(0)
    with pytest.raises(BadFrame, match="put the FrameTap around the wrapper that ends episodes"):
        env.step(0)


def test_the_reward_tells_the_tap_how_often() -> None:
    camera = CountingCamera()
    env = DenseReward(FrameTap(Corridor(max_steps=8), camera), chain(), every=4)
    env.reset(seed=0)
    for _ in range(8):
        env.step(0)
    assert camera.times == [0, 4, 8]
