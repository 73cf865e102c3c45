"""How good a policy is by the environment's own account: its own success and reward, and none of ours."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from car.rewards import Reward, WithoutEnds
from car.task import Task
from car.train.settings import EVALUATION_SEED, Evaluation, TrainSettings
from car.wrapper.scoring import ends_episodes

_AT_ONCE = 20


class Actor(Protocol):
    """Chooses actions for a batch of observations, as the policies of Stable-Baselines3 do."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[Any, Any]:
        """The actions, and a state that is not used here."""
        ...


class Exam:
    """The same episodes for every policy that sits it; a context manager that closes its environments.

    The environments have no reward wrapper, unless the policy observes milestones: then they are in the observation,
    and success, length and reward are still the environment's own.

    Args:
        task: what to play.
        episodes: how many.
        seed0: the first episode is reset with this seed, the next one with the next number, and so on.
        deterministic: whether the policy takes its likeliest action instead of a sampled one. DQN always does.
        reward: what credits the milestones, for a policy that observes them; it is left open.
        settings: how that policy was trained.

    Raises:
        BadTask: the environment cannot be made.
    """

    def __init__(
        self,
        task: Task,
        episodes: int,
        seed0: int = EVALUATION_SEED,
        deterministic: bool = False,
        reward: Reward | None = None,
        settings: TrainSettings = TrainSettings(),
    ) -> None:
        from car.train.sb3 import make_venv

        self._episodes, self._seed0, self._deterministic = episodes, seed0, deterministic
        seeds = np.arange(seed0, seed0 + episodes)
        shares = [[int(seed) for seed in seeds[first::_AT_ONCE]] for first in range(min(_AT_ONCE, episodes))]
        if reward is not None and ends_episodes(reward):
            reward = WithoutEnds(reward)
        self._venv = make_venv(task, shares, reward, settings)

    def sit(self, policy: Actor) -> Evaluation:
        """Lets a policy play all episodes; the random numbers of a training that goes on around it are left alone."""
        from car.train.sb3 import own_noise

        with own_noise(self._seed0):
            return _summary(self._play(policy))

    def _play(self, policy: Actor) -> list[Mapping[str, Any]]:
        self._venv.env_method("restart")
        observations = self._venv.reset()
        ended: list[Mapping[str, Any]] = []
        while len(ended) < self._episodes:
            actions, _ = policy.predict(observations, deterministic=self._deterministic)
            observations, _, dones, infos = self._venv.step(actions)
            ended += [info for done, info in zip(dones, infos, strict=True) if done]
        return ended

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._venv.close()


def _summary(ended: Sequence[Mapping[str, Any]]) -> Evaluation:
    return Evaluation(
        episodes=len(ended),
        success=float(np.mean([info["is_success"] for info in ended])),
        length=float(np.mean([info["episode"]["l"] for info in ended])),
        reward=float(np.mean([info["episode"]["r"] for info in ended])),
    )


def evaluate(
    policy: Actor,
    task: Task,
    episodes: int = 100,
    seed0: int = EVALUATION_SEED,
    deterministic: bool = False,
    reward: Reward | None = None,
    settings: TrainSettings = TrainSettings(),
) -> Evaluation:
    """What a policy reaches in a task's own environment; the arguments are those of `Exam`.

    Raises:
        BadTask: the environment cannot be made.
    """
    with Exam(task, episodes, seed0, deterministic, reward, settings) as exam:
        return exam.sit(policy)
