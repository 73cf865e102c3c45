"""A reward that ends an episode: all wrappers do then what they do where the environment ends it."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hallway import CELLS, Corridor
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecFrameStack, VecMonitor

from car.errors import UserError
from car.frames import Frames
from car.milestones import Shaping
from car.rewards import EndsEpisodes
from car.rewards.clip.episode import ClipEpisode
from car.task import Task
from car.train import evaluate
from car.train.episodes import EpisodeRecord
from car.wrapper import DenseReward, DenseVecReward, DenseVectorReward, FrameTap
from tests.unit.train.empty_room import EMPTY_ROOM, QUICK, Solver

TASK = Task(name="corridor", env_id="Corridor-v0")
LEFT, RIGHT = 0, 1
LENGTHS = (5, 9, 40)
MIDDLE = 3


class CellReward:
    """1 in one cell, where the episode ends; elsewhere as said. The first frame's green must be that of each frame."""

    name, names, frame_shape, ends_episodes = "cell", ("there",), None, True

    def __init__(self, cell: int = MIDDLE, shaping: Shaping = Shaping("bonus"), elsewhere: float = 0.25) -> None:
        self.cell, self.elsewhere = cell, elsewhere
        self._shaping = shaping

    def signals(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_]) -> NDArray[np.float64]:
        if self.elsewhere < 1 and (initial[..., 1] != frames[..., 1]).any():
            raise UserError("The first frame given is that of another episode.")
        there = frames[:, 0, 0, 0] == 10 * self.cell
        return np.where(ask, np.where(there, 1.0, self.elsewhere)[:, None], np.nan)

    def episode(self) -> ClipEpisode:
        return ClipEpisode(self._shaping, ends=True)

    def close(self) -> None:
        pass


def alone(view: str, length: int, reward: CellReward, **kwargs: Any) -> DenseReward:
    return DenseReward(Corridor(view, length), reward, **kwargs)


def recorded(view: str = "vector", length: int = 40) -> gym.Env:
    return EpisodeRecord(FrameTap(Corridor(view, length)), TASK)


def sb3(view: str, lengths: Sequence[int], reward: CellReward, **kwargs: Any) -> DenseVecReward:
    return DenseVecReward(DummyVecEnv([partial(recorded, view, each) for each in lengths]), reward, **kwargs)


def start_at(cell: int, reset: Callable[[int], int]) -> None:
    """Resets with one seed after the other until the episode starts in this cell."""
    assert any(reset(seed) == cell for seed in range(100))


def row(values: Any, index: int) -> Any:
    if isinstance(values, dict):
        return {key: row(value, index) for key, value in values.items()}
    return values[index]


def same(one: Any, other: Any) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            same(one[key], other[key])
    else:
        np.testing.assert_array_equal(one, other)


def test_the_reward_is_one_that_ends_episodes() -> None:
    assert isinstance(CellReward(), EndsEpisodes)


def test_a_single_environment_terminates_at_reward_1() -> None:
    env = alone("vector", 40, CellReward())
    start_at(2, lambda seed: env.reset(seed=seed)[1]["start"])
    _, reward, terminated, truncated, _ = env.step(LEFT)
    assert (reward, terminated, truncated) == (0.25, False, False)
    env.step(RIGHT)
    observation, reward, terminated, truncated, info = env.step(RIGHT)
    assert (reward, terminated, truncated) == (1.0, True, False)
    assert info["car/env_reward"] == 0
    assert observation[0] == pytest.approx(MIDDLE / CELLS)
    env.reset(seed=0)
    assert env.step(LEFT)[2] is False


def test_the_reward_of_the_first_frame_ends_nothing() -> None:
    env = alone("vector", 40, CellReward(cell=1))
    start_at(1, lambda seed: env.reset(seed=seed)[1]["start"])
    assert not env.step(LEFT)[2]
    assert env.step(RIGHT)[2]


def test_a_potential_is_0_where_the_reward_ends_the_episode() -> None:
    env = alone("vector", 40, CellReward(shaping=Shaping("potential", gamma=0.9)))
    start_at(2, lambda seed: env.reset(seed=seed)[1]["start"])
    assert env.step(RIGHT)[1] == pytest.approx(0 - 0.25)


@pytest.mark.parametrize(
    ("view", "observe"),
    [*itertools.product(["vector", "picture", "planes", "dict"], [False, True]), ("cell", False)],
)
@pytest.mark.parametrize("kind", ["bonus", "potential"])
@pytest.mark.parametrize("every", [1, 2])
def test_the_twin_of_stable_baselines_is_the_single_wrapper_step_by_step(
    view: str, observe: bool, kind: str, every: int
) -> None:
    kwargs = {"observe_milestones": observe, "every": every}
    shaping = Shaping(kind, gamma=0.9)
    venv = sb3(view, LENGTHS, CellReward(shaping=shaping), **kwargs)
    envs = [alone(view, length, CellReward(shaping=shaping), **kwargs) for length in LENGTHS]
    venv.seed(11)
    observations = venv.reset()
    for index, env in enumerate(envs):
        observation, info = env.reset(seed=11 + index)
        same(row(observations, index), observation)
        assert venv.reset_infos[index] == info
    ends = {"by the reward": 0, "by the environment": 0, "by time": 0, "by time and the reward": 0}
    sums = np.zeros((len(envs), 2))
    for actions in np.random.default_rng(3).choice(2, (300, len(envs)), p=[0.5, 0.5]):
        observations, paid, dones, infos = venv.step(actions)
        for index, env in enumerate(envs):
            observation, reward, terminated, truncated, info = env.step(actions[index])
            sums[index] += info["car/env_reward"], 1
            assert paid[index] == pytest.approx(reward, abs=1e-6)
            assert dones[index] == (terminated or truncated)
            told = dict(infos[index])
            assert told.pop("TimeLimit.truncated") == (truncated and not terminated)
            if dones[index]:
                ends["by time and the reward"] += terminated and truncated
                ends["by time"] += truncated and not terminated
                ends["by the reward"] += terminated and not truncated
                same(told.pop("terminal_observation"), observation)
                account = {"r": sums[index, 0], "l": sums[index, 1]}
                assert told.pop("episode") == account
                assert told.pop("is_success") == (sums[index, 0] > 0)
                sums[index] = 0
                observation, reset_info = env.reset()
                assert venv.reset_infos[index] == reset_info
            same(row(observations, index), observation)
            assert told == info
    assert ends["by the reward"] > 5
    assert ends["by time"] > 5
    if every == 1:
        assert ends["by time and the reward"] > 0


def test_an_environment_that_ends_by_itself_in_the_same_step_is_reset_once() -> None:
    venv = sb3("vector", (40,), CellReward(cell=CELLS - 1))
    env = venv.venv.envs[0].unwrapped
    resets = []
    original = env.reset
    env.reset = lambda **kwargs: resets.append(1) or original(**kwargs)
    venv.reset()
    assert len(resets) == 1
    done = False
    while not done:
        _, (paid,), (done,), (info,) = venv.step(np.array([RIGHT]))
    assert len(resets) == 2
    # The environment's own reward and the one of the last frame.
    assert paid == 2
    assert info["is_success"]
    assert info["episode"]["r"] == 1
    assert not info["TimeLimit.truncated"]


def test_what_is_cut_is_told_as_an_episodes_end() -> None:
    venv = sb3("dict", (40, 40), CellReward())
    start_at(2, lambda seed: (venv.seed(seed), venv.reset(), venv.reset_infos[0]["start"])[-1])
    before = venv.reset_infos[1]
    observations, paid, dones, infos = venv.step(np.array([RIGHT, LEFT]))
    assert dones.tolist() == [True, False]
    assert paid.tolist() == [1, 0.25]
    info = infos[0]
    assert info["terminal_observation"]["here"][0] == pytest.approx(MIDDLE / CELLS)
    assert info["is_success"] is False
    assert info["episode"] == {"r": 0.0, "l": 1}
    assert info["TimeLimit.truncated"] is False
    assert "car/cut" not in info
    assert not {"car/cut", "car/frame"} & set(venv.reset_infos[0])
    assert "terminal_observation" not in infos[1]
    assert venv.reset_infos[1] == before
    # The next observation is the first one of the new episode: no time has gone by.
    assert observations["here"][0].tolist() == pytest.approx([venv.reset_infos[0]["start"] / CELLS, 0])
    assert (observations["picture"][0, ..., 0] == observations["picture"][0, ..., 1]).all()
    # The reward that follows is that of the new episode; the reward here refuses frames of another one.
    _, paid, _, infos = venv.step(np.array([LEFT, LEFT]))
    assert paid.tolist() == [0.25, 0.25]
    assert infos[0]["time"] == 1


def test_the_potential_of_the_new_episode_begins_with_its_own_first_frame() -> None:
    venv = sb3("vector", (40,), CellReward(shaping=Shaping("potential", gamma=0.5)))
    start_at(2, lambda seed: (venv.seed(seed), venv.reset(), venv.reset_infos[0]["start"])[-1])
    assert venv.step(np.array([RIGHT]))[1].tolist() == [-0.25]
    # Else nothing would be taken back.
    assert venv.step(np.array([LEFT]))[1].tolist() == [0.5 * 0.25 - 0.25]


def test_observed_milestones_are_those_of_the_ended_and_of_the_new_episode() -> None:
    venv = sb3("dict", (40,), CellReward(), observe_milestones=True)
    start_at(2, lambda seed: (venv.seed(seed), venv.reset(), venv.reset_infos[0]["start"])[-1])
    observations, _, dones, infos = venv.step(np.array([RIGHT]))
    assert dones.tolist() == [True]
    assert infos[0]["terminal_observation"].keys() == observations.keys() == {"here", "picture", "milestones"}
    assert venv.observation_space["milestones"].shape == infos[0]["terminal_observation"]["milestones"].shape


def test_it_works_around_processes() -> None:
    makers = [partial(recorded, "vector", length) for length in (5, 40)]
    apart = DenseVecReward(SubprocVecEnv(makers, start_method="forkserver"), CellReward())
    here = DenseVecReward(DummyVecEnv(makers), CellReward())
    ended = 0
    try:
        for venv in (apart, here):
            venv.seed(3)
        same(apart.reset(), here.reset())
        for actions in np.random.default_rng(0).integers(0, 2, (30, 2)):
            seen, wanted = apart.step(actions), here.step(actions)
            for one, other in zip(seen[:3], wanted[:3], strict=True):
                same(one, other)
            for one, other in zip(seen[3], wanted[3], strict=True):
                same(one, other)
            assert apart.reset_infos == here.reset_infos
            ended += seen[2].sum()
    finally:
        apart.close()
    assert ended > 5


@pytest.mark.parametrize("around", [VecMonitor, partial(VecFrameStack, n_stack=2)])
def test_a_wrapper_in_between_is_refused(around: Callable[[VecEnv], VecEnv]) -> None:
    inner = around(DummyVecEnv([recorded]))
    with pytest.raises(UserError, match="may end an episode, so it must be the first wrapper around the environments"):
        DenseVecReward(inner, CellReward())
    never = CellReward()
    never.ends_episodes = False
    DenseVecReward(inner, never)


def test_a_learner_and_the_wrappers_around_it_see_the_ends() -> None:
    venv = VecMonitor(sb3("vector", (40,) * 4, CellReward()))
    model = PPO("MlpPolicy", venv, n_steps=32, batch_size=64, n_epochs=1, device="cpu", seed=0)
    model.learn(256)
    # In this corridor the cell is reached long before time is up.
    assert len(model.ep_info_buffer) > 5
    assert np.mean([each["l"] for each in model.ep_info_buffer]) < 30
    assert model.num_timesteps == 256


def corridors(mode: AutoresetMode) -> SyncVectorEnv:
    return SyncVectorEnv(
        [lambda length=length: FrameTap(Corridor("vector", length)) for length in LENGTHS], autoreset_mode=mode
    )


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_vectors_that_reset_themselves_are_refused(mode: AutoresetMode) -> None:
    with pytest.raises(UserError, match="environments that reset themselves do not learn of; make them with autoreset"):
        DenseVectorReward(corridors(mode), CellReward())
    never = CellReward()
    never.ends_episodes = False
    DenseVectorReward(corridors(mode), never).close()


@pytest.mark.parametrize("kind", ["bonus", "potential"])
def test_a_vector_that_nobody_resets_is_the_single_wrapper_step_by_step(kind: str) -> None:
    shaping = Shaping(kind, gamma=0.9)
    vector = DenseVectorReward(corridors(AutoresetMode.DISABLED), CellReward(shaping=shaping))
    envs = [alone("vector", length, CellReward(shaping=shaping)) for length in LENGTHS]
    observations, _ = vector.reset(seed=11)
    for index, env in enumerate(envs):
        same(observations[index], env.reset(seed=11 + index)[0])
    ended_by = {"reward": 0, "time": 0}
    for actions in np.random.default_rng(3).integers(0, 2, (200, len(envs))):
        observations, paid, terminated, truncated, infos = vector.step(actions)
        for index, env in enumerate(envs):
            observation, reward, over, cut, info = env.step(actions[index])
            same(observations[index], observation)
            assert paid[index] == pytest.approx(reward)
            assert (terminated[index], truncated[index]) == (over, cut)
            assert infos["car/env_reward"][index] == info["car/env_reward"]
            ended_by["reward"] += over and info["time"] < env.unwrapped.max_steps
            ended_by["time"] += cut
        ended = terminated | truncated
        if ended.any():
            with pytest.raises(UserError, match=f"The episode of environment {ended.argmax()} has ended: reset it"):
                vector.step(actions)
            observations, _ = vector.reset(options={"reset_mask": ended})
            for index in np.flatnonzero(ended).tolist():
                same(observations[index], envs[index].reset()[0])
    assert min(ended_by.values()) > 5
    vector.close()


def test_gymnasiums_vectors_of_single_wrappers_learn_of_the_end() -> None:
    envs = SyncVectorEnv(
        [lambda length=length: alone("vector", length, CellReward()) for length in LENGTHS],
        autoreset_mode=AutoresetMode.SAME_STEP,
    )
    envs.reset(seed=0)
    ends = 0
    for _ in range(20):
        _, rewards, terminated, _, _ = envs.step(np.ones(3, int))
        assert (rewards[terminated] == 1).all()
        ends += terminated.sum()
    assert ends > 15
    envs.close()


def test_an_evaluation_goes_to_the_environments_own_end() -> None:
    settings = dataclasses.replace(QUICK, observe_milestones=True)
    reward = CellReward(elsewhere=1.0)
    expected = evaluate(Solver(), EMPTY_ROOM, 2)
    assert evaluate(Solver(), EMPTY_ROOM, 2, reward=reward, settings=settings) == expected


# The account of an episode that was cut.


def test_a_reset_in_the_middle_leaves_the_account_of_what_was_cut() -> None:
    env = EpisodeRecord(Corridor("vector", 40), TASK)
    assert "car/cut" not in env.reset(seed=0)[1]
    for _ in range(3):
        env.step(LEFT)
    _, info = env.reset()
    assert info["car/cut"] == {"is_success": False, "episode": {"r": 0.0, "l": 3}}
    # It was told once, and an episode without a step has no account.
    assert "car/cut" not in env.reset()[1]


def test_an_episode_that_ended_is_not_told_again() -> None:
    env = EpisodeRecord(Corridor("vector", 2), TASK)
    env.reset(seed=0)
    env.step(LEFT)
    assert "episode" in env.step(LEFT)[4]
    assert "car/cut" not in env.reset()[1]
