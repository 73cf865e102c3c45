from typing import Any

import gymnasium as gym
import pytest

from car.task import Task
from car.train.episodes import EpisodeRecord, SeededEpisodes

BY_REWARD = Task(name="t", env_id="t")
BY_INFO = Task(name="t", env_id="t", success="info:is_success")


class Scripted(gym.Env[Any, Any]):
    """Episodes as written: (reward, terminated, truncated, info) for each step; notes the seeds."""

    observation_space = gym.spaces.Discrete(1000)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, *steps: tuple[float, bool, bool, dict[str, Any]]) -> None:
        self.steps, self.time, self.seeds = steps, 0, list[int | None]()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        self.time = 0
        self.seeds.append(seed)
        return 0, {"seed": seed}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        reward, terminated, truncated, info = self.steps[self.time]
        self.time += 1
        return self.time, reward, terminated, truncated, dict(info)


def last_info(task: Task, *steps: tuple[float, bool, bool, dict[str, Any]]) -> dict[str, Any]:
    env = EpisodeRecord(Scripted(*steps), task)
    env.reset()
    return [env.step(0)[4] for _ in steps][-1]


@pytest.mark.parametrize(
    ("task", "last", "success"),
    [
        (BY_REWARD, (0.5, True, False, {}), True),
        (BY_REWARD, (0.0, True, False, {}), False),
        (BY_REWARD, (0.5, False, True, {}), False),
        (BY_INFO, (0.0, False, True, {"is_success": 1.0}), True),
        (BY_INFO, (9.0, True, False, {"is_success": 0.0}), False),
    ],
)
def test_success_is_the_tasks_own(task: Task, last: tuple[float, bool, bool, dict[str, Any]], success: bool) -> None:
    info = last_info(task, (0.25, False, False, {}), last)
    assert info["is_success"] is success
    assert info["episode"] == {"r": 0.25 + last[0], "l": 2}


def test_one_success_on_the_way_is_enough_and_does_not_leak_into_the_next_episode() -> None:
    env = EpisodeRecord(Scripted((0, False, False, {"is_success": True}), (0, False, True, {})), BY_INFO)
    env.reset()
    on_the_way = env.step(0)[4]
    assert "is_success" not in on_the_way
    assert env.step(0)[4]["is_success"] is True
    env.unwrapped.steps = ((0, False, True, {}),)  # type: ignore[attr-defined]
    env.reset()
    assert env.step(0)[4] == {"is_success": False, "episode": {"r": 0.0, "l": 1}}


def test_every_seed_is_played_once_and_then_nothing_moves() -> None:
    inner = Scripted((1.0, False, False, {}), (1.0, True, False, {}))
    env = SeededEpisodes(inner, [7, 8])
    assert env.reset(seed=99)[1] == {"seed": 7}
    assert [env.step(0)[2] for _ in range(2)] == [False, True]
    assert env.reset()[1] == {"seed": 8}
    assert [env.step(0)[2] for _ in range(2)] == [False, True]
    assert env.reset() == (0, {"seed": 8})
    assert env.step(0) == (0, 0.0, False, False, {"seed": 8})
    assert inner.seeds == [7, 8]
    assert inner.time == 2
    env.restart()
    assert env.reset()[1] == {"seed": 7}
    assert env.step(0)[0] == 1
