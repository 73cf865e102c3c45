"""Shortest plans for MiniGrid tasks: breadth-first search over the environment's own `step`.

One deep copy of the environment is stepped, put back and stepped again; the real one is never touched. A state is the
agent's pose (position and heading) and the world: everything else that can change, which is the grid, what is carried,
and the attributes of every object that the environment holds.

Most steps move the agent in an unchanged world. What such a step does is remembered by the pose and the two cells
ahead, so that the environment itself is stepped a few thousand times where the search sees a hundred thousand states.
A plan is played on the copy before it is returned. Where what was remembered misled, or where the actions that do
something in MiniGrid itself reach no success, the search is repeated with every action stepped in every state.
"""

import copy
from collections import deque
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple, cast

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from minigrid.core.constants import DIR_TO_VEC
from minigrid.core.grid import Grid
from minigrid.core.world_object import Wall, WorldObj
from minigrid.minigrid_env import MiniGridEnv

from car.errors import BadTask
from car.task import Env, Policy

_SUCCESS, _FAILURE = -1, -2
_LEFT, _RIGHT, _FORWARD, _PICKUP, _DROP, _TOGGLE = range(6)
_MOVES = (_LEFT, _RIGHT, _FORWARD)


def plan(env: Env, limit: int = 500_000) -> Policy:
    """An expert that solves the episode of `env` from its present state in the fewest steps.

    The first plan is made at once. A policy that is asked for more actions than its plan has plans again from the state
    that the environment is in then. The same state gives the same plan.

    Args:
        env: a MiniGrid environment that was reset; it may be in the middle of an episode.
        limit: the most states that a search may see.

    Raises:
        BadTask: not a MiniGrid environment, one that acts at random, or no plan within `limit` states or within the
            steps that are left.
    """
    return _Planned(env, limit)


class _Planned:
    def __init__(self, env: Env, limit: int) -> None:
        self._env, self._limit = env, limit
        self._plan = deque(shortest_plan(env, limit))

    def __call__(self, observation: Any) -> int:
        if not self._plan:
            self._plan.extend(shortest_plan(self._env, self._limit))
        return self._plan.popleft()


def shortest_plan(env: Env, limit: int = 500_000, thorough: bool = False) -> list[int]:
    """The actions of a shortest successful way on from the present state.

    Args:
        env: a MiniGrid environment that was reset.
        limit: the most states that a search may see.
        thorough: step every action in every state at once, without the quick search first.

    Raises:
        BadTask: as for `plan`.
    """
    real = env.unwrapped
    name = env.spec.id if env.spec is not None else type(real).__name__
    if not isinstance(real, MiniGridEnv):
        raise BadTask(f"The grid planner plans for MiniGrid environments; {name!r} is none.")
    twin = _Twin(real, name)
    actions = None if thorough else _searched(twin, _Remembered(twin).after, name, limit)
    if actions is None or not twin.succeeds(actions):
        actions = _searched(twin, _Stepped(twin).after, name, limit)
    if actions is None:
        raise BadTask(f"There is no plan for {name!r}: no state that can be reached from here leads to success.")
    left = real.max_steps - real.step_count
    if len(actions) > left:
        raise BadTask(f"The shortest plan for {name!r} takes {len(actions)} steps, but only {left} are left.")
    return actions


_Successors = Callable[[int], Iterator[tuple[int, int]]]
"""From a state to (action, state after it), or (action, _SUCCESS) or (action, _FAILURE) where the episode ends."""


def _searched(twin: "_Twin", after: _Successors, name: str, limit: int) -> list[int] | None:
    parents = {twin.start: (twin.start, -1)}
    queue = deque(parents)
    while queue:
        state = queue.popleft()
        for action, result in after(state):
            if result == _SUCCESS:
                return [*_way_to(state, parents), action]
            if result == _FAILURE or result in parents:
                continue
            if len(parents) >= limit:
                raise BadTask(f"No plan was found within {limit} states for {name!r}: import demonstrations instead.")
            parents[result] = (state, action)
            queue.append(result)
    return None


def _way_to(state: int, parents: dict[int, tuple[int, int]]) -> list[int]:
    actions: list[int] = []
    state, action = parents[state]
    while action >= 0:
        actions.append(action)
        state, action = parents[state]
    return actions[::-1]


class _World(NamedTuple):
    """All that can change but the pose, as it is put back, and what the search looks at."""

    saved: list[list[Any]]
    cells: list[Any]
    looks: list[int]
    carrying: Any


class _Twin:
    """The deep copy: worlds are numbered as they are met, a state is ``world * poses + pose``."""

    def __init__(self, real: MiniGridEnv, name: str) -> None:
        # What draws on a screen can neither be copied nor is it needed.
        undrawn: dict[int, Any] = {id(real.window): None, id(real.clock): None}
        self.env = cast(Any, copy.deepcopy(real, undrawn))
        self.env.render_mode = None
        self.env.gen_obs = dict
        self.env._np_random = self._chance = _NoChance(name)
        self.env.step_count, self.env.max_steps = 0, 2**62
        self._parts = [(vars(part), _changing(part)) for part in _parts(self.env)]
        self.grid: Any = self.env.grid
        self.worlds: list[_World] = []
        self.poses = 4 * len(self.grid.grid)
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._look_numbers: dict[tuple[Any, ...], int] = {}
        self._at = -1
        self.start = self._state()

    def step(self, state: int, action: int) -> int:
        """The state after the action, or _SUCCESS, or _FAILURE."""
        number, pose = divmod(state, self.poses)
        if number != self._at:
            self._put_back(self.worlds[number].saved)
        cell, self.env.agent_dir = divmod(pose, 4)
        self.env.agent_pos = (cell % self.grid.width, cell // self.grid.width)
        self.env.step_count = 0
        _, reward, terminated, _, _ = self.env.step(action)
        self._chance.check()
        if terminated:
            self._at = -1
            return _SUCCESS if reward > 0 else _FAILURE
        return self._state()

    def succeeds(self, actions: list[int]) -> bool:
        """Whether the actions lead from the start to success, and not before the last of them."""
        state = self.start
        for action in actions:
            if state < 0:
                return False
            state = self.step(state, action)
        return state == _SUCCESS

    def _state(self) -> int:
        key = self._key()
        self._at = self._numbers.setdefault(key, len(self.worlds))
        if self._at == len(self.worlds):
            self.worlds.append(self._world())
        x, y = self.env.agent_pos
        return self._at * self.poses + (int(y) * int(self.grid.width) + int(x)) * 4 + int(self.env.agent_dir)

    def _key(self) -> tuple[Any, ...]:
        attributes = [_frozen(part[name]) for part, names in self._parts for name in names]
        return (*self.grid.grid, *attributes)

    def _world(self) -> _World:
        cells = list(self.grid.grid)
        saved = [cells, *([_copied(part[name]) for name in names] for part, names in self._parts)]
        # The last entry stands for every cell outside the grid.
        looks = [*(self._look(thing) for thing in cells), -1]
        return _World(saved, cells, looks, self.env.carrying)

    def _look(self, thing: Any) -> int:
        look = () if thing is None else (id(thing), *thing.encode())
        return self._look_numbers.setdefault(look, len(self._look_numbers))

    def _put_back(self, saved: list[list[Any]]) -> None:
        self.grid.grid[:] = saved[0]
        for (part, names), values in zip(self._parts, saved[1:], strict=True):
            for name, value in zip(names, values, strict=True):
                part[name] = _copied(value)


class _Stepped:
    """Every action, stepped."""

    def __init__(self, twin: _Twin) -> None:
        self._twin = twin
        self._actions = range(int(twin.env.action_space.n))

    def after(self, state: int) -> Iterator[tuple[int, int]]:
        for action in self._actions:
            yield action, self._twin.step(state, action)


class _Remembered:
    """Moves as they were the first time; other actions stepped, and only where MiniGrid gives them an effect."""

    def __init__(self, twin: _Twin) -> None:
        self._twin = twin
        self._ahead = [[_cell_ahead(twin.grid, pose, far) for far in (1, 2)] for pose in range(twin.poses)]
        self._moved: dict[tuple[int, int, int, int], int] = {}

    def after(self, state: int) -> Iterator[tuple[int, int]]:
        number, pose = divmod(state, self._twin.poses)
        world = self._twin.worlds[number]
        for action in _MOVES:
            yield action, self._move(state, pose, world, action)
        for action in _effective(world.cells[self._ahead[pose][0]], world.carrying):
            yield action, self._twin.step(state, action)

    def _move(self, state: int, pose: int, world: _World, action: int) -> int:
        turned = pose if action == _FORWARD else pose - pose % 4 + (pose + (1 if action == _RIGHT else 3)) % 4
        near, far = self._ahead[turned]
        key = (action, pose, world.looks[near], world.looks[far])
        moved = self._moved.get(key)
        if moved is None:
            result = self._twin.step(state, action)
            if result >= 0 and result // self._twin.poses != state // self._twin.poses:
                return result
            moved = self._moved[key] = result if result < 0 else result % self._twin.poses
        return moved if moved < 0 else state - pose + moved


def _effective(ahead: Any, carrying: Any) -> tuple[int, ...]:
    """What can be done, besides moving, with this in the cell ahead and that in the hands."""
    if ahead is None:
        return () if carrying is None else (_DROP,)
    if isinstance(ahead, Wall):
        return ()
    picks = (_PICKUP,) if carrying is None and ahead.can_pickup() else ()
    return picks if type(ahead).toggle is WorldObj.toggle else (*picks, _TOGGLE)


def _cell_ahead(grid: Any, pose: int, far: int) -> int:
    cell, heading = divmod(pose, 4)
    step_x, step_y = DIR_TO_VEC[heading]
    x, y = cell % grid.width + far * int(step_x), cell // grid.width + far * int(step_y)
    return y * int(grid.width) + x if 0 <= x < grid.width and 0 <= y < grid.height else -1


class _NoChance:
    """Stands in for the copy's random numbers: where a step needs one, nothing can be planned."""

    def __init__(self, name: str) -> None:
        self._asked = False
        self._name = name

    def check(self) -> None:
        if self._asked:
            raise BadTask(f"The steps of {self._name!r} depend on chance: import demonstrations instead.")

    def __getattr__(self, attribute: str) -> Any:
        # MiniGrid's moving obstacles swallow what is raised here, so that it is raised again after the step.
        self._asked = True
        self.check()


_NEVER_CHANGES = (gym.Space, EnvSpec, type, ModuleType, FunctionType, MethodType, _NoChance)
# The pose is the other half of a state; the rest says nothing about the world.
_APART = {"agent_pos", "agent_dir", "step_count", "gen_obs"}


def _parts(env: Any) -> list[Any]:
    """The environment and all objects with attributes that it holds, but for walls and the grid's own list."""
    found: list[Any] = []
    seen: set[int] = set()
    stack = [env]
    while stack:
        thing = stack.pop()
        if id(thing) in seen or isinstance(thing, (Wall, *_NEVER_CHANGES)):
            continue
        seen.add(id(thing))
        if isinstance(thing, list | tuple | set | frozenset):
            stack.extend(thing)
        elif isinstance(thing, dict):
            stack.extend(thing.values())
        elif hasattr(thing, "__dict__"):
            found.append(thing)
            stack.extend(vars(thing).values())
    return [part for part in found if not isinstance(part, Grid)]


def _changing(part: Any) -> list[str]:
    return [name for name, value in vars(part).items() if name not in _APART and not isinstance(value, _NEVER_CHANGES)]


def _frozen(value: Any) -> Any:
    """The value as part of a key: containers by what they hold, objects by identity."""
    kind = type(value)
    if kind is list or kind is tuple:
        return tuple(map(_frozen, value))
    if kind is np.ndarray:
        return tuple(value.ravel().tolist())
    if kind is dict:
        return tuple((key, _frozen(each)) for key, each in value.items())
    if kind is set:
        return frozenset(value)
    return value if kind.__hash__ is not None else id(value)


def _copied(value: Any) -> Any:
    """The value with containers of its own, so that a step on it leaves the saved one alone."""
    kind = type(value)
    if kind is list:
        return list(map(_copied, value))
    if kind is dict:
        return {key: _copied(each) for key, each in value.items()}
    return value.copy() if kind is set or kind is np.ndarray else value
