"""The true sub-tasks of the built-in MiniGrid tasks, as predicates on the environment's present state.

A predicate has no memory: "key-picked-up" is true while the agent holds the key. The last predicate of a task is true
exactly when the environment's own success is.
"""

from collections.abc import Callable
from typing import Any

from minigrid.core.world_object import Ball, Door, Goal, Key

_Holds = Callable[[Any], bool]


def _carries_key(world: Any) -> bool:
    return isinstance(world.carrying, Key)


def _only_door(world: Any) -> tuple[int, Door]:
    return next((cell, thing) for cell, thing in enumerate(world.grid.grid) if isinstance(thing, Door))


def _only_door_open(world: Any) -> bool:
    return bool(_only_door(world)[1].is_open)


def _on_goal(world: Any) -> bool:
    return isinstance(world.grid.get(*world.agent_pos), Goal)


def _carries_target(world: Any) -> bool:
    return world.carrying is not None and world.carrying is world.obj


def _target_room(world: Any) -> Any:
    return world.room_from_pos(*world.obj.init_pos)


def _in_target_room(world: Any) -> bool:
    # MiniGrid counts a room's doorway on its left side as part of it: a box right behind the door is taken from there.
    return world.room_from_pos(*world.agent_pos) is _target_room(world)


def _target_room_open(world: Any) -> bool:
    return bool(_target_room(world).doors[2].is_open)


def _key_put_down(world: Any) -> bool:
    return not _target_room(world).doors[2].is_locked and not _carries_key(world)


def _door_unblocked(world: Any) -> bool:
    cell, _ = _only_door(world)
    return not isinstance(world.grid.grid[cell - 1], Ball)


def _carries_key_unblocked(world: Any) -> bool:
    # A shortest way may carry the key to the door, put it down, move the ball and take the key again.
    return _carries_key(world) and _door_unblocked(world)


def _room_open(number: int) -> _Holds:
    return lambda world: world.grid.get(*world.rooms[number].entryDoorPos).is_open


def _faces_red_ball(world: Any) -> bool:
    ahead = world.grid.get(*world.front_pos)
    return isinstance(ahead, Ball) and ahead.color == "red"


def _carries_ball(world: Any) -> bool:
    return isinstance(world.carrying, Ball)


_DOOR_KEY: dict[str, _Holds] = {"key-picked-up": _carries_key, "door-open": _only_door_open, "goal-reached": _on_goal}
_UNLOCK: dict[str, _Holds] = {"key-picked-up": _carries_key, "door-open": _only_door_open}
_UNLOCK_PICKUP: dict[str, _Holds] = {**_UNLOCK, "in-box-room": _in_target_room, "box-picked-up": _carries_target}
_KEY_CORRIDOR: dict[str, _Holds] = {
    "key-picked-up": _carries_key,
    "locked-door-open": _target_room_open,
    "key-put-down": _key_put_down,
    "ball-picked-up": _carries_target,
}

TRUTH: dict[str, dict[str, _Holds]] = {
    **{f"doorkey-{size}x{size}": _DOOR_KEY for size in (5, 6, 8, 16)},
    "unlock": _UNLOCK,
    "unlockpickup": _UNLOCK_PICKUP,
    "blockedunlockpickup": {
        "ball-moved": _door_unblocked,
        **_UNLOCK_PICKUP,
        "key-picked-up": _carries_key_unblocked,
    },
    **{f"keycorridor-s3r{rows}": _KEY_CORRIDOR for rows in (1, 2, 3)},
    "multiroom-n4-s5": {**{f"door-{room}-open": _room_open(room) for room in (1, 2, 3)}, "goal-reached": _on_goal},
    "redbluedoors-6x6": {
        "red-door-open": lambda world: world.red_door.is_open,
        "blue-door-open": lambda world: world.red_door.is_open and world.blue_door.is_open,
    },
    "goto-redball": {"facing-red-ball": _faces_red_ball},
    "pickup-ball": {"ball-picked-up": _carries_ball},
}
