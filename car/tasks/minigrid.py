"""The built-in MiniGrid tasks, as data: nothing of MiniGrid is imported before a task is used."""

from car.task import Task


def _task(name: str, env_id: str, summary: str) -> Task:
    return Task(
        name=name,
        env_id=env_id,
        camera="car.tasks.grid_camera:GridCamera",
        expert="car.tasks.grid_planner:plan",
        success="reward",
        agent_view="car.tasks.grid_view:symbolic",
        summary=summary,
    )


def _door_key(size: int) -> Task:
    return _task(
        f"doorkey-{size}x{size}",
        f"MiniGrid-DoorKey-{size}x{size}-v0",
        f"Pick up the key, unlock the door, and reach the green square ({size} x {size} cells).",
    )


def _key_corridor(rows: int) -> Task:
    return _task(
        f"keycorridor-s3r{rows}",
        f"MiniGrid-KeyCorridorS3R{rows}-v0",
        f"Find the key, unlock the locked room, put the key down, and pick up the ball ({rows} rooms on each side).",
    )


TASKS = (
    *(_door_key(size) for size in (5, 6, 8, 16)),
    _task("unlock", "MiniGrid-Unlock-v0", "Pick up the key and unlock the door."),
    _task(
        "unlockpickup",
        "MiniGrid-UnlockPickup-v0",
        "Unlock the door with the key, put the key down, and pick up the box in the other room.",
    ),
    _task(
        "blockedunlockpickup",
        "MiniGrid-BlockedUnlockPickup-v0",
        "Move the ball away from the locked door, unlock it with the key, and pick up the box in the other room.",
    ),
    *(_key_corridor(rows) for rows in (1, 2, 3)),
    _task("multiroom-n4-s5", "MiniGrid-MultiRoom-N4-S5-v1", "Open three doors in a row and reach the green square."),
    _task("redbluedoors-6x6", "MiniGrid-RedBlueDoors-6x6-v0", "Open the red door first, and then the blue one."),
    _task("goto-redball", "BabyAI-GoToRedBall-v0", "Stand next to a red ball, facing it, among other objects."),
    _task("pickup-ball", "BabyAI-OneRoomS8-v0", "Pick up the only ball in an empty room."),
)
