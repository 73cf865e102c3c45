"""Episodes are filmed where frames are taken, each from a seed of its own, and can be played again."""

import numpy as np

from car.audit.filming import FIRST_SEED, FilmedTask
from car.record import Continuations
from car.trajectory import Trajectory
from car.wrapper import FrameTap
from tests.unit.corridor_envs import corridor

TASK = corridor(env_kwargs={"limit": 8})


def filmed(seeds: list[int | None], tapped: bool = True) -> list[Trajectory]:
    """The episodes of an agent that goes right, and now and then left."""
    taken: list[Trajectory] = []
    task = FilmedTask.of(TASK, taken.append)
    env = task.make_env()
    env = task.viewed(FrameTap(env, task.make_camera()) if tapped else env)
    luck = np.random.default_rng(0)
    for seed in seeds:
        env.reset(seed=seed)
        ended = False
        while not ended:
            _, _, terminated, truncated, _ = env.step(int(luck.random() < 0.7))
            ended = terminated or truncated
    env.close()
    return taken


def test_an_episode_holds_what_happened() -> None:
    first, *_ = filmed([7])
    assert (first.who, first.seed, len(first) - 1) == ("agent", 7, len(first.actions))
    assert first.success is first.terminated is bool(first.rewards[-1])


def test_each_has_a_seed_and_can_be_played_again() -> None:
    episodes = filmed([7, None, None, 7, None, None])
    seeds = [each.seed for each in episodes]
    assert seeds[:3] == seeds[3:]
    assert len(set(seeds)) == 3
    assert all(seed >= FIRST_SEED for seed in (*seeds[1:3],))
    with Continuations(TASK) as continuations:
        for each in episodes:
            # Each frame up to the end is compared with the recorded one.
            (again,) = continuations.at_random(each, len(each) - 1, 1, 5)
            assert again.trajectory.success is each.success
            assert (again.trajectory.frames == each.frames).all()


def test_nothing_is_filmed_where_no_frames_are_taken() -> None:
    assert filmed([7, 8], tapped=False) == []


def test_success_can_cost_and_stays_success() -> None:
    taken: list[Trajectory] = []
    task = FilmedTask.of(TASK, taken.append, cost=0.5)
    env = task.viewed(FrameTap(task.make_env(), task.make_camera()))
    env.reset(seed=7)
    paid, succeeded, ended = [], [], False
    while not ended:
        _, reward, terminated, truncated, info = env.step(1)
        ended = terminated or truncated
        paid.append(reward)
        succeeded.append(task.succeeded(reward, terminated, info))
    env.close()
    assert paid == [0.0] * (len(paid) - 1) + [-0.5]
    assert succeeded == [False] * (len(paid) - 1) + [True]
    assert taken[0].success
    assert taken[0].rewards is not None
    assert taken[0].rewards[-1] == 1.0


def test_as_data_it_is_the_same_task() -> None:
    task = FilmedTask.of(TASK, lambda episode: None)
    assert task.as_dict() == TASK.as_dict()
