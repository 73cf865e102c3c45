"""Right programs for every built-in task with a goal to reach.

They agree with the truth, and the verifier finds nothing against them.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from car.checker import Checker, checker_from
from car.errors import UnknownName
from car.frames import Frame
from car.record import RANDOM_SEEDS, record, record_expert
from car.sandbox.process import ProcessSandbox
from car.tasks import all_tasks, find_task
from car.trajectory import Trajectory
from car.truth import truth_for
from car.verify import verdict_on
from tests.planted.right import right_chain, tasks_with_a_chain
from tests.unit.refine.scripted import InThisProcess
from tools import false_alarms

TASKS = tasks_with_a_chain()
SEED = 5_000


@lru_cache(maxsize=1)  # The tests go through the tasks one after another.
def _played(task: str) -> tuple[Trajectory, ...]:
    experts = record_expert(find_task(task), 4, SEED)
    randoms = record(find_task(task), "random", range(RANDOM_SEEDS + SEED, RANDOM_SEEDS + SEED + 16), max_steps=60)
    return (*experts, *randoms)


def _said(chain: list[Checker], trajectory: Trajectory) -> np.ndarray:
    """What the checkers say of each frame, (T+1, k)."""
    said = InThisProcess().open(chain).run(trajectory.frame(0), trajectory.pictures.copy())
    assert not said.failures
    return (said.done == 1)[trajectory.order]


def _true(task: str, trajectory: Trajectory) -> np.ndarray:
    """What is the case at each frame, (T+1, k), found by playing the actions again."""
    env, predicates = find_task(task).make_env(), truth_for(task)
    env.reset(seed=trajectory.seed)
    held = [[each.holds(env) for each in predicates]]
    assert trajectory.actions is not None
    for action in trajectory.actions:
        env.step(action)
        held.append([each.holds(env) for each in predicates])
    return np.array(held)


# One test for each task, so that its trajectories are recorded once and need not be kept.
@pytest.mark.parametrize("task", TASKS)
def test_right_checkers_agree_with_the_truth_on_every_frame_and_nothing_is_found_against_them(task: str) -> None:
    chain = right_chain(task)
    assert [each.subtask.name for each in chain] == [each.name for each in truth_for(task)]
    for trajectory in _played(task):
        true = _true(task, trajectory)
        assert np.array_equal(_said(chain, trajectory), true), trajectory.name
        assert trajectory.who == "random" or true.any(axis=0).all()
    assert verdict_on(chain, _played(task), ProcessSandbox(), reported=False).findings == ()


@pytest.mark.parametrize("task", TASKS)
def test_right_checkers_pass_the_static_screen_and_only_the_last_is_the_goal(task: str) -> None:
    chain = right_chain(task)
    for each in chain:
        assert isinstance(checker_from(f"```python\n{each.source}```", each.subtask), Checker)
    assert [each.subtask.goal for each in chain] == [False] * (len(chain) - 1) + [True]


def test_only_a_task_whose_goal_holds_from_the_first_frame_on_has_no_right_checkers() -> None:
    """Such a goal must be rejected: programs pay for what was not so at the start."""
    assert set(all_tasks()) - set(TASKS) == {"cartpole-upright"}
    env = find_task("cartpole-upright").make_env()
    env.reset(seed=SEED)
    assert all(each.holds(env) for each in truth_for("cartpole-upright"))


def test_there_are_no_right_checkers_for_a_task_of_ones_own() -> None:
    with pytest.raises(UnknownName, match="right checkers for the task 'mine'"):
        right_chain("mine")


def _pictures_of_nothing(shape: tuple[int, ...]) -> list[Frame]:
    chance = np.random.default_rng(0)
    # 100 is the grey of MiniGrid's walls.
    plain = [np.full(shape, value, np.uint8) for value in (0, 33, 100, 128, 255)]
    return [*plain, *(chance.integers(0, 256, shape, np.uint8) for _ in range(5))]


@pytest.mark.parametrize("task", TASKS)
def test_no_right_checker_fires_on_a_picture_that_shows_nothing(task: str) -> None:
    task_of = find_task(task)
    env, camera = task_of.make_env(), task_of.make_camera()
    first = camera(env, env.reset(seed=SEED)[0])
    said = InThisProcess().open(right_chain(task)).run(first, np.stack(_pictures_of_nothing(first.shape)))
    assert not said.failures
    assert (said.done == 0).all()


def _beside_the_box(carry_key: bool) -> tuple[Any, Callable[[], Frame]]:
    """UnlockPickup with the agent before the box; the key on the floor or in its hands."""
    task = find_task("unlockpickup")
    env, camera = task.make_env(), task.make_camera()
    env.reset(seed=SEED)
    world: Any = env.unwrapped
    column, row = world.obj.cur_pos
    world.agent_pos, world.agent_dir = (column - 1, row), 0
    if carry_key:
        cells = world.grid.grid
        key = next(cell for cell, thing in enumerate(cells) if thing is not None and thing.type == "key")
        world.carrying, cells[key] = cells[key], None
    return env, lambda: camera(env, None)


def _after(action: str, carry_key: bool) -> tuple[Frame, bool]:
    """The frame after one action before the box, and whether the box is really in the agent's hands."""
    env, shot = _beside_the_box(carry_key)
    env.step(env.unwrapped.actions[action])
    return shot(), truth_for("unlockpickup")[-1].holds(env)


def _box_taken(frame: Frame) -> bool:
    task = find_task("unlockpickup")
    env, camera = task.make_env(), task.make_camera()
    first = camera(env, env.reset(seed=SEED)[0])
    return bool(InThisProcess().open(right_chain("unlockpickup")[-1:]).run(first, frame[None].copy()).done[0, 0] == 1)


def test_no_checker_can_tell_a_box_that_vanished_from_one_that_was_taken_by_empty_hands() -> None:
    """MiniGrid's toggle opens a box, and an empty one is gone: the only false goal of these checkers."""
    taken, vanished = _after("pickup", carry_key=False), _after("toggle", carry_key=False)
    assert (taken[1], vanished[1]) == (True, False)
    assert np.array_equal(taken[0], vanished[0])
    assert _box_taken(vanished[0])


def test_a_box_that_vanishes_while_the_key_is_in_the_hands_was_not_taken() -> None:
    frame, truth = _after("toggle", carry_key=True)
    assert not truth
    assert not _box_taken(frame)


def test_the_taxi_is_read_rightly_in_every_state_that_can_be_reached() -> None:
    task = find_task("taxi")
    env, camera, chain = task.make_env(), task.make_camera(), right_chain("taxi")
    env.reset(seed=SEED)
    world: Any = env.unwrapped
    predicates = truth_for("taxi")
    for goal in range(4):
        frames, true = [], []
        for row, column, passenger in product(range(5), repeat=3):
            if passenger == goal and (row, column) != world.locs[goal]:
                continue  # The episode ends where the passenger gets off.
            # Over the goals and passengers, the taxi points every way in every cell, empty and full.
            world.s, world.taxi_orientation = world.encode(row, column, passenger, goal), (passenger + goal) % 4
            frames.append(camera(env, None))
            true.append([each.holds(env) for each in predicates])
        said = InThisProcess().open(chain).run(frames[0], np.stack(frames)).done == 1
        assert np.array_equal(said, np.array(true))


def test_the_tool_keeps_its_results_and_judges_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.json"
    arguments = ["--tasks", "pickup-ball", "--seeds", "1", "--experts", "2", "--randoms", "3", "--out", str(out)]
    assert false_alarms.main([*arguments, "--max-steps", "9"]) == 1
    (first,) = false_alarms.load(out)
    assert (first.task, first.seed, first.decision, first.findings) == ("pickup-ball", 10_000, "undecided", ())
    shown = capsys.readouterr().out
    assert "pickup-ball, seed 10000: undecided. 2 of 2 expert trajectories complete the whole chain" in shown
    assert false_alarms.main([*arguments, "--max-steps", "9"]) == 1
    assert false_alarms.load(out) == [first]
    assert false_alarms.main([*arguments, "--max-steps", "8"]) == 1
    assert len(false_alarms.load(out)) == 2
