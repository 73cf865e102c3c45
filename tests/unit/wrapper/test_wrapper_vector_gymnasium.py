"""`DenseVectorReward` does to a vector of environments what `DenseReward` does to each, whoever resets them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from hallway import CELLS, Corridor, TableReward, chain
from hypothesis import given, settings
from hypothesis import strategies as st
from rooms import Played, played, right_reward, small
from stable_baselines3.common.vec_env import DummyVecEnv

from car.errors import BadFrame, UserError
from car.milestones import Shaping
from car.wrapper import DenseReward, DenseVecReward, DenseVectorReward, FrameTap

LENGTHS = (3, 6, 9)
MODES = list(AutoresetMode)


def corridors(mode: AutoresetMode, view: str = "vector", kind: Callable[..., VectorEnv] = SyncVectorEnv) -> VectorEnv:
    makers = [partial(tapped, view, length) for length in LENGTHS]
    return kind(makers, autoreset_mode=mode)


def tapped(view: str, length: int) -> gym.Env:
    return FrameTap(Corridor(view, length))


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


def there(infos: dict[str, Any], index: int) -> dict[str, Any]:
    """The infos of one environment, as it gave them itself."""
    told = {}
    for key, value in infos.items():
        if key.startswith("_") or not infos[f"_{key}"][index]:
            continue
        told[key] = there(value, index) if isinstance(value, dict) else value[index]
    return told


def resetting(envs: VectorEnv, ended: np.ndarray) -> tuple[Any, dict[str, Any]]:
    return envs.reset(options={"reset_mask": ended})


def follow(envs: VectorEnv, mode: AutoresetMode, scripts: list[list[Played]], seed: int) -> dict[str, int]:
    """Lets a vector repeat what was played alone and compares all of it; counts the ends of episodes."""
    observations, infos = envs.reset(seed=seed)
    at, ends = [1] * len(scripts), {"terminated": 0, "truncated": 0}
    for index, script in enumerate(scripts):
        same(row(observations, index), script[0].observation)
        same(there(infos, index), script[0].info)
    while all(place + 2 < len(script) for place, script in zip(at, scripts, strict=True)):
        steps = [script[place] for place, script in zip(at, scripts, strict=True)]
        actions = np.array([each.action or 0 for each in steps])
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        ended = np.logical_or(terminated, truncated)
        finals = infos.get("final_info", {})
        if mode is AutoresetMode.DISABLED and ended.any():
            begun = resetting(envs, ended)
        for index, step in enumerate(steps):
            at[index] += 1
            assert (terminated[index], truncated[index]) == (step.terminated, step.truncated)
            assert rewards[index] == pytest.approx(step.reward)
            ends["terminated"] += step.terminated
            ends["truncated"] += step.truncated
            if not step.ended or mode is AutoresetMode.NEXT_STEP:
                same(row(observations, index), step.observation)
                same(there(infos, index), step.info)
                continue
            fresh = scripts[index][at[index]]
            at[index] += 1
            if mode is AutoresetMode.SAME_STEP:
                same(infos["final_obs"][index], step.observation)
                same(there(finals, index), step.info)
                same(row(observations, index), fresh.observation)
                # The masks of `final_info` and `final_obs` are Gymnasium's own.
                told = there(infos, index)
                assert {told.pop("final_obs") is not None, told.pop("final_info") is not None} == {True}
                same(told, fresh.info)
            else:
                same(row(observations, index), step.observation)
                same(there(infos, index), step.info)
                same(row(begun[0], index), fresh.observation)
                same(there(begun[1], index), fresh.info)
    return ends


def walked(make: Callable[[int], DenseReward], seed: int, steps: int = 40) -> list[list[Played]]:
    """Random walks of environments alone."""
    scripts = []
    for index, length in enumerate(LENGTHS):
        env, rng = make(length), np.random.default_rng(seed + index)
        observation, info = env.reset(seed=seed + index)
        script = [Played(None, observation, info=info)]
        for action in rng.choice(2, steps, p=[0.35, 0.65]).tolist():
            observation, reward, terminated, truncated, info = env.step(action)
            script.append(Played(action, observation, reward, terminated, truncated, info))
            if terminated or truncated:
                observation, info = env.reset()
                script.append(Played(None, observation, info=info))
        scripts.append(script)
    return scripts


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(MODES),
    st.sampled_from(["vector", "picture", "planes", "dict"]),
    st.booleans(),
    st.sampled_from(["add", "replace"]),
    st.integers(1, 3),
    st.integers(0, 1000),
)
def test_it_is_the_single_wrapper_step_by_step(mode, view, observe, env_reward, every, seed) -> None:
    rng = np.random.default_rng(seed)
    table = rng.choice([0.0, 0.3, 0.8, 1.0, np.nan], (3, CELLS, 3), p=[0.3, 0.2, 0.2, 0.2, 0.1])
    shaping = Shaping(["potential", "bonus"][seed % 2], gamma=0.9)
    kwargs = {"env_reward": env_reward, "observe_milestones": observe, "every": every}

    def reward() -> TableReward:
        return TableReward(table, [[], [0], [0]], shaping)

    scripts = walked(lambda length: DenseReward(Corridor(view, length), reward(), **kwargs), seed)
    envs = DenseVectorReward(corridors(mode, view), reward(), **kwargs)
    single = DenseReward(Corridor(view, 3), reward(), **kwargs)
    assert envs.single_observation_space == single.observation_space
    assert envs.observation_space.contains(envs.reset(seed=seed)[0])
    ends = follow(envs, mode, scripts, seed)
    assert ends["truncated"] > 0
    envs.close()


@pytest.mark.parametrize("mode", MODES)
def test_it_works_around_processes(mode) -> None:
    scripts = walked(lambda length: DenseReward(Corridor("vector", length), chain(), observe_milestones=True), 3)
    envs = DenseVectorReward(corridors(mode, kind=AsyncVectorEnv), chain(), observe_milestones=True)
    try:
        ends = follow(envs, mode, scripts, 3)
    finally:
        envs.close()
    assert ends["terminated"] > 0
    assert ends["truncated"] > 0


@pytest.mark.parametrize(("name", "max_steps"), [("doorkey-5x5", 22), ("goto-redball", 12)])
def test_all_wrappers_agree_on_minigrid_over_many_episodes(name, max_steps) -> None:
    task, count, seed = small(name, max_steps), 3, 7
    with_milestones = {"shaping": "potential", "observe_milestones": True}
    reward = right_reward(name, Shaping("potential", gamma=0.95))
    alone = [DenseReward(_viewed(task), reward, **with_milestones) for _ in range(count)]
    scripts = [list(played(task, env, seed + index, 150)) for index, env in enumerate(alone)]
    makers = [partial(_viewed, task) for _ in range(count)]
    for mode in MODES:
        envs = DenseVectorReward(SyncVectorEnv(makers, autoreset_mode=mode), reward, **with_milestones)
        ends = follow(envs, mode, scripts, seed)
        assert min(ends.values()) > 5, ends
    venv = DenseVecReward(DummyVecEnv(makers), reward, **with_milestones)
    _follow_in_sb3(venv, scripts, seed)
    reward.close()


def _viewed(task) -> gym.Env:
    return task.viewed(FrameTap(task.make_env(), task.make_camera()))


def _follow_in_sb3(venv: DenseVecReward, scripts: list[list[Played]], seed: int) -> None:
    venv.seed(seed)
    venv.reset()
    at = [1] * len(scripts)
    while all(place + 2 < len(script) for place, script in zip(at, scripts, strict=True)):
        steps = [script[place] for place, script in zip(at, scripts, strict=True)]
        observations, rewards, dones, infos = venv.step(np.array([each.action for each in steps]))
        for index, step in enumerate(steps):
            at[index] += 1
            assert dones[index] == step.ended
            assert rewards[index] == pytest.approx(step.reward, abs=1e-6)
            assert infos[index]["car/milestones"] == step.info["car/milestones"]
            assert infos[index]["TimeLimit.truncated"] == (step.truncated and not step.terminated)
            if step.ended:
                same(infos[index]["terminal_observation"], step.observation)
                same(observations[index], scripts[index][at[index]].observation)
                at[index] += 1
            else:
                same(observations[index], step.observation)


def test_one_call_scores_all_environments() -> None:
    reward = TableReward(np.full((3, CELLS, 2), 0.5), [[], [0]])
    envs = DenseVectorReward(corridors(AutoresetMode.SAME_STEP), reward)
    envs.reset(seed=0)
    for _ in range(3):
        envs.step(np.zeros(3, int))
    assert reward.calls == [3, 3, 3, 3 + 1]


def test_frames_do_not_reach_the_learner() -> None:
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
        envs = DenseVectorReward(corridors(mode), chain())
        _, infos = envs.reset(seed=0)
        for _ in range(10):
            assert not {"car/frame", "_car/frame"} & {*infos, *infos.get("final_info", {})}
            *_, infos = envs.step(np.ones(3, int))


def test_where_nobody_resets_a_step_over_an_end_is_refused() -> None:
    envs = DenseVectorReward(corridors(AutoresetMode.DISABLED), chain())
    envs.reset(seed=0)
    for _ in range(3):
        *_, truncated, _ = envs.step(np.zeros(3, int))
    assert truncated.tolist() == [True, False, False]
    with pytest.raises(UserError, match=r"The episode of environment 0 has ended: .* options=\{'reset_mask': mask\}"):
        envs.step(np.zeros(3, int))


def test_the_first_reset_is_of_all_environments() -> None:
    envs = DenseVectorReward(corridors(AutoresetMode.DISABLED), chain())
    with pytest.raises(UserError, match=r"Call reset\(\) before step\(\)"):
        envs.step(np.zeros(3, int))
    with pytest.raises(UserError, match=r"Call reset\(\) for all environments before"):
        envs.reset(options={"reset_mask": np.array([True, False, True])})


def test_environments_without_a_tap_or_of_another_size_are_refused() -> None:
    bare = SyncVectorEnv([Corridor])
    with pytest.raises(UserError, match="wrap each one in FrameTap"):
        DenseVectorReward(bare, chain()).reset()
    with pytest.raises(UserError, match="wrap each one in FrameTap"):
        DenseVectorReward(bare, chain(), every=2)
    with pytest.raises(BadFrame, match=r"8 x 8 pixels, .* of 20 x 16 pixels"):
        DenseVectorReward(corridors(AutoresetMode.NEXT_STEP), chain(frame_shape=(16, 20, 3))).reset()


def test_a_vector_that_does_not_say_how_it_resets_is_refused() -> None:
    envs = corridors(AutoresetMode.NEXT_STEP)
    del envs.metadata["autoreset_mode"]
    with pytest.raises(UserError, match="does not say when it resets"):
        DenseVectorReward(envs, chain())


def test_a_reward_that_was_given_alive_is_left_alive() -> None:
    reward = chain()
    envs = DenseVectorReward(corridors(AutoresetMode.NEXT_STEP), reward)
    envs.close()
    assert reward.closed == 0
