"""The gate can be passed: the true predicates of the built-in tasks, as a chain of perfect checkers, are accepted."""

import numpy as np
import pytest

from car.checker import Checker, SubTask, slug
from car.record import RANDOM_SEEDS, random_policy
from car.task import Task
from car.tasks import find_task
from car.trajectory import Trajectory
from car.truth import truth_for
from car.verify import Observation, Rule, judge

_TASKS = ["doorkey-5x5", "unlock", "redbluedoors-6x6", "goto-redball", "pickup-ball", "keycorridor-s3r1", "taxi"]


def _chain(task: str) -> list[Checker]:
    names = [slug(each.name) for each in truth_for(task)]
    return [
        Checker(SubTask(name, name, tuple(names[:place]), goal=place == len(names) - 1), f"# {name}")
        for place, name in enumerate(names)
    ]


def _played(task: Task, who: str, seed: int) -> Observation:
    """What perfect checkers say of an episode; nothing needs to be drawn for that."""
    env = task.make_env()
    observation, _ = env.reset(seed=seed)
    act = task.make_expert(env) if who == "expert" else random_policy(env.action_space, seed)
    truth = truth_for(task.name)
    held, rewards, over, success = [[each.holds(env) for each in truth]], [], False, False
    while not over and len(rewards) < 300:
        observation, reward, terminated, truncated, info = env.step(act(observation))
        held.append([each.holds(env) for each in truth])
        rewards.append(float(reward))
        success = success or task.succeeded(float(reward), terminated, info)
        over = terminated or truncated
    env.close()
    blank = np.zeros((1, 8, 8, 3), np.uint8)
    order = np.zeros(len(held), np.int64)
    trajectory = Trajectory(blank, order, None, np.array(rewards), seed, who, success, bool(terminated))
    return Observation(trajectory, np.array(held))


@pytest.mark.parametrize("name", _TASKS)
def test_the_truth_passes(name: str) -> None:
    task = find_task(name)
    seen = [_played(task, "expert", seed) for seed in range(8)]
    seen += [_played(task, "random", RANDOM_SEEDS + seed) for seed in range(30)]
    verdict = judge(_chain(name), seen)
    assert verdict.findings == ()


def test_a_truth_that_claims_too_much_does_not_pass() -> None:
    task = find_task("unlock")
    seen = [_played(task, "expert", seed) for seed in range(8)]
    for seed in range(30):
        each = _played(task, "random", RANDOM_SEEDS + seed)
        each.done[-1] = True
        seen.append(each)
    assert Rule.FALSE_GOAL in [finding.rule for finding in judge(_chain("unlock"), seen).findings]
