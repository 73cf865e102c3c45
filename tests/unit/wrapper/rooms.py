"""Small MiniGrid tasks with right programs, played by an expert and at random by turns."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from car.milestones import Shaping
from car.rewards.code import CodeReward
from car.sandbox.process import ProcessSandbox
from car.task import Task
from car.tasks import find_task
from car.wrapper import DenseReward
from tests.planted.right import right_chain


def small(name: str, max_steps: int) -> Task:
    """A built-in task whose episodes are short enough to be cut."""
    return dataclasses.replace(find_task(name), env_kwargs={"max_steps": max_steps})


def right_reward(name: str, shaping: Shaping) -> CodeReward:
    """The reward of the right programs for a task, in the sandbox."""
    checkers = right_chain(name)
    return CodeReward(ProcessSandbox().open(checkers), [each.subtask for each in checkers], name, shaping)


@dataclass
class Played:
    """One step of an environment alone, or, with the action None, a reset."""

    action: int | None
    observation: Any
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    info: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.terminated or self.truncated


def played(task: Task, env: DenseReward, seed: int, steps: int) -> Iterator[Played]:
    """Plays episodes, the first one reset with the seed; in turn by the expert and at random."""
    rng = np.random.default_rng(seed)
    observation, info = env.reset(seed=seed)
    yield Played(None, observation, info=info)
    expert = task.make_expert(env)
    episode = 0
    for _ in range(steps):
        action = int(expert(None) if episode % 2 == 0 else rng.integers(task_actions(env)))
        observation, reward, terminated, truncated, info = env.step(action)
        yield Played(action, observation, reward, terminated, truncated, info)
        if terminated or truncated:
            observation, info = env.reset()
            yield Played(None, observation, info=info)
            episode += 1
            expert = task.make_expert(env) if episode % 2 == 0 else expert


def task_actions(env: gym.Env[Any, Any]) -> int:
    """How many actions there are."""
    space = env.action_space
    assert isinstance(space, gym.spaces.Discrete)
    return int(space.n)
