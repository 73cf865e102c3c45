"""The built-in tasks and how a task is found."""

import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

from car.errors import BadTask, UnknownName
from car.task import Task
from car.tasks import all_tasks, find_task, shipped_files

MINE = Task(name="mine", env_id="MiniGrid-Empty-5x5-v0")
NOT_A_TASK = "mine"


def test_the_built_in_tasks_are_there_by_name():
    tasks = all_tasks()
    assert {"doorkey-6x6", "unlockpickup", "keycorridor-s3r3", "goto-redball", "pickup-ball"} <= set(tasks)
    assert all(name == task.name and task.summary.endswith(".") for name, task in tasks.items())
    assert find_task("doorkey-6x6") is tasks["doorkey-6x6"]


def test_changing_the_returned_dictionary_changes_no_task():
    all_tasks().clear()
    assert all_tasks()


@pytest.mark.parametrize("task", all_tasks().values(), ids=lambda task: task.name)
def test_every_built_in_task_gives_frames_and_a_view_for_the_agent(task):
    env = task.viewed(task.make_env())
    camera = task.make_camera()
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    frame = camera(env, observation)
    assert frame.dtype == np.uint8
    assert frame.ndim == 3
    assert frame.shape[2] == 3
    if hasattr(env.unwrapped, "grid"):
        assert frame.shape == (8 * env.unwrapped.height, 8 * env.unwrapped.width, 3)


def test_a_path_that_ends_in_toml_is_a_task_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "from-file"\nenv = "MiniGrid-Empty-5x5-v0"\n')
    assert find_task(str(path)).name == "from-file"
    with pytest.raises(BadTask, match="cannot be read"):
        find_task(str(tmp_path / "absent.toml"))


def test_the_shipped_task_files_are_found_by_name_and_are_not_among_the_built_in_tasks():
    files = shipped_files()
    assert len(files) == 8
    assert not set(files) & set(all_tasks())
    assert [find_task(name).name for name in files] == list(files)


def test_a_module_and_attribute_is_a_task(monkeypatch):
    monkeypatch.setitem(sys.modules, "my_tasks", sys.modules[__name__])
    assert find_task("my_tasks:MINE") is MINE
    with pytest.raises(BadTask, match=r"'my_tasks:NOT_A_TASK' is a str; it must be a car\.task\.Task"):
        find_task("my_tasks:NOT_A_TASK")
    with pytest.raises(BadTask, match="has no 'ABSENT'"):
        find_task("my_tasks:ABSENT")


def test_an_unknown_name_says_which_exist():
    there = "blockedunlockpickup, cartpole-upright, doorkey-16x16, .*humanoid-kneeling, "
    with pytest.raises(UnknownName, match=rf"There is no task 'doorkey'\. There are: {there}"):
        find_task("doorkey")


def test_listing_the_tasks_imports_neither_minigrid_nor_gymnasiums_environments():
    program = "import sys, car.tasks; sys.exit(any(m.split('.')[0] in ('minigrid', 'pygame') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_the_tasks_without_key_door_or_goal_square_are_what_they_say():
    env = find_task("pickup-ball").make_env()
    for seed in range(5):
        env.reset(seed=seed)
        kinds = [thing.type for thing in env.unwrapped.grid.grid if thing is not None and thing.type != "wall"]
        assert kinds == ["ball"]
        assert env.unwrapped.mission == "pick up the ball"


def test_every_environment_is_registered():
    for task in all_tasks().values():
        task.make_env().close()
        assert task.env_id.rpartition(":")[2] in gym.registry
