"""Gymnasium's Taxi: its task as data, its camera, and an expert that plans on the environment's transition table."""

from collections import deque
from typing import Any

import cv2

from car.errors import BadTask
from car.frames import Frame, as_frame
from car.task import Env, Policy, Task

TASK = Task(
    name="taxi",
    env_id="Taxi-v4",
    env_kwargs={"render_mode": "rgb_array"},
    camera="car.tasks.taxi:HalfCamera",
    expert="car.tasks.taxi:plan",
    success="reward",
    summary="Drive to the passenger, take them in, and set them down at the hotel (no key, door or goal square).",
)


class HalfCamera:
    """The rendered picture at half its size: 268 x 228 pixels are enough to tell everything apart."""

    def __call__(self, env: Env, observation: Any) -> Frame:
        """The frame, uint8 RGB of shape (228, 268, 3).

        Raises:
            BadFrame: the environment was made without ``render_mode="rgb_array"``.
        """
        picture = as_frame(env.render(), "rendered frame")
        half = (picture.shape[1] // 2, picture.shape[0] // 2)
        return as_frame(cv2.resize(picture, half, interpolation=cv2.INTER_AREA))


def plan(env: Env) -> Policy:
    """The shortest way from the present state to a rewarded end, found breadth first on the transition table.

    Raises:
        BadTask: not Taxi, or its moves are random (``is_rainy``).
    """
    table = getattr(env.unwrapped, "P", None)
    if table is None:
        raise BadTask("This expert plans for Taxi only: the environment has no transition table.")
    actions = iter(_shortest(table, int(env.unwrapped.s)))  # type: ignore[attr-defined]

    def act(observation: Any) -> int:
        return next(actions)

    return act


def _shortest(table: dict[int, dict[int, list[tuple[float, int, float, bool]]]], start: int) -> list[int]:
    came: dict[int, tuple[int, int]] = {start: (start, -1)}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        for action, outcomes in table[state].items():
            if len(outcomes) != 1:
                raise BadTask("This expert plans for moves that are certain; make Taxi without is_rainy.")
            _, following, reward, done = outcomes[0]
            if done and reward > 0:
                return [*_way(came, state), action]
            if not done and following not in came:
                came[following] = (state, action)
                waiting.append(following)
    raise BadTask("No way leads from this state of Taxi to its goal.")


def _way(came: dict[int, tuple[int, int]], state: int) -> list[int]:
    way: list[int] = []
    while came[state][1] >= 0:
        state, action = came[state]
        way.append(action)
    return way[::-1]
