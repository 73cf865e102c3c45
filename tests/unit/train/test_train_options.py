"""Environments in which each sub-task is an option, and a learner that learns all of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv, VecTransposeImage

from car.errors import UserError
from car.milestones import Milestones, Shaping
from car.train.sb3.option_policy import OptionPolicy, option_policy_for
from car.train.sb3.options import ActiveOption, OptionEpisodes
from car.wrapper import DenseVecReward, FrameTap
from tests.unit.wrapper.hallway import CELLS, Corridor, TableReward, chain

LENGTHS = (4, 7, 9)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def tapped(view: str, lengths: Sequence[int] = LENGTHS, side: int = 8) -> DummyVecEnv:
    return DummyVecEnv([lambda length=length: FrameTap(Corridor(view, length, side=side)) for length in lengths])


def optioned(reward: TableReward, view: str = "vector", lengths: Sequence[int] = LENGTHS) -> ActiveOption:
    return ActiveOption(DenseVecReward(tapped(view, lengths), reward), reward)


def learnt(reward: TableReward, lengths: Sequence[int] = LENGTHS, **changes: Any) -> OptionEpisodes:
    return OptionEpisodes(optioned(reward, lengths=lengths), **changes)


def running(observations: Any) -> list[int]:
    assert (observations["option"].sum(axis=1) == 1).all()
    return observations["option"].argmax(axis=1).tolist()


@st.composite
def rewards(draw: st.DrawFn) -> TableReward:
    """Sub-tasks in any order that can be followed, with any answers; on first frames too, and several at once."""
    count = draw(st.integers(1, 4))
    place = draw(st.permutations(range(count)))
    after = [[other for other in range(count) if place[other] < place[own] and draw(st.booleans())]
             for own in range(count)]  # fmt: skip
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    return TableReward(rng.choice([0.0, 0.5, 1.0, np.nan], (3, CELLS, count), p=[0.5, 0.1, 0.3, 0.1]), after)


class Account:
    """One environment told again, slowly: an episode's milestones, and the option that runs."""

    def __init__(self, reward: TableReward) -> None:
        self.reward = reward

    def begin(self, start: int) -> None:
        self.start, self.milestones = start, self.reward.episode()
        self.milestones.start(self.reward.table[start, start])
        self.running = self.next()

    def next(self) -> int:
        possible = np.flatnonzero(self.milestones.wanted)
        return int(possible[0]) if len(possible) else len(self.reward.names) - 1

    def step(self, cell: int) -> bool:
        """Whether the option that runs is done."""
        before = self.milestones.milestones[self.running]
        self.milestones.step(self.reward.table[self.start, cell], False, False)
        return bool(self.milestones.milestones[self.running] > before)


@settings(max_examples=60, deadline=None)
@given(rewards(), st.integers(0, 1000), st.booleans())
def test_options_follow_the_milestones_step_by_step(reward: TableReward, seed: int, env_reward: bool) -> None:
    venv = learnt(reward, scale=2.0, env_reward=env_reward)
    venv.seed(seed)
    observations = venv.reset()
    envs = [each.unwrapped for each in venv.unwrapped.envs]  # type: ignore[attr-defined]
    accounts = [Account(reward) for _ in envs]
    for account, env in zip(accounts, envs, strict=True):
        account.begin(env.start)
    assert running(observations) == [each.running for each in accounts]
    for actions in np.random.default_rng(seed).choice(2, (25, len(envs)), p=[0.35, 0.65]):
        cells = [max(0, min(CELLS - 1, env.cell + (1 if go else -1))) for env, go in zip(envs, actions, strict=True)]
        times = [env.time + 1 for env in envs]
        observations, paid, dones, infos = venv.step(actions)
        for index, (account, info) in enumerate(zip(accounts, infos, strict=True)):
            ran, ended, arrived = account.running, account.step(cells[index]), cells[index] == CELLS - 1
            over = arrived or times[index] >= LENGTHS[index]
            assert info["car/option"] == reward.names[ran]
            assert info["car/option_done"] == ended
            assert dones[index] == (ended or over)
            assert paid[index] == 2.0 * ended + (arrived if env_reward else 0)
            assert info["TimeLimit.truncated"] == (over and not arrived and not ended)
            assert ("terminal_observation" in info) == over
            if over:
                assert info["terminal_observation"]["option"].argmax() == ran
                account.begin(envs[index].start)
            elif ended:
                account.running = account.next()
        assert running(observations) == [each.running for each in accounts]


def test_without_the_learners_view_the_ends_and_rewards_are_those_of_the_environment() -> None:
    venv = optioned(chain(Shaping("bonus")), lengths=(9,))
    venv.reset()
    for _ in range(5):
        _, paid, dones, infos = venv.step(np.ones(1, int))
        if infos[0]["car/option_done"] and not dones[0]:
            assert paid[0] == pytest.approx(1 / 3)
        if dones[0]:
            break
    assert dones[0]
    assert infos[0]["terminal_observation"]["option"].tolist() == [0, 0, 1]


def test_an_option_that_runs_is_kept_when_an_earlier_one_becomes_possible() -> None:
    # The first may begin only after the third, which the agent does while the second runs.
    table = np.zeros((3, CELLS, 3))
    table[:, 3, 2] = table[:, 4, 0] = table[:, 5, 1] = 1
    venv = learnt(TableReward(table, [[2], [], []]), lengths=(30,))
    observations = venv.reset()
    seen = []
    while not (seen and seen[-1][1]):
        runs = running(observations)[0]
        observations, _, dones, infos = venv.step(np.ones(1, int))
        seen.append((runs, bool(dones[0]), infos[0]["car/option_done"]))
    assert {runs for runs, _, _ in seen} == {1}
    assert seen[-1] == (1, True, True)


def test_an_option_that_is_done_where_time_runs_out_is_not_bootstrapped() -> None:
    table = np.zeros((3, CELLS, 1))
    table[:, 3:] = 1
    for length, truncated in ((1, True), (2, False), (3, False)):
        env = DummyVecEnv([lambda length=length: FrameTap(Corridor("vector", length))])
        reward = TableReward(table, [[]])
        venv = OptionEpisodes(ActiveOption(DenseVecReward(env, reward), reward))
        venv.seed(1)  # begins in cell 1
        venv.reset()
        for _ in range(length):
            _, paid, (done,), (info,) = venv.step(np.ones(1, int))
        if length < 3:
            assert done
            assert info["TimeLimit.truncated"] is truncated
            assert paid[0] == (0.0 if truncated else 1.0)


@pytest.mark.parametrize("view", ["vector", "picture", "planes", "dict", "cell"])
def test_any_observation_gets_the_option_and_each_policy_sees_the_rest(view: str) -> None:
    reward = chain()
    # Stable-Baselines3's network for a dictionary's pictures needs larger ones.
    dense = DenseVecReward(tapped(view, side=36 if view == "dict" else 8), reward)
    venv = ActiveOption(VecTransposeImage(dense) if view == "picture" else dense, reward)
    observations = venv.reset()
    space = venv.observation_space
    assert isinstance(space, spaces.Dict)
    for index in range(len(LENGTHS)):
        one = {key: value[index] for key, value in observations.items()}
        assert all(space[key].contains(np.asarray(value, space[key].dtype)) for key, value in one.items())
    kind, kwargs = option_policy_for(space)
    model = PPO(kind, venv, policy_kwargs=kwargs, n_steps=8, batch_size=8, n_epochs=1, device="cpu", seed=0)
    model.learn(24)
    actions, _ = model.predict(venv.reset())
    assert actions.shape == (len(LENGTHS),)


def test_an_observation_with_such_an_entry_is_refused() -> None:
    reward = chain()
    venv = DenseVecReward(tapped("dict"), reward)
    venv.observation_space = spaces.Dict({"option": spaces.Discrete(2)})
    with pytest.raises(UserError, match="already has an entry 'option'"):
        ActiveOption(venv, reward)


def test_options_without_milestones_are_refused() -> None:
    with pytest.raises(UserError, match="put a DenseVecReward around"):
        ActiveOption(tapped("vector"), chain())


def test_a_reward_without_a_first_sub_task_is_refused() -> None:
    class Endless(TableReward):
        def episode(self) -> Milestones:
            episode = super().episode()
            episode.also_wanted = lambda signals: np.zeros(1, np.bool_)  # type: ignore[method-assign]
            return episode

    with pytest.raises(UserError, match="no sub-task that could be credited first"):
        optioned(Endless(np.zeros((3, CELLS, 1)), [[]]))


def policy(space: spaces.Space[Any], actions: spaces.Space[Any], count: int = 3) -> OptionPolicy:
    entries = dict(space.spaces) if isinstance(space, spaces.Dict) else {"observation": space}
    whole = spaces.Dict({**entries, "option": spaces.Box(0, 1, (count,), np.float32)})
    kind, kwargs = option_policy_for(whole)
    torch.manual_seed(0)
    return kind(whole, actions, lambda progress: 1e-2, **kwargs)


def batch(options: Sequence[int], count: int = 3) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {"observation": torch.rand(len(options), 4), "option": torch.eye(count)[list(options)]}


VECTOR = spaces.Box(0, 1, (4,), np.float32)
ACTIONS = [spaces.Discrete(5), spaces.MultiDiscrete([3, 2]), spaces.Box(-1, 1, (2,), np.float32), spaces.MultiBinary(3)]


@pytest.mark.parametrize("space", ACTIONS, ids=lambda each: type(each).__name__)
def test_each_row_is_answered_by_its_own_option(space: spaces.Space[Any]) -> None:
    whole = policy(VECTOR, space)
    runs = [2, 0, 2, 1, 0]
    obs = batch(runs)
    actions, values, logarithms = whole(obs, deterministic=True)
    told = whole.evaluate_actions(obs, actions)
    for row, index in enumerate(runs):
        alone: ActorCriticPolicy = whole.options[index]
        own = obs["observation"][[row]]
        for found, wanted in zip((actions, values, logarithms), alone(own, deterministic=True), strict=True):
            torch.testing.assert_close(found[[row]], wanted)
        for found, wanted in zip(told, alone.evaluate_actions(own, actions[[row]]), strict=True):
            torch.testing.assert_close(found[[row]], wanted)
        torch.testing.assert_close(whole.predict_values(obs)[[row]], alone.predict_values(own))
    predicted, _ = whole.predict({key: each.numpy() for key, each in obs.items()}, deterministic=True)
    np.testing.assert_allclose(predicted, np.clip(actions.detach().numpy(), -1, 5), rtol=1e-6)
    assert len({value.item() for value in values}) == len(runs)


def test_learning_one_option_leaves_the_others_as_they_are() -> None:
    whole = policy(VECTOR, spaces.Discrete(5))

    def learn(runs: Sequence[int]) -> None:
        obs = batch(runs)
        values, logarithms, entropies = whole.evaluate_actions(obs, torch.zeros(len(runs)))
        whole.optimizer.zero_grad()
        (values.mean() + logarithms.mean() + entropies.mean()).backward()
        whole.optimizer.step()

    def kept(index: int) -> list[torch.Tensor]:
        return [each.detach().clone() for each in whole.options[index].parameters()]

    learn([0, 1, 2, 2])  # so that the optimiser has something to remember of each
    before = [kept(index) for index in range(3)]
    for _ in range(3):
        learn([1, 1])
    for index in (0, 2):
        assert all(torch.equal(old, new) for old, new in zip(before[index], kept(index), strict=True))
    assert not any(torch.equal(old, new) for old, new in zip(before[1], kept(1), strict=True))
    stepped = {index: {int(whole.optimizer.state[each]["step"]) for each in whole.options[index].parameters()}
               for index in range(3)}  # fmt: skip
    assert stepped == {0: {1}, 1: {4}, 2: {1}}


def test_options_share_no_weights_and_begin_differently() -> None:
    whole = policy(VECTOR, spaces.Discrete(5))
    weights = [dict(each.named_parameters()) for each in whole.options]
    assert len({id(each) for some in weights for each in some.values()}) == sum(len(some) for some in weights)
    name = "mlp_extractor.policy_net.0.weight"
    assert not torch.equal(weights[0][name], weights[1][name])
    assert {id(each) for each in whole.parameters()} == {
        id(each) for group in whole.optimizer.param_groups for each in group["params"]
    }


def test_a_policy_that_is_not_told_the_option_says_so() -> None:
    whole = policy(spaces.Dict({"observation": VECTOR, "more": VECTOR}), spaces.Discrete(5))
    with pytest.raises(UserError, match="must be told which option runs: evaluate it with the reward"):
        whole.predict({"observation": np.zeros((1, 4)), "more": np.zeros((1, 4))})
    with pytest.raises(UserError, match="must be told which option runs: evaluate it with the reward"):
        policy(VECTOR, spaces.Discrete(5)).predict(np.zeros((1, 4)))


def test_a_policy_can_be_saved_alone(tmp_path: Any) -> None:
    whole = policy(VECTOR, spaces.Discrete(5))
    whole.save(str(tmp_path / "policy.pt"))
    again = OptionPolicy.load(str(tmp_path / "policy.pt"), device="cpu")
    torch.testing.assert_close(again.predict_values(batch([2, 0])), whole.predict_values(batch([2, 0])))


class Rollout(BaseCallback):
    """Keeps what the learner was told."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[Any, Any, Any]] = []
        self.values = self.advantages = np.zeros(0)

    def _on_step(self) -> bool:
        self.steps.append((self.locals["rewards"].copy(), self.locals["dones"].copy(), self.locals["infos"]))
        return True

    def _on_rollout_end(self) -> None:
        buffer = self.locals["rollout_buffer"]
        self.values, self.advantages = buffer.values.copy(), buffer.advantages.copy()


def test_advantages_are_cut_where_an_option_ends_and_bootstrapped_only_where_time_runs_out() -> None:
    reward = chain()
    venv = learnt(reward, (5, 40))
    kind, kwargs = option_policy_for(venv.observation_space)
    model = PPO(kind, venv, policy_kwargs=kwargs, n_steps=64, batch_size=128, n_epochs=1, device="cpu", seed=3,
                learning_rate=1e-12)  # fmt: skip
    noted = Rollout()
    model.learn(128, callback=noted)
    gamma, lambda_ = model.gamma, model.gae_lambda
    last = model.policy.predict_values(model.policy.obs_to_tensor(model._last_obs)[0]).detach().numpy()[:, 0]
    kinds = set()
    for index in range(2):
        advantage = 0.0
        for time in reversed(range(64)):
            paid, dones, infos = (each[index] for each in noted.steps[time])
            value = noted.values[time, index]
            follow = last[index] if time == 63 else noted.values[time + 1, index]
            over, cut = "terminal_observation" in infos, infos["car/option_done"]
            assert dones == (over or cut)
            if over and not cut and infos["TimeLimit.truncated"]:
                terminal = model.policy.obs_to_tensor(infos["terminal_observation"])[0]
                follow, kept = model.policy.predict_values(terminal).item(), 0.0
            elif dones:
                follow, kept = 0.0, 0.0
            else:
                kept = advantage
            kinds.add((over, cut, bool(infos["TimeLimit.truncated"])))
            advantage = paid + gamma * follow - value + gamma * lambda_ * kept
            assert noted.advantages[time, index] == pytest.approx(advantage, abs=1e-5)
    assert {(False, False, False), (False, True, False), (True, True, False), (True, False, True)} <= kinds


def test_a_learner_masters_a_chain_of_options() -> None:
    reward = chain()
    venv = learnt(reward, (12,) * 8)
    kind, kwargs = option_policy_for(venv.observation_space)
    model = PPO(kind, venv, policy_kwargs=kwargs, n_steps=32, batch_size=64, n_epochs=4, device="cpu", seed=0,
                learning_rate=3e-3)  # fmt: skip
    model.learn(4096)
    acting = optioned(reward, lengths=(12,) * 8)
    observations, arrived = acting.reset(), []
    for _ in range(12):
        observations, _, dones, infos = acting.step(model.predict(observations, deterministic=True)[0])
        arrived += [info["car/credited"] for done, info in zip(dones, infos, strict=True) if done]
    assert arrived
    assert all(credited == 3 for credited in arrived)
