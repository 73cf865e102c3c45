"""The environments that an agent trains or is evaluated in."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space, is_image_space_channels_first
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecTransposeImage

from car.rewards import Reward
from car.task import Env, Task
from car.train.episodes import EpisodeRecord, SeededEpisodes
from car.train.sb3.late import LateVecReward, can_be_late
from car.train.sb3.options import ActiveOption
from car.train.settings import TrainSettings


def make_venv(
    task: Task,
    seeds: Sequence[Sequence[int] | None],
    reward: Reward | None,
    settings: TrainSettings,
    late: bool = False,
) -> VecEnv:
    """Environments of a task that step together, as the agent sees them.

    Args:
        task: what they are environments of.
        seeds: for each environment, the seeds of the only episodes that it shall play; None plays on for ever.
        reward: what to shape the reward with; None leaves the environment's own, and no frame is taken.
        settings: how to shape.
        late: whether the dense reward may come when a rollout is full, for a model that is made to `follow`.

    Raises:
        BadTask: the environment cannot be made.
    """
    venv: VecEnv = DummyVecEnv([partial(_make_env, task, each, reward is not None) for each in seeds])
    if reward is not None:
        from car.wrapper import DenseVecReward

        kind = LateVecReward if late and can_be_late(reward, settings) else DenseVecReward
        venv = kind(
            venv,
            reward,
            shaping=settings.shaping,
            env_reward=settings.env_reward,
            gamma=settings.gamma,
            scale=settings.scale,
            observe_milestones=settings.observe_milestones,
            every=settings.every,
            monotone_progress=settings.monotone_progress,
        )
    venv = VecTransposeImage(venv) if _is_channels_last(venv.observation_space) else venv
    return ActiveOption(venv, reward) if settings.hierarchical and reward is not None else venv


def _is_channels_last(space: spaces.Space[Any]) -> bool:
    return isinstance(space, spaces.Box) and is_image_space(space) and not is_image_space_channels_first(space)


def _make_env(task: Task, seeds: Sequence[int] | None, tapped: bool) -> Env:
    env = task.make_env()
    if tapped:
        from car.wrapper import FrameTap

        env = FrameTap(env, task.make_camera())
    env = EpisodeRecord(task.viewed(env), task)
    return env if seeds is None else SeededEpisodes(env, seeds)
