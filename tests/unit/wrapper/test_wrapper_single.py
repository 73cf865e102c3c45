"""`DenseReward` around one environment, and in Gymnasium's vectors."""

import copy

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from hallway import CELLS, Corridor, TableReward, chain

from car.errors import BadFrame, BadTask, UnknownName, UserError
from car.milestones import Shaping
from car.wrapper import DenseReward, FrameTap

BONUS = Shaping("bonus")
RIGHT, LEFT = 1, 0


@pytest.fixture(autouse=True)
def registered():
    gym.register("test/Corridor-v0", Corridor)
    yield
    gym.registry.pop("test/Corridor-v0")


def start_at(env: gym.Env, cell: int) -> dict:
    """Resets until the episode starts in this cell; the info."""
    info = {"start": None}
    seed = 0
    while info["start"] != cell:
        _, info = env.reset(seed=seed)
        seed += 1
    return info


def test_each_milestone_is_paid_once_and_the_environments_reward_is_kept() -> None:
    env = DenseReward(Corridor(), chain(BONUS))
    assert start_at(env, 2)["car/credited"] == 0
    paid, infos = [], []
    for action in (RIGHT, LEFT, RIGHT, RIGHT, RIGHT):
        _, reward, terminated, _, info = env.step(action)
        paid.append(reward)
        infos.append(info)
    assert terminated
    assert paid == pytest.approx([1 / 3, 0, 0, 1 / 3, 1 + 1 / 3])
    assert [info["car/env_reward"] for info in infos] == [0, 0, 0, 0, 1]
    # Gymnasium's vectors make the array of the first value's type, and in one of integers a reward of 0.97 would be 0.
    assert {type(info["car/env_reward"]) for info in infos} == {float}
    assert [info["car/shaped"] for info in infos] == pytest.approx([1 / 3, 0, 0, 1 / 3, 1 / 3])
    assert [info["car/credited"] for info in infos] == [1, 1, 1, 2, 3]
    assert infos[3]["car/milestones"] == {"task-0": True, "task-1": True, "task-2": False}
    assert infos[3]["time"] == 4


def test_replacing_leaves_the_environments_reward_in_info_only() -> None:
    env = DenseReward(Corridor(), chain(BONUS), env_reward="replace")
    start_at(env, 2)
    *_, (_, reward, _, _, info) = [env.step(RIGHT) for _ in range(3)]
    assert reward == pytest.approx(1 / 3)
    assert info["car/env_reward"] == 1


def test_the_potential_is_kept_where_time_is_up_and_dropped_where_the_environment_ends() -> None:
    env = DenseReward(Corridor(max_steps=1), chain(Shaping(gamma=0.9)))
    start_at(env, 2)
    _, reward, terminated, truncated, _ = env.step(RIGHT)
    assert (terminated, truncated) == (False, True)
    assert reward == pytest.approx(0.9 * (1 + 3 / 4) / 3 - 2 / 3 / 3)
    env = DenseReward(Corridor(), chain(Shaping(gamma=0.9)))
    start_at(env, 2)
    *_, before, (_, reward, terminated, _, _) = [env.step(RIGHT) for _ in range(3)]
    assert terminated
    assert reward == pytest.approx(1 - (2 + 4 / 5) / 3)
    assert before[4]["car/credited"] == 2


def test_what_the_first_frame_shows_is_credited_and_not_paid() -> None:
    table = np.zeros((3, CELLS, 2))
    table[:, :, 0] = 1
    env = DenseReward(Corridor(), TableReward(table, [[], [0]], BONUS))
    _, info = env.reset(seed=0)
    assert info["car/milestones"] == {"task-0": True, "task-1": False}
    assert env.step(LEFT)[4]["car/shaped"] == 0


def test_a_frame_is_asked_again_only_where_one_milestone_opens_the_next() -> None:
    reward = chain(BONUS)
    env = DenseReward(Corridor(), reward)
    start_at(env, 2)
    reward.calls.clear()
    env.step(LEFT)
    assert len(reward.calls) == 1
    env.step(RIGHT)
    env.step(RIGHT)  # reaches cell 3
    assert len(reward.calls) == 4


def test_a_milestone_and_its_successor_on_an_episodes_last_frame_are_both_paid() -> None:
    table = np.zeros((3, CELLS, 2))
    table[:, CELLS - 1] = 1
    env = DenseReward(Corridor(), TableReward(table, [[], [0]], BONUS))
    start_at(env, 2)
    *_, (_, _, terminated, _, info) = [env.step(RIGHT) for _ in range(3)]
    assert terminated
    assert info["car/shaped"] == 1


@pytest.mark.parametrize("view", ["vector", "picture", "planes", "dict"])
@pytest.mark.parametrize("observe", [False, True])
@pytest.mark.filterwarnings("ignore:.*The environment .* is different from the unwrapped version.*:UserWarning")
def test_it_passes_gymnasiums_check(view, observe) -> None:
    env = gym.make("test/Corridor-v0", view=view, render_mode="rgb_array")
    check_env(DenseReward(env, chain(), observe_milestones=observe))


def test_milestones_in_a_vector() -> None:
    env = DenseReward(Corridor(), chain(), observe_milestones=True)
    start_at(env, 2)
    observation = env.step(RIGHT)[0]
    assert observation.dtype == np.float32
    assert observation.tolist() == pytest.approx([3 / 6, 1 / 8, 1, 0, 0])
    assert env.observation_space.shape == (5,)


def test_milestones_in_a_dict() -> None:
    env = DenseReward(Corridor("dict"), chain(), observe_milestones=True)
    start_at(env, 2)
    observation = env.step(RIGHT)[0]
    assert set(observation) == {"here", "picture", "milestones"}
    assert observation["milestones"].tolist() == [1, 0, 0]
    assert env.observation_space["milestones"].shape == (3,)


def test_milestones_in_pictures_of_either_layout() -> None:
    for view, channel, expected in (("picture", np.s_[:, :, 3], 85), ("planes", np.s_[3], 10 / 3)):
        env = DenseReward(Corridor(view), chain(), observe_milestones=True)
        start_at(env, 2)
        observation = env.step(RIGHT)[0]
        plain = env.unwrapped._observation()
        assert observation.shape == {"picture": (8, 8, 4), "planes": (4, 8, 8)}[view] == env.observation_space.shape
        assert observation.dtype == plain.dtype
        np.testing.assert_allclose(observation[channel], expected)
        np.testing.assert_array_equal(np.delete(observation, 3, axis=2 if view == "picture" else 0), plain)


def test_milestones_cannot_go_into_other_observations() -> None:
    with pytest.raises(UserError, match=r"Discrete\(6\); it must be a Dict, or a Box with one axis or three"):
        DenseReward(Corridor("cell"), chain(), observe_milestones=True)
    inner = DenseReward(Corridor("dict"), chain(), observe_milestones=True)
    with pytest.raises(UserError, match="already has an entry 'milestones'"):
        DenseReward(inner, chain(), observe_milestones=True)


def test_frames_of_another_size_are_refused_with_both_sizes() -> None:
    env = DenseReward(Corridor(side=8), chain(frame_shape=(16, 20, 3)))
    with pytest.raises(BadFrame, match=r"is 8 x 8 pixels, but the reward 'table' works on frames of 20 x 16 pixels"):
        env.reset()


def test_frames_that_change_their_size_are_refused() -> None:
    env = DenseReward(Corridor(), chain())
    env.reset(seed=0)
    env.unwrapped.side = 9
    with pytest.raises(BadFrame, match="is 9 x 9 pixels"):
        env.step(RIGHT)


def test_an_environment_that_renders_nothing_is_refused() -> None:
    with pytest.raises(BadFrame, match="render_mode=None; make it with render_mode='rgb_array'"):
        DenseReward(Corridor(render_mode=None), chain())


def test_frames_come_from_the_observation_if_asked() -> None:
    env = DenseReward(Corridor("dict", render_mode="rgb_array"), chain(BONUS), camera="observation:picture")
    start_at(env, 2)
    assert env.step(RIGHT)[4]["car/credited"] == 1
    with pytest.raises(BadTask, match="no entry 'view'"):
        DenseReward(Corridor("dict"), chain(), camera="observation:view").reset()


def test_frames_come_from_a_tap_further_inside() -> None:
    class Blind(gym.ObservationWrapper):
        def observation(self, observation):
            return observation[:1]

        def render(self):
            raise AssertionError("the tap has the frame")

    env = DenseReward(Blind(FrameTap(Corridor())), chain(BONUS))
    assert "car/frame" not in start_at(env, 2)
    observation, _, _, _, info = env.step(RIGHT)
    assert observation.shape == (1,)
    assert "car/frame" not in info
    assert info["car/credited"] == 1


def test_a_frame_that_the_environment_draws_over_later_stays_as_it_was() -> None:
    env = Corridor()
    canvas = np.zeros((8, 8, 3), np.uint8)

    def camera(_env, _observation):
        canvas[..., 0], canvas[..., 1] = 10 * env.cell, 10 * env.start
        return canvas

    wrapped = DenseReward(env, chain(BONUS), camera=camera)
    start_at(wrapped, 2)
    assert [wrapped.step(RIGHT)[4]["car/credited"] for _ in range(3)] == [1, 2, 3]


def test_stepping_before_reset_is_refused() -> None:
    with pytest.raises(UserError, match=r"Call reset\(\) before step\(\)"):
        DenseReward(Corridor(), chain()).step(RIGHT)


def test_unknown_options_are_refused() -> None:
    with pytest.raises(UnknownName, match="add, replace"):
        DenseReward(Corridor(), chain(), env_reward="multiply")
    with pytest.raises(UnknownName, match="potential, bonus"):
        DenseReward(Corridor(), chain(), shaping="penalty")


def test_the_spec_builds_the_wrapped_environment_again() -> None:
    reward = chain(BONUS)
    env = DenseReward(gym.make("test/Corridor-v0"), reward, env_reward="replace", observe_milestones=True)
    assert env.spec.additional_wrappers[-1].kwargs["env_reward"] == "replace"
    again = gym.make(env.spec)
    assert isinstance(again, DenseReward)
    assert again.observation_space == env.observation_space
    start_at(env, 2)
    start_at(again, 2)
    assert again.step(RIGHT)[1] == env.step(RIGHT)[1] == pytest.approx(1 / 3)


def test_a_copy_goes_on_by_itself() -> None:
    env = DenseReward(Corridor(), chain(BONUS))
    start_at(env, 2)
    env.step(LEFT)
    twin = copy.deepcopy(env)
    assert [env.step(RIGHT)[1] for _ in range(2)] == [twin.step(RIGHT)[1] for _ in range(2)]
    assert env.step(LEFT)[4]["time"] == 4
    assert twin.step(RIGHT)[4]["time"] == 4
    assert twin.unwrapped.cell == 4


def test_a_reward_that_was_given_alive_is_left_alive() -> None:
    reward = chain()
    env = DenseReward(Corridor(), reward)
    env.close()
    env.close()
    assert reward.closed == 0


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_it_is_right_in_gymnasiums_vectors(mode) -> None:
    count, gamma = 3, 0.9
    envs = gym.make_vec(
        "test/Corridor-v0",
        num_envs=count,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": mode},
        wrappers=[lambda env: DenseReward(env, chain(Shaping(gamma=gamma)), env_reward="replace")],
        max_steps=6,
    )
    alone = [
        DenseReward(Corridor(max_steps=6), chain(Shaping(gamma=gamma)), env_reward="replace") for _ in range(count)
    ]
    envs.reset(seed=5)
    for index, env in enumerate(alone):
        env.reset(seed=5 + index)
    resets, ended = 0, [False] * count
    for actions in np.random.default_rng(0).choice(2, (60, count), p=[0.3, 0.7]):
        _, rewards, terminated, truncated, infos = envs.step(actions)
        for index, env in enumerate(alone):
            if ended[index]:
                env.reset()
                ended[index], resets = False, resets + 1
                if mode == AutoresetMode.NEXT_STEP:
                    assert rewards[index] == 0
                    continue
            _, reward, over, cut, info = env.step(actions[index])
            ended[index] = over or cut
            assert (rewards[index], terminated[index], truncated[index]) == (reward, over, cut)
            told = infos["final_info"] if ended[index] and mode == AutoresetMode.SAME_STEP else infos
            assert told["car/credited"][index] == info["car/credited"]
            assert told["car/milestones"]["task-1"][index] == info["car/milestones"]["task-1"]
    assert resets > 10
    envs.close()
