"""The expert solves every built-in task, in the fewest steps, without touching the environment."""

import gymnasium as gym
import numpy as np
import pytest
from minigrid.core.world_object import Ball, Door, Key, Wall
from minigrid.envs import EmptyEnv

from car.errors import BadTask
from car.tasks import find_task
from car.tasks.grid_planner import plan, shortest_plan
from car.tasks.minigrid import TASKS

_PICKUP, _DROP = 3, 4


def _started(name, seed):
    env = find_task(name).make_env()
    env.reset(seed=seed)
    return env


def _play(env, actions):
    result = None
    for count, action in enumerate(actions, 1):
        _, reward, terminated, truncated, _ = env.step(action)
        result = (count, float(reward), terminated, truncated)
        if terminated or truncated:
            break
    return result


@pytest.mark.parametrize("name", [task.name for task in TASKS])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_expert_succeeds_at_the_last_step_of_its_plan(name, seed):
    env = _started(name, seed)
    actions = shortest_plan(env)
    count, reward, terminated, _ = _play(env, actions)
    assert (count, terminated) == (len(actions), True)
    assert reward > 0


@pytest.mark.parametrize("name", ["doorkey-5x5", "keycorridor-s3r1", "redbluedoors-6x6", "pickup-ball", "unlock"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_plans_are_as_short_as_those_of_a_search_that_remembers_nothing(name, seed):
    env = _started(name, seed)
    assert len(shortest_plan(env)) == len(shortest_plan(env, thorough=True))


def test_a_plan_in_a_known_place_has_the_known_length():
    env = EmptyEnv(size=5)
    env.reset(seed=0)
    assert shortest_plan(env) == [2, 2, 1, 2, 2]


def _state(env):
    world = env.unwrapped
    things = [(thing, dict(vars(thing))) for thing in world.grid.grid if thing is not None]
    rng = str(world.np_random.bit_generator.state)
    return tuple(world.agent_pos), world.agent_dir, world.carrying, world.step_count, str(things), rng


@pytest.mark.parametrize("name", ["unlockpickup", "redbluedoors-6x6", "goto-redball"])
def test_planning_changes_nothing_in_the_environment(name):
    env = _started(name, 3)
    before, observation = _state(env), env.unwrapped.gen_obs()["image"]
    shortest_plan(env)
    assert _state(env) == before
    assert np.array_equal(env.unwrapped.gen_obs()["image"], observation)


def test_the_same_state_gives_the_same_plan():
    assert shortest_plan(_started("blockedunlockpickup", 4)) == shortest_plan(_started("blockedunlockpickup", 4))


@pytest.mark.parametrize("name", ["unlockpickup", "keycorridor-s3r1", "doorkey-6x6", "goto-redball"])
def test_a_plan_from_the_middle_of_an_episode_succeeds(name):
    for seed in range(4):
        env = _started(name, seed)
        rng = np.random.default_rng(seed)
        if any(env.step(int(rng.integers(6)))[2] for _ in range(20)):
            continue
        assert _play(env, shortest_plan(env))[1] > 0


def test_what_the_agent_carries_is_part_of_the_state():
    env = _started("unlockpickup", 0)
    actions = shortest_plan(env)
    key_in_hand = actions.index(_PICKUP) + 1
    _play(env, actions[:key_in_hand])
    assert isinstance(env.unwrapped.carrying, Key)
    rest = shortest_plan(env)
    assert len(rest) == len(actions) - key_in_hand
    assert _DROP in rest
    assert _play(env, rest)[1] > 0


def test_a_policy_that_runs_out_of_plan_plans_again():
    env = _started("doorkey-5x5", 0)
    policy = plan(env)
    length = len(shortest_plan(env))
    for _ in range(length):
        policy(None)
    assert env.unwrapped.step_count == 0
    assert _play(env, (policy(None) for _ in range(length)))[1] > 0


def test_the_number_of_steps_already_made_does_not_change_the_plan():
    env = _started("doorkey-6x6", 0)
    actions = shortest_plan(env)
    env.unwrapped.step_count = 100
    assert shortest_plan(env) == actions


def test_a_plan_longer_than_the_rest_of_the_episode_is_refused():
    env = _started("doorkey-6x6", 0)
    env.unwrapped.step_count = env.unwrapped.max_steps - 2
    with pytest.raises(BadTask, match="but only 2 are left"):
        plan(env)


def test_the_search_is_limited():
    with pytest.raises(BadTask, match=r"within 50 states for 'MiniGrid-DoorKey-8x8-v0'"):
        plan(_started("doorkey-8x8", 0), limit=50)


def test_a_task_that_cannot_be_solved_is_refused():
    env = _started("doorkey-5x5", 0)
    world = env.unwrapped
    cell = next(index for index, thing in enumerate(world.grid.grid) if isinstance(thing, Door))
    world.grid.grid[cell] = Wall()
    with pytest.raises(BadTask, match="no state that can be reached"):
        plan(env)


def test_a_task_that_acts_at_random_is_refused():
    env = gym.make("MiniGrid-Dynamic-Obstacles-5x5-v0")
    env.reset(seed=0)
    with pytest.raises(BadTask, match="depend on chance"):
        plan(env)


def test_other_environments_are_refused():
    with pytest.raises(BadTask, match="'CartPole-v1' is none"):
        plan(gym.make("CartPole-v1"))


class _SayDone(EmptyEnv):
    """Success is to say "done" on the goal's left; MiniGrid itself gives that action no effect."""

    def step(self, action):
        observation, _, _, truncated, info = super().step(action)
        there = tuple(self.agent_pos) == (2, 3)
        return observation, float(there), action == self.actions.done, truncated, info


class _ThirdStepBurns(EmptyEnv):
    """The third step that ends in the first row ends the episode: moves change more than the pose."""

    def reset(self, **kwargs):
        self.steps_in_row = 0
        return super().reset(**kwargs)

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        self.steps_in_row += int(self.agent_pos[1] == 1)
        burnt = self.steps_in_row > 2
        return observation, 0 if burnt else reward, burnt or terminated, truncated, info


class _WithBall(EmptyEnv):
    def _gen_grid(self, width, height):
        super()._gen_grid(width, height)
        self.put_obj(Ball("blue"), 1, 2)


class _BringTheBall(_WithBall):
    """The goal counts with the ball in hand only: the same move ends in failure or in success."""

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward if self.carrying else 0, terminated, truncated, info


class _FragileBall(_WithBall):
    """The ball must be put down at (3, 1); carrying it over (2, 1), where one walks freely without it, fails."""

    def step(self, action):
        observation, _, _, truncated, info = super().step(action)
        broken = self.carrying is not None and tuple(self.agent_pos) == (2, 1)
        there = isinstance(self.grid.get(3, 1), Ball)
        return observation, float(there), broken or there, truncated, info


@pytest.mark.parametrize(
    ("make", "length"), [(_SayDone, 5), (_ThirdStepBurns, 6), (_BringTheBall, 7), (_FragileBall, 8)]
)
def test_dynamics_that_minigrid_itself_does_not_have_are_planned_for(make, length):
    env = make(size=5)
    env.reset(seed=0)
    actions = shortest_plan(env)
    assert len(actions) == length
    assert _play(env, actions)[1] > 0
