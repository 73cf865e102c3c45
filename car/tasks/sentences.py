"""What a frame shows when a sub-task of a built-in task is done, in words for CLIP."""

from collections.abc import Mapping
from dataclasses import dataclass

from car.errors import UnknownName
from car.task import Task

SENTENCES: Mapping[str, str] = {
    "key-picked-up": "the agent has picked up the key",
    "door-open": "the door is open",
    "goal-reached": "the agent stands on the green square",
    "in-box-room": "the agent is in the room of the box",
    "box-picked-up": "the agent has picked up the box",
    "ball-moved": "the ball does not block the door any more",
    "locked-door-open": "the door of the locked room is open",
    "key-put-down": "the locked room is open and the key lies on the floor",
    "ball-picked-up": "the agent has picked up the ball",
    "red-door-open": "the red door is open",
    "blue-door-open": "both doors are open",
    "facing-red-ball": "the agent stands in front of a red ball",
    "door-1-open": "the first door is open",
    "door-2-open": "the second door is open",
    "door-3-open": "the third door is open",
    "passenger-in-taxi": "the passenger sits in the taxi",
    "passenger-at-destination": "the passenger stands at the destination",
    "car-up-on-the-left": "a car high up on the left side of the mountain",
    "car-at-the-flag": "a car at the peak of the mountain, next to the yellow flag",
    "pole-upright": "pole vertically upright on top of the cart",
}
"""A sentence for each sub-task that people would name; all of them can be achieved."""

_GRID = "a grid world seen from above"
_BASELINES: Mapping[str, str] = {
    "taxi": "a taxi in a town seen from above",
    "mountaincar-continuous": "a car in the mountain",
    "cartpole-upright": "pole and cart",
}
_GOALS: Mapping[str, str] = {
    **{f"doorkey-{size}x{size}": "goal-reached" for size in (5, 6, 8, 16)},
    "unlock": "door-open",
    "unlockpickup": "box-picked-up",
    "blockedunlockpickup": "box-picked-up",
    **{f"keycorridor-s3r{rows}": "ball-picked-up" for rows in (1, 2, 3)},
    "multiroom-n4-s5": "goal-reached",
    "redbluedoors-6x6": "blue-door-open",
    "goto-redball": "facing-red-ball",
    "pickup-ball": "ball-picked-up",
    "taxi": "passenger-at-destination",
    "mountaincar-continuous": "car-at-the-flag",
    "cartpole-upright": "pole-upright",
}


@dataclass(frozen=True)
class Prompts:
    """What CLIP is asked about a task.

    Args:
        goal: what a frame of the goal shows.
        baseline: what every frame shows.
    """

    goal: str
    baseline: str


def prompts_of(task: Task) -> Prompts:
    """The prompts of a task: its own, or those of a built-in one.

    Raises:
        UnknownName: it has none.
    """
    goal = task.goal_prompt or SENTENCES.get(_GOALS.get(task.name, ""), "")
    if not goal:
        raise UnknownName("goal in words for the task", task.name, sorted(_GOALS))
    return Prompts(goal, task.baseline_prompt or _BASELINES.get(task.name, _GRID if task.name in _GOALS else ""))
