"""Environments in which each sub-task is an option: which one runs is observed, and each one ends by itself."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvObs, VecEnvStepReturn, VecEnvWrapper

from car.errors import UserError
from car.option.choice import PolicyOverOptions
from car.rewards import Reward
from car.wrapper.vector_sb3 import DenseVecReward

OPTION = "option"
"""The entry of the observation that says which option runs: 1 at its place, else 0."""

OBSERVATION = "observation"
"""The entry that holds the observation as it was, where that was no dictionary."""


class ActiveOption(VecEnvWrapper):
    """Chooses the option that runs in each environment, and puts it into the observation; rewards and ends stay.

    A dictionary gets the entry ``option``, float32 (k,), of which one is 1; any other observation becomes the entry
    ``observation`` beside it. ``terminal_observation`` holds the option that ran to the end. `infos` get
    ``car/option``, the name of the option that ran in this step, and ``car/option_done``, whether the step ended it by
    crediting its sub-task.

    Args:
        venv: environments with a `DenseVecReward` in them.
        reward: its reward.

    Raises:
        UserError: the reward has no sub-tasks that follow one another, or the observation has such an entry already.
    """

    def __init__(self, venv: VecEnv, reward: Reward) -> None:
        # Wrappers in between do not pass `reset_infos` on.
        self._told = _dense_in(venv)
        self._over = PolicyOverOptions(reward)
        self._marks = np.eye(len(reward.names), dtype=np.float32)
        self._running = [0] * venv.num_envs
        self._credited: list[list[bool]] = []
        super().__init__(venv, observation_space=_with_option(venv.observation_space, len(reward.names)))

    def reset(self) -> VecEnvObs:
        """Begins an episode, and an option, in every environment."""
        observations = self.venv.reset()
        self._credited = [_milestones(info) for info in self._told.reset_infos]
        self._running = [self._over.choose(credited) for credited in self._credited]
        return self._marked(observations, self._marks[self._running])

    def step_wait(self) -> VecEnvStepReturn:
        """The environments' step; where an option ended, or an episode, another one runs from now on."""
        observations, rewards, dones, infos = self.venv.step_wait()
        for index, (done, info) in enumerate(zip(dones, infos, strict=True)):
            self._advance(index, bool(done), info)
        return self._marked(observations, self._marks[self._running]), rewards, dones, infos

    def _advance(self, index: int, done: bool, info: dict[str, Any]) -> None:
        ran, credited = self._running[index], _milestones(info)
        info["car/option"] = self._over.names[ran]
        info["car/option_done"] = credited[ran] and not self._credited[index][ran]
        if "terminal_observation" in info:
            info["terminal_observation"] = self._marked(info["terminal_observation"], self._marks[ran])
        self._credited[index] = _milestones(self._told.reset_infos[index]) if done else credited
        self._running[index] = self._over.choose(self._credited[index], None if done else ran)

    @staticmethod
    def _marked(observation: Any, mark: NDArray[np.float32]) -> dict[str, Any]:
        """One observation, or all of them, with the option."""
        entries = observation if isinstance(observation, dict) else {OBSERVATION: observation}
        return {**entries, OPTION: mark}


class OptionEpisodes(VecEnvWrapper):
    """Each run of an option as an episode of its own, for the learner alone; the environments do not notice.

    The learner is told `done` when the option that ran is done or the episode ends, and is paid `scale` where the
    option is done, and the environment's own reward. So no value flows from one option into another. An option that is
    done at the step that truncates the episode has an end of its own, so ``TimeLimit.truncated`` is off then: nothing
    is to be bootstrapped. What `infos` say of the environment's episode is untouched.

    Args:
        venv: environments that tell the options, see `ActiveOption`.
        scale: what the end of an option is worth.
        env_reward: whether the environment's own reward is paid too, to the option that runs.
    """

    def __init__(self, venv: VecEnv, scale: float = 1.0, env_reward: bool = True) -> None:
        super().__init__(venv)
        self._scale, self._env_reward = scale, env_reward

    def reset(self) -> VecEnvObs:
        """Begins an episode in every environment."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """The environments' step as the options see it."""
        observations, _, dones, infos = self.venv.step_wait()
        ended = np.array([info["car/option_done"] for info in infos], np.bool_)
        for index in np.flatnonzero(ended):
            infos[index]["TimeLimit.truncated"] = False
        rewards = self._scale * ended.astype(np.float32)
        if self._env_reward:
            rewards += np.array([info["car/env_reward"] for info in infos], np.float32)
        return observations, rewards, dones | ended, infos


def _dense_in(venv: VecEnv) -> DenseVecReward:
    while not isinstance(venv, DenseVecReward):
        if not isinstance(venv, VecEnvWrapper):
            raise UserError("Options follow the milestones; put a DenseVecReward around the environments first.")
        venv = venv.venv
    return venv


def _milestones(info: dict[str, Any]) -> list[bool]:
    return list(info["car/milestones"].values())


def _with_option(space: spaces.Space[Any], count: int) -> spaces.Dict:
    entries = dict(space.spaces) if isinstance(space, spaces.Dict) else {OBSERVATION: space}
    if OPTION in entries:
        raise UserError(f"The observation already has an entry {OPTION!r}; rename it, or train without options.")
    return spaces.Dict({**entries, OPTION: spaces.Box(0.0, 1.0, (count,), np.float32)})
