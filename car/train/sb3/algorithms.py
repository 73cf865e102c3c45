"""The algorithms: made from our settings, saved and loaded."""

import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from car.errors import UserError
from car.files import write_atomically
from car.task import Task
from car.train.evaluate import Actor
from car.train.sb3.networks import policy_for
from car.train.sb3.option_policy import option_policy_for
from car.train.settings import ON_POLICY, WINDOW, TrainSettings

_CLASSES: Mapping[str, type[BaseAlgorithm]] = {"ppo": PPO, "a2c": A2C, "dqn": DQN, "sac": SAC}
_NEEDS: Mapping[str, tuple[str, tuple[type[spaces.Space[Any]], ...]]] = {
    "ppo": ("discrete or continuous", (spaces.Discrete, spaces.Box, spaces.MultiDiscrete, spaces.MultiBinary)),
    "a2c": ("discrete or continuous", (spaces.Discrete, spaces.Box, spaces.MultiDiscrete, spaces.MultiBinary)),
    "dqn": ("discrete", (spaces.Discrete,)),
    "sac": ("continuous", (spaces.Box,)),
}
_REPLAY = 100_000


def new_model(task: Task, venv: VecEnv, settings: TrainSettings) -> BaseAlgorithm:
    """An untrained model for a task's environments.

    Raises:
        UserError: the algorithm cannot act in them.
    """
    words, fitting = _NEEDS[settings.algo]
    if not isinstance(venv.action_space, fitting):
        raise UserError(
            f"The algorithm {settings.algo!r} needs {words} actions, and those of task {task.name!r} are "
            f"{venv.action_space}; choose another algorithm."
        )
    kind = _CLASSES[settings.algo]
    policy, policy_kwargs = (option_policy_for if settings.hierarchical else policy_for)(venv.observation_space)
    return kind(
        policy,
        venv,
        policy_kwargs=policy_kwargs,
        seed=settings.seed,
        device="cpu",
        stats_window_size=WINDOW,
        **_arguments(settings),
    )


def _arguments(settings: TrainSettings) -> dict[str, Any]:
    """What the algorithm's class takes, from our settings."""
    common = {"learning_rate": settings.learning_rate, "gamma": settings.gamma}
    if settings.algo in ON_POLICY:
        common |= {"n_steps": settings.n_steps, "gae_lambda": settings.gae_lambda, "ent_coef": settings.ent_coef}
    else:
        common |= {"buffer_size": min(_REPLAY, settings.steps), "learning_starts": min(1000, settings.steps // 10)}
    own: Mapping[str, dict[str, Any]] = {
        "ppo": {"batch_size": settings.batch, "n_epochs": settings.epochs, "clip_range": settings.clip},
        "a2c": {},
        "dqn": {
            "batch_size": settings.batch,
            "train_freq": 4,
            "gradient_steps": settings.envs,
            "exploration_fraction": 0.3,
            "target_update_interval": 1000,
        },
        "sac": {"batch_size": settings.batch, "train_freq": 1, "gradient_steps": settings.envs},
    }
    return {**common, **own[settings.algo]}


def save_model(model: BaseAlgorithm, path: Path) -> None:
    """Writes a model to a file, atomically; the memory of DQN and SAC is left out."""
    with write_atomically(path) as stream:
        model.save(stream)  # type: ignore[arg-type]


def load_model(path: Path, settings: TrainSettings, venv: VecEnv | None = None) -> BaseAlgorithm:
    """The model in a file, for these environments or for prediction alone.

    Raises:
        UserError: the file is damaged, or its model does not fit the environments.
    """
    try:
        return _CLASSES[settings.algo].load(path, env=venv, device="cpu")
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise UserError(f"The policy file {path} cannot be loaded ({error}); delete it to go on without it.") from error


def load_actor(path: Path, settings: TrainSettings) -> Actor:
    """The policy in a file that a run saved.

    Raises:
        UserError: the file is damaged.
    """
    return load_model(path, settings).policy


@contextmanager
def own_noise(seed: int) -> Iterator[None]:
    """Random numbers from a seed inside the block; outside, they go on as if it had not been."""
    # Stable-Baselines3 draws from NumPy's old global generator.
    before = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            np.random.set_state(before)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """So many PyTorch threads inside the block; small networks only wait for more of them."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
