"""A dense reward that is worked out when a rollout is full, for a learner that does not look at it before."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import DictRolloutBuffer, RolloutBuffer
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvObs, VecEnvStepReturn, VecEnvWrapper

from car.errors import UserError
from car.rewards import KnowsFrames, Reward
from car.train.settings import ON_POLICY, TrainSettings
from car.wrapper import DenseVecReward
from car.wrapper.late import LateScorer
from car.wrapper.scoring import ends_episodes


def can_be_late(reward: Reward, settings: TrainSettings) -> bool:
    """Whether a step's reward is needed no sooner than the rollout is full, and waiting saves work."""
    needed = settings.observe_milestones or settings.hierarchical or settings.algo not in ON_POLICY
    needed = needed or ends_episodes(reward)
    return isinstance(reward, KnowsFrames) and not needed


class LateVecReward(DenseVecReward):
    """`DenseVecReward` for a model that is made to `follow` it: its steps pay the environment's own reward alone.

    What the dense reward pays for them is worked out for many steps at once, by a `LateScorer`, and comes from
    `collect`. The sums are the same. `infos` tell nothing of milestones.

    Args:
        venv, reward, kwargs: as for `DenseVecReward`, without `observe_milestones`.

    Raises:
        UserError: the milestones shall be observed, which cannot wait.
    """

    def __init__(self, venv: VecEnv, reward: Reward, **kwargs: Any) -> None:
        super().__init__(venv, reward, **kwargs)
        if self._view is not None:
            raise UserError("Milestones that the agent observes cannot be worked out later; use DenseVecReward.")
        self._late = LateScorer(self._scorer)
        self._shaped: list[NDArray[np.float32]] = []
        self._credited: list[float] = []

    def reset(self) -> VecEnvObs:
        """Begins an episode in every environment; what was not collected is lost."""
        self._late.forget()
        self._shaped.clear()
        return super().reset()

    def step_wait(self) -> VecEnvStepReturn:
        """The step of all environments, which pays their own reward, or nothing where it is replaced."""
        observations, env_rewards, dones, infos = self.venv.step_wait()
        infos = [dict(info) for info in infos]
        self._late.add(self._move(dones, infos))
        if self._late.full:
            self._settle()
        return observations, env_rewards if self._adds else np.zeros_like(env_rewards), dones, infos

    def collect(self) -> NDArray[np.float32]:
        """What the dense reward pays for the steps since the last call, (steps, environments).

        Raises:
            RewardChanged: a checker said something else of a known frame than before.
        """
        self._settle()
        shaped = np.stack(self._shaped)
        self._shaped.clear()
        return shaped

    def credited(self) -> list[float]:
        """The share of sub-tasks that was credited in each episode that ended since the last call, as far as known."""
        credited, self._credited = self._credited, []
        return credited

    def _settle(self) -> None:
        for scored, ended in self._late.settle():
            self._shaped.append(np.array([each.shaped for each in scored], np.float32))
            self._credited += [float((scored[index].milestones >= 1).mean()) for index in ended]


class _Late:
    """A rollout buffer whose rewards are completed when the rollout is full."""

    rewards: NDArray[np.float32]
    venv: LateVecReward

    def compute_returns_and_advantage(self, last_values: torch.Tensor, dones: NDArray[np.bool_]) -> None:
        """The returns and the advantages, from the completed rewards."""
        # An interrupted rollout may have left steps that are in no buffer.
        self.rewards += self.venv.collect()[-len(self.rewards) :]
        super().compute_returns_and_advantage(last_values, dones)  # type: ignore[misc]


class LateRolloutBuffer(_Late, RolloutBuffer):
    """For observations that are arrays."""


class LateDictRolloutBuffer(_Late, DictRolloutBuffer):
    """For observations that are dictionaries."""


def follow(model: BaseAlgorithm) -> LateVecReward | None:
    """Makes a model complete its rollouts with what a `LateVecReward` in its environments pays.

    Returns:
        The environments; None if the reward comes with each step.
    """
    venv = late_in(model.get_env())
    if venv is None or not isinstance(model, OnPolicyAlgorithm):
        return None
    before = model.rollout_buffer
    kind: type[Any] = LateDictRolloutBuffer if isinstance(before, DictRolloutBuffer) else LateRolloutBuffer
    buffer = kind(
        before.buffer_size,
        before.observation_space,
        before.action_space,
        device=before.device,
        gamma=before.gamma,
        gae_lambda=before.gae_lambda,
        n_envs=before.n_envs,
    )
    buffer.venv = venv
    model.rollout_buffer = buffer
    return venv


def late_in(venv: VecEnv | None) -> LateVecReward | None:
    """The `LateVecReward` among the wrappers of an environment, if there is one."""
    while isinstance(venv, VecEnvWrapper):
        if isinstance(venv, LateVecReward):
            return venv
        venv = venv.venv
    return None
