"""Recorded episodes that are played again up to some time, and go on in another way."""

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from corridor_envs import Corridor, corridor, flawed

from car.record import Continuation, Continuations, Onward, Unplayable, record
from car.task import Task
from car.trajectory import Trajectory


class Pit(Corridor):
    """The corridor, with a pit beyond its left end: one who steps left there falls in."""

    def step(self, action: Any) -> Any:
        fell = self.at == 0 and not action
        observation, reward, there, cut, info = super().step(action)
        return observation, reward, there or fell, cut, info


class Fading(Corridor):
    """Each picture is a little brighter than the one before, in whatever episode: no seed decides that."""

    drawn = 0

    def render(self) -> Any:
        Fading.drawn += 1
        return super().render() // 2 + np.uint8(Fading.drawn % 100)


class Counted(Corridor):
    """Counts how many of it are made."""

    made = 0

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        Counted.made += 1


for _class in (Pit, Fading, Counted):
    if f"CarTest/{_class.__name__}-v0" not in gym.registry:
        gym.register(f"CarTest/{_class.__name__}-v0", _class)


def unable(env: Any) -> Any:
    """Acts at the left end alone, and raises its own error elsewhere."""

    def act(observation: Any) -> int:
        if observation[0] > 0:
            raise LookupError("I was never here")
        return 1

    return act


def maker_fails(env: Any) -> Any:
    """Cannot even be made in the middle."""
    raise ZeroDivisionError


def jumper(env: Any) -> Any:
    """Always to the left."""
    return lambda observation: 0


def expert_of(task: Task, seed: int = 3) -> Trajectory:
    return next(record(task, "expert", [seed]))


def far() -> Trajectory:
    """An expert's episode of the longest corridor: goal at 5."""
    return next(each for each in record(corridor(), "expert", range(50)) if len(each) == 6)


def continued(task: Task, *given: Any, **named: Any) -> tuple[Continuation, ...]:
    with Continuations(task) as continuations:
        made = continuations.at_random(*given, **named)
    assert not isinstance(made, Unplayable)
    return made


def reason(task: Task, recorded: Trajectory, time: int = 1) -> str:
    with Continuations(task) as continuations:
        at_random, by_expert = continuations.at_random(recorded, time, 4, 5), continuations.by_expert(recorded, time)
    assert isinstance(at_random, Unplayable)
    assert by_expert == at_random
    return at_random.reason


def onward(task: Task, played: Trajectory, time: int, **named: int) -> Onward | Unplayable:
    with Continuations(task) as continuations:
        return continuations.by_expert(played, time, **named)


def test_begins_as_recorded_and_goes_on_at_random() -> None:
    recorded = far()
    several = continued(corridor(), recorded, 2, 12, 9)
    assert len(several) == 12
    for each in several:
        trajectory = each.trajectory
        assert (trajectory.who, trajectory.seed, each.start) == ("random", recorded.seed, 2)
        assert (trajectory.frames[:3] == recorded.frames[:3]).all()
        assert trajectory.actions is not None
        assert trajectory.actions[:2].tolist() == [1, 1]
        assert len(trajectory) <= 2 + 9 + 1
    ways = {tuple(each.trajectory.actions[2:]) for each in several if each.trajectory.actions is not None}
    assert len(ways) > 6


def test_the_whole_episode_is_one_that_the_environment_plays() -> None:
    """Its actions, played from its seed, give its frames and its rewards."""
    for each in continued(corridor(), far(), 3, 6, 20):
        played = each.trajectory
        assert played.actions is not None
        (again,) = continued(corridor(), played, len(played) - 1, 1, 0)
        assert (again.trajectory.frames == played.frames).all()
        assert played.rewards is not None
        assert again.trajectory.rewards is not None
        assert again.trajectory.rewards.tolist() == played.rewards.tolist()
        assert again.trajectory.success == played.success


def test_ends_where_the_environment_ends_it() -> None:
    several = [each.trajectory for each in continued(corridor(), far(), 4, 20, 200)]
    won = [each for each in several if each.success]
    assert won
    assert all(each.terminated and each.rewards is not None and each.rewards[-1] == 1.0 for each in won)
    cut = [each for each in several if not each.success]
    assert all(len(each) == 31 and each.terminated is False for each in cut)


def test_equal_arguments_give_equal_continuations_whatever_the_count() -> None:
    recorded = far()
    one, more = continued(corridor(), recorded, 1, 3, 10), continued(corridor(), recorded, 1, 6, 10)
    names = [each.trajectory.sha256() for each in more]
    assert [each.trajectory.sha256() for each in one] == names[:3]
    other = continued(corridor(), recorded, 1, 6, 10, seed=1)
    assert [each.trajectory.sha256() for each in other] != names


def test_at_the_end_of_an_episode_nothing_goes_on() -> None:
    recorded = far()
    (end,) = continued(corridor(), recorded, 5, 1, 10)
    assert len(end.trajectory) == 6
    assert end.trajectory.success


def test_actions_of_several_numbers_are_played_again() -> None:
    task = corridor(env_kwargs={"flaw": "continuous"}, expert=f"{__name__}:pusher")
    (one,) = continued(task, expert_of(task), 1, 1, 4)
    assert one.trajectory.actions is not None
    assert one.trajectory.actions.shape[1:] == (2,)


def pusher(env: Any) -> Any:
    """To the right, for actions of two numbers."""
    return lambda observation: np.ones(2, np.float32)


def test_a_film_cannot_be_played_again() -> None:
    recorded = far()
    assert "without its actions" in reason(corridor(), replace(recorded, actions=None))
    assert "without its seed" in reason(corridor(), replace(recorded, seed=None))


def test_nor_can_what_is_no_longer_the_same_episode() -> None:
    recorded = far()
    another = reason(corridor(), replace(recorded, seed=recorded.seed + 1 if recorded.seed is not None else 0))
    assert "is another one from frame 0 on" in another
    turned = np.array([1, 1, 0, 1, 1])
    assert "is another one from frame 3 on" in reason(corridor(), replace(recorded, actions=turned), 4)


def test_nor_an_episode_that_now_ends_sooner() -> None:
    """The frames are the same, but the environment had ended it."""
    assert "is another one from frame 3 on" in reason(corridor(env_kwargs={"limit": 3}), far(), 4)


def test_nor_one_whose_pictures_no_seed_decides() -> None:
    task = corridor(env_id="CarTest/Fading-v0")
    assert "is another one from frame 0 on" in reason(task, expert_of(task))


@pytest.mark.filterwarnings("ignore::UserWarning:gymnasium")
def test_nor_one_whose_environment_cannot_run_or_be_filmed() -> None:
    assert "cannot be made" in reason(corridor(env_id="CarTest/Nowhere-v0"), far())
    assert "(H, W, 3)" in reason(flawed("grey"), far())


def test_an_expert_plays_on_from_where_a_random_continuation_came() -> None:
    for each in continued(corridor(), far(), 2, 8, 6):
        last = len(each.trajectory) - 1
        at = int(np.argmax(each.trajectory.frame(last)[0, :, 0] > 0)) // 8
        assert onward(corridor(), each.trajectory, last) == Onward(True, 5 - at)


def test_an_expert_plays_on_from_its_own_way() -> None:
    assert [onward(corridor(), far(), time) for time in range(6)] == [Onward(True, 5 - time) for time in range(6)]


def test_an_expert_that_does_not_get_there_says_nothing() -> None:
    """It was cut off by the environment, or not waited for."""
    assert onward(corridor(expert="corridor_envs:loser"), far(), 2) == Onward(None)
    assert onward(corridor(), far(), 2, most=2) == Onward(None)
    assert onward(corridor(), far(), 2, most=3) == Onward(True, 3)


def test_an_expert_that_ends_the_episode_otherwise_did_not_reach_the_goal() -> None:
    task = corridor(env_id="CarTest/Pit-v0", expert=f"{__name__}:jumper")
    assert onward(task, far(), 2) == Onward(False)


@pytest.mark.parametrize("expert", ["unable", "maker_fails"])
def test_an_expert_that_cannot_plan_from_the_middle_is_not_known(expert: str) -> None:
    assert onward(corridor(expert=f"{__name__}:{expert}"), far(), 2) == Onward(None)
    assert onward(corridor(expert=None), far(), 2) == Onward(None)


def test_without_steps_the_episode_itself_is_asked() -> None:
    task = corridor(expert=f"{__name__}:maker_fails")
    assert onward(task, far(), 5, most=0) == Onward(True, 0)
    assert onward(task, far(), 4, most=0) == Onward(None)


def test_one_environment_serves_all() -> None:
    recorded, before = far(), Counted.made
    with Continuations(corridor(env_id="CarTest/Counted-v0")) as continuations:
        for time in (0, 2):
            several = continuations.at_random(recorded, time, 3, 5)
            assert not isinstance(several, Unplayable)
            continuations.by_expert(several[0].trajectory, time)
    assert Counted.made == before + 1
