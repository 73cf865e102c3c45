"""Episodes whose every step is labelled with what really held."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from car.errors import BadTask
from car.record.rollout import random_policy
from car.record.stage import Stage
from car.task import Env, Policy, Task
from car.trajectory import Trajectory

KINDS = ("expert", "mixed", "random")
"""Who acts: the task's expert, the same with random actions in between, or a uniformly random policy."""

_STREAM = 2_000_000_000

Holds = Callable[[Env], Sequence[bool]]
"""What m predicates say of an environment's present state."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """One episode of T steps, and which of m predicates held at each time.

    Args:
        kind: who acted, one of `KINDS`.
        trajectory: the episode.
        truth: bool (T+1, m).
    """

    kind: str
    trajectory: Trajectory
    truth: NDArray[np.bool_]


def play_labelled(
    stage: Stage, task: Task, kind: str, seed: int, holds: Holds, slips: float = 0.2, max_steps: int | None = None
) -> Labelled:
    """Plays one episode and notes what holds at each step.

    Args:
        stage: where the task is played.
        task: what is played there.
        kind: who acts, one of `KINDS`.
        seed: of the episode, and of its random actions.
        holds: what is really the case.
        slips: the share of random actions in a mixed episode.
        max_steps: cut the episode off after this many.

    Raises:
        BadFrame: what the environment gives is no frame.
        BadTask: the environment cannot be made, or the task has no expert.
    """
    watched: list[_Watched] = []

    def make(env: Env) -> Policy:
        watched.append(_Watched(env, policy_of(kind, task, env, seed, slips), holds))
        return watched[-1]

    who = "expert" if kind == "expert" else "random"
    trajectory = stage.play(make, who, seed, max_steps)
    return Labelled(kind, trajectory, watched[-1].all_noted())


def policy_of(kind: str, task: Task, env: Env, seed: int, slips: float) -> Policy:
    """Who acts in an episode of this kind; the seed alone decides which random actions are taken.

    Raises:
        BadTask: the task has no expert.
    """
    if kind == "random":
        return random_policy(env.action_space, seed)
    return task.make_expert(env) if kind == "expert" else _Slipping(task, env, seed, slips)


class _Slipping:
    """The expert, who now and then acts at random and then plans anew; where there is no way on, random to the end."""

    def __init__(self, task: Task, env: Env, seed: int, slips: float) -> None:
        self._task, self._env, self._slips = task, env, slips
        self._random = random_policy(env.action_space, seed)
        self._chance = np.random.default_rng([seed, _STREAM])
        self._expert: Policy | None = task.make_expert(env)
        self._lost = False

    def __call__(self, observation: object) -> object:
        if self._lost or self._chance.random() < self._slips:
            self._expert = None
            return self._random(observation)
        if self._expert is None:
            self._expert = self._planned()
        return self._random(observation) if self._expert is None else self._expert(observation)

    def _planned(self) -> Policy | None:
        try:
            return self._task.make_expert(self._env)
        except BadTask:
            # It planned at the start, so it is this state from which there is no way.
            self._lost = True
            return None


class _Watched:
    """A policy that notes what holds before each of its actions."""

    def __init__(self, env: Env, policy: Policy, holds: Holds) -> None:
        self._env, self._policy, self._holds = env, policy, holds
        self._noted: list[Sequence[bool]] = []

    def __call__(self, observation: object) -> object:
        self._noted.append(self._holds(self._env))
        return self._policy(observation)

    def all_noted(self) -> NDArray[np.bool_]:
        """What held at each step; to be asked for once, while the environment is still as it was at the end."""
        return np.array([*self._noted, self._holds(self._env)], np.bool_)
