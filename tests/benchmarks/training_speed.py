"""What a dense reward costs in training, and what each way of saving is worth.

python -m tests.benchmarks.training_speed           wrapped against unwrapped, from an untrained policy to a trained one
python -m tests.benchmarks.training_speed parts     one way of saving at a time switched off
python -m tests.benchmarks.training_speed cameras   MiniGrid's own rendering against the camera that repaints

Learners take turns, a rollout and its update each, because other work goes on beside it on most machines; what counts
is the median over the turns. All of them follow one policy, that of the wrapped learner, so that they do the same.
Processor time is that of this process and of its workers.
"""

import argparse
import dataclasses
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from car.frames import Frame
from car.milestones import Milestones, Shaping
from car.rewards.code import CodeReward, open_reward
from car.rewards.watch import Watch
from car.sandbox.process import ProcessSandbox
from car.task import Task
from car.tasks import find_task
from car.tasks.grid_camera import GridCamera
from car.train.episodes import EpisodeRecord
from car.train.sb3.algorithms import new_model
from car.train.sb3.late import LateVecReward, follow
from car.train.sb3.venv import make_venv
from car.train.settings import TrainSettings
from car.wrapper import FrameTap
from car.wrapper.camera import FRAME

SETTINGS = TrainSettings()
ROLLOUT = SETTINGS.envs * SETTINGS.n_steps


@dataclass(frozen=True)
class Cost:
    """Microseconds for one environment step, by the clock and of processor time."""

    wall: float
    cpu: float


class Learner:
    """A learner on environments of its own.

    Args:
        venv: the environments.
        task: what they are environments of.
    """

    def __init__(self, venv: VecEnv, task: Task) -> None:
        self.model = new_model(task, venv, SETTINGS)
        follow(self.model)
        self.model.set_random_seed(0)

    def rollout(self, policy: dict[str, Any] | None = None) -> Cost:
        """What a step costs in one rollout with its update, from this policy on."""
        if policy is not None:
            self.model.policy.load_state_dict(policy)
        wall, cpu = time.perf_counter(), _processor_seconds()
        self.model.learn(ROLLOUT, reset_num_timesteps=False)
        return Cost(*(1e6 / ROLLOUT * each for each in (time.perf_counter() - wall, _processor_seconds() - cpu)))

    @property
    def policy(self) -> dict[str, Any]:
        """Its present policy."""
        return self.model.policy.state_dict()


def _processor_seconds() -> float:
    """Of this process and of all that it has started and that still run."""
    parents, used = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            used[int(folder.name)] = int((folder / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            continue
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return time.process_time() + sum(used.get(pid, 0.0) for pid in ours - {os.getpid()})


def in_turns(learners: dict[str, Learner], rounds: int, leader: str) -> dict[str, list[Cost]]:
    """The costs of each learner in each round; before each round, all take the leader's policy."""
    for each in learners.values():
        each.rollout()
    costs: dict[str, list[Cost]] = {name: [] for name in learners}
    for _ in range(rounds):
        policy = {name: value.clone() for name, value in learners[leader].policy.items()}
        for name, each in learners.items():
            costs[name].append(each.rollout(policy))
    return costs


def ratio(plain: Sequence[Cost], wrapped: Sequence[Cost], what: str) -> float:
    """Steps per second of the one over those of the other, the median over the rounds."""
    return median(getattr(one, what) / getattr(other, what) for one, other in zip(plain, wrapped, strict=True))


def added(plain: Sequence[Cost], wrapped: Sequence[Cost]) -> float:
    """Processor time that comes on top of a step, in microseconds, the median over the rounds."""
    return median(other.cpu - one.cpu for one, other in zip(plain, wrapped, strict=True))


def bundle_reward(task: Task, **kwargs: Any) -> CodeReward:
    """The reward of a shipped bundle, in a session of its own."""
    path = Path(__file__).parents[2] / "generated_rewards" / task.name
    return open_reward(path, Shaping(SETTINGS.shaping), sandbox=ProcessSandbox(), **kwargs)


class Eager:
    """A reward that asks for all sub-tasks at every frame."""

    def __init__(self, reward: CodeReward) -> None:
        self._reward = reward

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reward, name)

    def episode(self) -> Milestones:
        episode = self._reward.episode()
        episode.__class__ = _EagerMilestones
        return episode


class _EagerMilestones(Milestones):
    @property
    def wanted(self) -> Any:
        return np.ones_like(super().wanted)


class Plain:
    """A reward that takes stacked frames alone: it cannot know one again, nor be asked ahead."""

    def __init__(self, reward: CodeReward) -> None:
        self.signals, self.episode = reward.signals, reward.episode
        self.name, self.names, self.frame_shape = reward.name, reward.names, reward.frame_shape

    def close(self) -> None:
        """Nothing of its own."""


class ByPixels(Plain):
    """A reward that can be asked ahead, but knows frames by their pixels alone."""

    def signals_of(self, initial: Sequence[Frame], frames: Sequence[Frame], ask: Any) -> Any:
        return self.signals(np.stack(initial), np.stack(frames), ask)

    foresee = signals_of


class Thawed(gym.Wrapper[Any, Any, Any, Any]):
    """Frames as plain arrays, which a vector of environments copies."""

    def reset(self, **kwargs: Any) -> Any:
        observation, info = self.env.reset(**kwargs)
        return observation, {**info, FRAME: np.array(info[FRAME])}

    def step(self, action: Any) -> Any:
        *rest, info = self.env.step(action)
        return (*rest, {**info, FRAME: np.array(info[FRAME])})


def _thawed_env(task: Task) -> gym.Env[Any, Any]:
    return EpisodeRecord(task.viewed(Thawed(FrameTap(task.make_env(), task.make_camera()))), task)


def forgetful_camera() -> GridCamera:
    """The camera that keeps no picture but the last."""
    return GridCamera(kept_bytes=0)


def _filmed(task: Task, camera: str) -> Task:
    return dataclasses.replace(task, camera=f"{__spec__.name}:{camera}" if camera != "render" else camera)


def rendered(task: Task) -> Task:
    """The task with MiniGrid's own rendering for a camera, which gives the same frames."""
    return dataclasses.replace(_filmed(task, "render"), env_kwargs={"highlight": False, "tile_size": 8})


Variant = Callable[[Task], VecEnv]


def usual(task: Task, reward: Any) -> VecEnv:
    """The environments that `car train` makes."""
    return make_venv(task, [None] * SETTINGS.envs, reward, SETTINGS, late=True)


def at_once(task: Task, reward: Any) -> VecEnv:
    """The same, where the reward of a step comes with the step."""
    return make_venv(task, [None] * SETTINGS.envs, reward, SETTINGS)


def _copied(task: Task) -> VecEnv:
    return LateVecReward(DummyVecEnv([partial(_thawed_env, task)] * SETTINGS.envs), bundle_reward(task))


PARTS: dict[str, Variant] = {
    "as it is": lambda task: usual(task, bundle_reward(task)),
    "pictures seen before are painted again": lambda task: usual(
        _filmed(task, "forgetful_camera"), bundle_reward(task)
    ),
    "frames are copied on their way": _copied,
    "frames are known by their pixels alone": lambda task: usual(task, ByPixels(bundle_reward(task))),
    "the reward comes with each step": lambda task: at_once(task, bundle_reward(task)),
    "both, and unchanged frames are judged again": lambda task: at_once(task, Plain(bundle_reward(task))),
    "answers are not remembered": lambda task: usual(task, bundle_reward(task, remembered=0)),
    "all sub-tasks are asked": lambda task: usual(task, Eager(bundle_reward(task))),
    "no known frames are slipped in": lambda task: usual(task, bundle_reward(task, watch=Watch(every=0))),
}
CAMERAS: dict[str, Variant] = {
    "repainting": PARTS["as it is"],
    "repainting, no picture kept": PARTS["pictures seen before are painted again"],
    "MiniGrid's render": lambda task: usual(rendered(task), bundle_reward(task)),
}


def compare(task: Task, variants: dict[str, Variant], rounds: int) -> None:
    """Prints what each variant costs beside the unwrapped environment."""
    learners = {"sparse": Learner(usual(task, None), task)}
    learners |= {name: Learner(make(task), task) for name, make in variants.items()}
    costs = in_turns(learners, rounds, next(iter(variants)))
    width = max(map(len, variants))
    print(f"{'':{width}}  ratio (clock)  ratio (processor)  added us a step  more than the first")
    for name in variants:
        both = costs["sparse"], costs[name]
        said = f"{ratio(*both, 'wall'):13.3f}  {ratio(*both, 'cpu'):17.3f}  {added(*both):15.1f}"
        print(f"{name:{width}}  {said}  {added(costs[next(iter(variants))], costs[name]):19.1f}")


def over_a_training(task: Task, rounds: int) -> None:
    """Prints the ratio of wrapped to unwrapped steps per second, for parts of a training and the whole of it."""
    learners = {
        "sparse": Learner(usual(task, None), task),
        "dense": Learner(usual(task, bundle_reward(task)), task),
    }
    costs = in_turns(learners, rounds, "dense")
    third = -(-rounds // 3)
    spans = [(first, min(first + third, rounds)) for first in range(0, rounds, third)] + [(0, rounds)]
    print("steps               ratio (clock)  ratio (processor)  added us a step")
    for first, last in spans:
        both = costs["sparse"][first:last], costs["dense"][first:last]
        steps = f"{(first + 1) * ROLLOUT:,} to {(last + 1) * ROLLOUT:,}"
        print(f"{steps:18}  {ratio(*both, 'wall'):13.3f}  {ratio(*both, 'cpu'):17.3f}  {added(*both):15.1f}")
    solved = learners["dense"].model.ep_success_buffer
    print(f"solved by the wrapped learner in the end: {float(np.mean(solved)) if solved else 0.0:.0%} of episodes")


def main() -> None:
    """Runs one of the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["training", "parts", "cameras"], default="training")
    parser.add_argument("--task", default="doorkey-8x8", help="a task with a shipped bundle")
    parser.add_argument("--rounds", type=int, default=0, help="turns of each learner; default: 39, or 9 for parts")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    task = find_task(asked.task)
    print(f"{task.name}, {os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f} at the beginning")
    if asked.what == "training":
        over_a_training(task, asked.rounds or 39)
    else:
        compare(task, PARTS if asked.what == "parts" else CAMERAS, asked.rounds or 9)


if __name__ == "__main__":
    main()
