"""Rolls out experts and random policies, one trajectory for each seed."""

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from car.errors import BadTrajectory, UnknownName
from car.record.stage import PolicyMaker, Stage
from car.task import Policy, Task
from car.trajectory import Trajectory

RANDOM_SEEDS = 1_000_000
"""Random episode i of ``--seed s`` has the seed 1,000,000 + s + i: experts, which begin at s, never share a layout."""

OnEpisode = Callable[[Trajectory], None]


def random_policy(space: gym.Space[Any], seed: int) -> Policy:
    """Uniformly random actions that depend on the seed alone.

    It draws from a copy of the space with a generator of its own, derived from the seed: the same seed itself would
    repeat the random numbers with which the environment made its layout.
    """
    own = copy.deepcopy(space)
    own.seed(int(np.random.SeedSequence([seed, RANDOM_SEEDS]).generate_state(1)[0]))
    return lambda observation: own.sample()


def _policy_maker(task: Task, who: str, seed: int) -> PolicyMaker:
    if who == "expert":
        return task.make_expert
    if who == "random":
        return lambda env: random_policy(env.action_space, seed)
    raise UnknownName("policy", who, ["expert", "random"])


def record(
    task: Task,
    who: str,
    seeds: Iterable[int],
    *,
    max_steps: int | None = None,
    on_episode: OnEpisode | None = None,
) -> Iterator[Trajectory]:
    """Plays one episode for each seed, in one environment, and yields each as it ends.

    An episode depends on its seed alone. An expert's episode that fails is yielded too, with ``success`` False.

    Args:
        task: what to play.
        who: ``expert`` (the task's own) or ``random`` (uniform).
        seeds: what to reset the environment with.
        max_steps: cuts episodes off; None leaves it to the environment.
        on_episode: called with each trajectory before it is yielded.

    Raises:
        UnknownName: `who` is something else.
        BadTask: the environment cannot be made or gives no frames, or the task has no expert.
        BadFrame: the environment gives something else than uint8 RGB of shape (H, W, 3).
        BadTrajectory: frames of different sizes, or a reward that is not a finite number.
    """
    with Stage(task) as stage:
        for seed in seeds:
            trajectory = stage.play(_policy_maker(task, who, seed), who, seed, max_steps)
            if on_episode is not None:
                on_episode(trajectory)
            yield trajectory


def record_expert(
    task: Task,
    count: int,
    seed: int = 0,
    *,
    known: Collection[int] = (),
    max_steps: int | None = None,
    on_episode: OnEpisode | None = None,
) -> Iterator[Trajectory]:
    """Yields the expert's successes for the seeds `seed`, `seed` + 1, ... until there are `count` of them.

    An expert may fail now and then: an episode that fails is left out, the next seed takes its place, and at most
    2 * `count` seeds are tried.

    Args:
        task: what to play.
        count: how many successes there must be.
        seed: the first seed.
        known: seeds whose success is there already; they count and are not played again.
        max_steps: cuts episodes off; None leaves it to the environment.
        on_episode: called with each trajectory played, the failed ones too.

    Raises:
        BadTrajectory: fewer than `count` successes; says how many failed, and for which seeds.
        BadTask, BadFrame: as for `record`.
    """
    done, failed = 0, []
    with Stage(task) as stage:
        for each in range(seed, seed + 2 * count):
            if done == count:
                return
            if each in known:
                done += 1
                continue
            trajectory = stage.play(task.make_expert, "expert", each, max_steps)
            if on_episode is not None:
                on_episode(trajectory)
            if trajectory.success:
                done += 1
                yield trajectory
            else:
                failed.append(each)
    if done < count:
        raise BadTrajectory(
            f"The expert of task {task.name!r} failed in {len(failed)} of {done + len(failed)} episodes, and {count} "
            f"successes are needed; it failed for the seeds {_listed(failed)}."
        )


def _listed(seeds: Sequence[int], most: int = 10) -> str:
    shown = ", ".join(map(str, seeds[:most]))
    return shown if len(seeds) <= most else f"{shown} and {len(seeds) - most} more"
