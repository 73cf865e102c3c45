"""The ground truth of the built-in tasks, on the episodes of the planner."""

import pytest

from car.errors import UnknownName
from car.tasks import all_tasks
from car.truth import truth_for

# What is true of this one from the first frame on is to be kept: tests of its own.
TO_REACH = [task for task in all_tasks().values() if task.name != "cartpole-upright"]


def _play(task, seed):
    """For each predicate, at which steps it held; and whether each step was a success. Step 0 is the reset."""
    env = task.make_env()
    observation, _ = env.reset(seed=seed)
    policy, predicates = task.make_expert(env), truth_for(task.name)
    held, successes, over = [[predicate.holds(env) for predicate in predicates]], [False], False
    while not over:
        observation, reward, terminated, truncated, info = env.step(policy(observation))
        held.append([predicate.holds(env) for predicate in predicates])
        successes.append(task.succeeded(reward, terminated, info))
        over = terminated or truncated
    return held, successes


@pytest.mark.parametrize("seed", [0, 1, 9])
@pytest.mark.parametrize("task", TO_REACH, ids=lambda task: task.name)
def test_on_expert_episodes_the_sub_tasks_become_true_in_order_and_the_last_is_success(task, seed):
    held, successes = _play(task, seed)
    columns = list(zip(*held, strict=True))
    assert not any(held[0])
    first = [column.index(True) for column in columns]
    assert first == sorted(set(first))
    assert list(columns[-1]) == successes
    assert successes[-1]


def test_every_built_in_task_has_a_ground_truth_with_names():
    for name in all_tasks():
        names = [predicate.name for predicate in truth_for(name)]
        assert len(set(names)) == len(names) > 0


def test_the_blue_door_alone_is_not_done():
    env = all_tasks()["redbluedoors-6x6"].make_env()
    env.reset(seed=0)
    env.unwrapped.blue_door.is_open = True
    assert [predicate.holds(env) for predicate in truth_for("redbluedoors-6x6")] == [False, False]


def test_a_task_without_ground_truth_says_which_have_one():
    with pytest.raises(UnknownName, match="There is no ground truth for the task 'mine'"):
        truth_for("mine")
