"""The fast renderer draws what MiniGrid draws."""

import time
from itertools import pairwise

import gymnasium as gym
import numpy as np
import pytest
from minigrid.core.world_object import Ball, Box, Door

from car.errors import BadTask
from car.frames import as_frame
from car.tasks import find_task
from car.tasks.grid_camera import GridCamera
from car.tasks.minigrid import TASKS


def _drawn(env, tile_size=8):
    return env.unwrapped.get_frame(highlight=False, tile_size=tile_size)


def _walk(env, steps, seed=0):
    """Random steps over as many episodes as they take; yields after each reset and each step."""
    rng = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    yield observation
    for _ in range(steps):
        observation, _, terminated, truncated, _ = env.step(int(rng.integers(env.action_space.n)))
        yield observation
        if terminated or truncated:
            observation, _ = env.reset(seed=int(rng.integers(2**31)))
            yield observation


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_frames_equal_minigrids_own_and_stay_as_they_were(task):
    env, camera = task.make_env(), task.make_camera()
    kept = []
    for observation in _walk(env, 300):
        frame, drawn = camera(env, observation), _drawn(env)
        assert np.array_equal(frame, drawn)
        kept.append((frame, drawn))
    assert all(np.array_equal(frame, drawn) for frame, drawn in kept)


def test_the_same_array_comes_back_exactly_when_the_picture_is_the_same():
    task = find_task("doorkey-6x6")
    env, camera = task.make_env(), task.make_camera()
    frames = [camera(env, observation) for observation in _walk(env, 300)]
    for before, after in pairwise(frames):
        assert (before is after) == np.array_equal(before, after)
    assert len({id(frame) for frame in frames}) > 10


@pytest.mark.parametrize("kept_bytes", [0, 3 * 48 * 48 * 3, 1 << 20])
def test_pictures_that_are_kept_are_the_right_ones_over_many_episodes(kept_bytes):
    env, camera = gym.make("MiniGrid-DoorKey-6x6-v0", max_steps=50), GridCamera(kept_bytes=kept_bytes)
    seen = {}
    for observation in _walk(env, 900):
        frame, drawn = camera(env, observation), _drawn(env)
        assert np.array_equal(frame, drawn)
        seen.setdefault(drawn.tobytes(), set()).add(id(frame))
        assert len(camera._taken) * frame.nbytes <= kept_bytes
    if kept_bytes == 1 << 20:
        again = [ids for ids in seen.values() if len(ids) == 1]
        assert len(again) > 0.9 * len(seen)


def test_a_view_that_comes_again_gets_the_picture_that_it_had():
    env, camera = gym.make("MiniGrid-DoorKey-6x6-v0"), GridCamera()
    env.reset(seed=0)
    first = camera(env, None)
    env.step(0)
    turned = camera(env, None)
    env.step(1)
    assert camera(env, None) is first
    env.step(0)
    assert camera(env, None) is turned
    forgetful = GridCamera(kept_bytes=0)
    before = forgetful(env, None)
    env.step(1)
    between = forgetful(env, None)
    env.step(0)
    assert forgetful(env, None) is not before
    assert np.array_equal(forgetful(env, None), before)
    assert not np.array_equal(between, before)


class Lamp(Ball):
    """A thing that draws by more than its kind and its colour."""

    lit = False

    def encode(self):
        return (*super().encode()[:2], int(self.lit))

    def render(self, img):
        super().render(img)
        if self.lit:
            img[:] = 255


def test_a_thing_with_an_encoding_of_its_own_is_asked_for_it():
    env = gym.make("MiniGrid-Empty-6x6-v0")
    env.reset(seed=0)
    lamp, camera = Lamp("red"), GridCamera()
    env.unwrapped.grid.set(2, 2, lamp)
    off = camera(env, None)
    lamp.lit = True
    lit = camera(env, None)
    assert np.array_equal(lit, _drawn(env))
    assert not np.array_equal(off, lit)
    lamp.lit = False
    assert camera(env, None) is off


def test_a_thing_that_says_it_is_another_one_is_not_taken_for_it():
    class Twin(Ball):
        def __eq__(self, other):
            return isinstance(other, Twin)

        __hash__ = None

    env = gym.make("MiniGrid-Empty-6x6-v0")
    env.reset(seed=0)
    camera, grid = GridCamera(), env.unwrapped.grid
    grid.set(2, 2, Twin("red"))
    red = camera(env, None)
    grid.set(2, 2, Twin("blue"))
    assert np.array_equal(camera(env, None), _drawn(env))
    assert not np.array_equal(camera(env, None), red)


def test_frames_are_read_only_and_pass_the_frame_check_untouched():
    task = find_task("unlock")
    env, camera = task.make_env(), task.make_camera()
    env.reset(seed=0)
    frame = camera(env, None)
    with pytest.raises(ValueError, match="read-only"):
        frame[0, 0] = 1
    assert as_frame(frame) is frame


def _paint_the_ball(env, ball):
    ball.color = "purple"


def _swap_the_ball(env, ball):
    env.grid.set(2, 2, Box("blue"))


def _open_the_door(env, ball):
    env.grid.get(3, 3).is_open = True


def _unlock_the_door(env, ball):
    env.grid.get(3, 3).is_locked = False


def _turn(env, ball):
    env.agent_dir = (env.agent_dir + 1) % 4


def _jump(env, ball):
    env.agent_pos = np.array([3, 2])


def _stand_on_the_ball(env, ball):
    env.agent_pos = (2, 2)


@pytest.mark.parametrize(
    "change",
    [_paint_the_ball, _swap_the_ball, _open_the_door, _unlock_the_door, _turn, _jump, _stand_on_the_ball],
)
def test_whatever_changes_is_repainted(change):
    env = gym.make("MiniGrid-Empty-6x6-v0")
    env.reset(seed=0)
    world, ball = env.unwrapped, Ball("blue")
    world.grid.set(2, 2, ball)
    world.grid.set(3, 3, Door("red", is_locked=True))
    camera = GridCamera()
    before = camera(env, None)
    change(world, ball)
    after = camera(env, None)
    assert after is not before
    assert not np.array_equal(after, before)
    assert np.array_equal(after, _drawn(env))


def test_cameras_of_several_tile_sizes_and_environments_do_not_disturb_each_other():
    envs = [gym.make("MiniGrid-Empty-5x5-v0"), gym.make("MiniGrid-DoorKey-8x8-v0")]
    for env in envs:
        env.reset(seed=1)
    small, large = GridCamera(4), GridCamera(16)
    for env in (*envs, *envs):
        assert np.array_equal(small(env, None), _drawn(env, 4))
        assert np.array_equal(large(env, None), _drawn(env, 16))


def test_the_camera_is_several_times_faster_than_minigrid():
    task = find_task("doorkey-8x8")
    env, camera = task.make_env(), task.make_camera()
    seconds = {"camera": 0.0, "minigrid": 0.0}
    for observation in _walk(env, 300):
        began = time.process_time()
        camera(env, observation)
        between = time.process_time()
        _drawn(env)
        seconds["camera"] += between - began
        seconds["minigrid"] += time.process_time() - between
    assert seconds["camera"] * 5 < seconds["minigrid"]


def test_what_the_camera_cannot_serve_is_refused():
    with pytest.raises(BadTask, match="CartPoleEnv is none"):
        GridCamera()(gym.make("CartPole-v1"), None)
    with pytest.raises(BadTask, match="tile_size = 0"):
        GridCamera(0)
