"""The reward that is written by hand from the truth."""

from pathlib import Path

import numpy as np
import pytest

from car.bench.oracle import TruthCamera, naive, oracle, seen_by_oracle
from car.errors import BadTask, UnknownName
from car.milestones import Shaping
from car.rewards import made_reward
from car.task import Task
from car.tasks import find_task
from car.truth import truth_for
from car.wrapper import DenseReward

BONUS = Shaping("bonus")


def played(task: Task, reward: object, steps: int = 400) -> tuple[list[float], dict[str, bool]]:
    """What an expert's episode is paid, and its milestones at the end."""
    env = DenseReward(task.make_env(), reward, camera=task.make_camera(), env_reward="replace")  # type: ignore[arg-type]
    env.reset(seed=4)
    act = find_task(task.name).make_expert(env.env)
    paid, info = [], {}
    for _ in range(steps):
        _, each, terminated, truncated, info = env.step(act(None))
        paid.append(float(each))
        if terminated or truncated:
            break
    env.close()
    return paid, info["car/milestones"]


@pytest.mark.parametrize("name", ["doorkey-6x6", "multiroom-n4-s5", "keycorridor-s3r2"])
def test_an_expert_is_paid_for_every_true_sub_task_once(name: str) -> None:
    task = seen_by_oracle(find_task(name))
    paid, milestones = played(task, oracle(task, BONUS))
    share = 1 / len(milestones)
    assert list(milestones) == [each.name for each in truth_for(name)]
    assert all(milestones.values())
    assert sum(paid) == pytest.approx(1.0)
    # Two may come true in the same step; nothing is paid in parts.
    assert {round(each / share, 9) for each in paid} <= {0.0, 1.0, 2.0}
    assert paid[-1] >= share


def test_the_naive_one_pays_nothing_for_the_last_sub_task() -> None:
    task = seen_by_oracle(find_task("unlock"))
    paid, milestones = played(task, naive(task, BONUS))
    assert list(milestones) == ["key-picked-up"]
    # As much as the oracle pays for all: a chain is worth the scale of its shaping, however long it is.
    assert sum(paid) == 1.0
    assert paid[-1] == 0.0


def test_the_camera_gives_the_same_array_until_something_changes() -> None:
    task = find_task("unlock")
    env, camera = task.make_env(), TruthCamera()
    observation, _ = env.reset(seed=0)
    first = camera(env, observation)
    assert first.shape == (4, 8, 3)
    assert not first.any()
    env.step(env.unwrapped.actions.done)  # type: ignore[attr-defined]
    assert camera(env, observation) is first
    assert not first.flags.writeable
    env.close()


def test_it_is_made_by_name_and_says_what_it_cannot_do() -> None:
    task = find_task("unlock")
    assert made_reward("car.bench.oracle:oracle", seen_by_oracle(task), BONUS).names == ("key-picked-up", "door-open")
    with pytest.raises(BadTask, match="sees no pictures"):
        oracle(task, BONUS)
    with pytest.raises(UnknownName, match="mountain"):
        oracle(seen_by_oracle(Task("mountain", "MountainCar-v0")), BONUS)
    with pytest.raises(BadTask, match="one sub-task"):
        naive(seen_by_oracle(find_task("pickup-ball")), BONUS)


def test_an_environment_without_a_known_truth_has_no_camera() -> None:
    env = Task("lake", "FrozenLake-v1").make_env()
    with pytest.raises(UnknownName, match="FrozenLake-v1"):
        TruthCamera()(env, None)
    env.close()


def test_what_is_no_reward_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "strange_rewards.py").write_text("number = 3\ndef nothing(task, shaping):\n    return object()\n")
    monkeypatch.chdir(tmp_path)
    task = find_task("unlock")
    for reference, said in (
        ("strange_rewards:number", "is no function"),
        ("strange_rewards:nothing", "has no 'name'"),
        ("strange_rewards:missing", "has no 'missing'"),
        ("no_such_module:make", "cannot be imported"),
    ):
        with pytest.raises(BadTask) as caught:
            made_reward(reference, task, BONUS)
        assert said in str(caught.value)


def test_signals_are_asked_for() -> None:
    task = seen_by_oracle(find_task("unlock"))
    frames = np.zeros((2, 4, 8, 3), np.uint8)
    frames[1, :, :4] = 255
    asked = np.array([[True, False], [True, True]])
    found = oracle(task, BONUS).signals(frames, frames, asked)
    assert np.array_equal(found, [[0.0, np.nan], [1.0, 0.0]], equal_nan=True)
