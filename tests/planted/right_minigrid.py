"""Right programs for the built-in MiniGrid tasks, written by hand; each agrees with the truth wherever frames do.

Where frames do not: a box that is toggled by an agent with empty hands vanishes as if it were picked up.
"""

from collections.abc import Iterable

from car.checker import Checker, SubTask
from tests.planted.right_grid import LOOK

Step = tuple[str, str, str]
"""A sub-task's name, what it is in one sentence, and its program."""


def chain_of(*steps: Step) -> list[Checker]:
    """The steps as a chain: each comes after the one before it, and the last is the goal."""
    chain: list[Checker] = []
    for number, (name, description, source) in enumerate(steps):
        after = (steps[number - 1][0],) if number else ()
        chain.append(Checker(SubTask(name, description, after, number == len(steps) - 1), source))
    return chain


def _program(*functions: str) -> str:
    return "\n\n".join((LOOK, *(each.strip("\n") + "\n" for each in functions)))


_KEY_TAKEN = _program("""
def identify(initial):
    things = things_in(initial)
    (key,) = things["key"]
    return walls_of(things, initial), sample_of(initial, key)


def check(found, current):
    walls, key = found
    return agent_in(walls, current) is not None and not lies_somewhere(key, current)
""")

_BALL_MOVED = _program("""
def identify(initial):
    things = things_in(initial)
    (ball,) = things["ball"]
    return walls_of(things, initial), ball, tile_at(initial, ball).copy()


def check(found, current):
    walls, place, ball = found
    return agent_in(walls, current) is not None and not np.array_equal(tile_at(current, place), ball)
""")

_KEY_TAKEN_UNBLOCKED = _program("""
def identify(initial):
    things = things_in(initial)
    (key,), (ball,) = things["key"], things["ball"]
    return walls_of(things, initial), sample_of(initial, key), ball, tile_at(initial, ball).copy()


def check(found, current):
    # A shortest way may carry the key to the door, put it down, move the ball and take the key again.
    walls, key, place, ball = found
    if agent_in(walls, current) is None or lies_somewhere(key, current):
        return False
    return not np.array_equal(tile_at(current, place), ball)
""")

_LOCKED_DOOR_OPEN = _program("""
def identify(initial):
    things = things_in(initial)
    (door,) = things["locked"]
    return walls_of(things, initial), door_of(initial, door)


def check(found, current):
    walls, door = found
    return is_open(door, current) and agent_in(walls, current) is not None
""")

_KEY_PUT_DOWN = _program("""
def identify(initial):
    things = things_in(initial)
    (door,), (key,) = things["locked"], things["key"]
    return walls_of(things, initial), door_of(initial, door), sample_of(initial, key)


def check(found, current):
    walls, door, key = found
    if not lies_somewhere(key, current) or agent_in(walls, current) is None:
        return False
    return is_open(door, current) or kind_of(tile_at(current, door[0])) == "closed"
""")

_IN_THE_OTHER_ROOM = _program("""
def identify(initial):
    things = things_in(initial)
    (door,) = things["locked"]
    return walls_of(things, initial), door[1]


def check(found, current):
    # The doorway counts: a box right behind the door is taken from there.
    walls, doorway = found
    agent = agent_in(walls, current)
    return agent is not None and agent[0][1] >= doorway
""")

_ON_GOAL = _program("""
def identify(initial):
    things = things_in(initial)
    (goal,) = things["goal"]
    return walls_of(things, initial), goal


def check(found, current):
    walls, goal = found
    agent = agent_in(walls, current)
    return agent is not None and agent[0] == goal


def progress(found, current):
    walls, goal = found
    agent = agent_in(walls, current)
    if agent is None:
        return 0.0
    steps = abs(agent[0][0] - goal[0]) + abs(agent[0][1] - goal[1])
    return 1.0 - 8 * steps / (current.shape[0] + current.shape[1])
""")

_DOORS = """
def around(cell):
    return [(cell[0] + step[0], cell[1] + step[1]) for step in STEPS]


def doors_on_the_way(things, start):
    # Each room has one door that leads on: the one at its edge that the way has not come through.
    walls, doors = set(things["wall"]), set(things["closed"])
    cells, way = [start], []
    while doors:
        reached = set(cells)
        while cells:
            new = {each for cell in cells for each in around(cell)} - walls - doors - reached
            reached |= new
            cells = list(new)
        (door,) = {each for cell in reached for each in around(cell)} & doors
        doors.remove(door)
        way.append(door)
        cells = [door]
    return way
"""


def _door_on_the_way(number: int) -> str:
    return _program(
        _DOORS,
        f"""
def identify(initial):
    things = things_in(initial)
    walls = walls_of(things, initial)
    start, _ = agent_in(walls, initial)
    return walls, door_of(initial, doors_on_the_way(things, start)[{number - 1}])


def check(found, current):
    walls, door = found
    return is_open(door, current) and agent_in(walls, current) is not None
""",
    )


_RED_AND_BLUE = """
def identify(initial):
    things = things_in(initial)
    red, blue = sorted(things["closed"], key=lambda cell: tile_at(initial, cell)[0, 0, 2])
    return walls_of(things, initial), door_of(initial, red), door_of(initial, blue)
"""

_RED_DOOR_OPEN = _program(
    _RED_AND_BLUE,
    """
def check(found, current):
    walls, red, blue = found
    return is_open(red, current) and agent_in(walls, current) is not None
""",
)

_BLUE_DOOR_OPEN = _program(
    _RED_AND_BLUE,
    """
def check(found, current):
    walls, red, blue = found
    return is_open(red, current) and is_open(blue, current) and agent_in(walls, current) is not None
""",
)

_FACING_RED_BALL = _program("""
def identify(initial):
    return walls_of(things_in(initial), initial)


def check(found, current):
    agent = agent_in(found, current)
    return agent is not None and np.array_equal(red_of(tile_at(current, agent[1])), BALL)
""")


def _taken(kind: str, lying: Iterable[str] = ()) -> str:
    """The thing is in the agent's hands: gone from before it, and what else could be carried lies about."""
    return _program(f"""
def identify(initial):
    things = things_in(initial)
    (thing,) = things["{kind}"]
    others = [sample_of(initial, things[each][0]) for each in {tuple(lying)!r}]
    return walls_of(things, initial), thing, others


def check(found, current):
    # It lies where it lay until it is taken, and to be taken ends the episode.
    walls, place, others = found
    agent = agent_in(walls, current)
    if agent is None or agent[1] != place or not is_floor(tile_at(current, place)):
        return False
    return all(lies_somewhere(each, current) for each in others)
""")


_KEY: Step = ("key-picked-up", "The key lies nowhere: the agent carries it.", _KEY_TAKEN)
_DOOR: Step = ("door-open", "The locked door is open.", _LOCKED_DOOR_OPEN)
_GOAL: Step = ("goal-reached", "The agent is on the green square.", _ON_GOAL)
_ROOM: Step = ("in-box-room", "The agent is in the doorway or beyond it.", _IN_THE_OTHER_ROOM)
_BOX = "The agent has taken the box that was before it."
_DOOR_KEY = (_KEY, _DOOR, _GOAL)
_KEY_CORRIDOR: tuple[Step, ...] = (
    _KEY,
    ("locked-door-open", "The locked door is open.", _LOCKED_DOOR_OPEN),
    ("key-put-down", "The door is no longer locked, and the key lies on the floor.", _KEY_PUT_DOWN),
    ("ball-picked-up", "The agent has taken the ball that was before it.", _taken("ball", ["key"])),
)

STEPS: dict[str, tuple[Step, ...]] = {
    **{f"doorkey-{size}x{size}": _DOOR_KEY for size in (5, 6, 8, 16)},
    "unlock": (_KEY, _DOOR),
    "unlockpickup": (_KEY, _DOOR, _ROOM, ("box-picked-up", _BOX, _taken("box", ["key"]))),
    "blockedunlockpickup": (
        ("ball-moved", "The ball no longer lies before the door.", _BALL_MOVED),
        ("key-picked-up", "The agent carries the key, and the door is free.", _KEY_TAKEN_UNBLOCKED),
        _DOOR,
        _ROOM,
        ("box-picked-up", _BOX, _taken("box", ["key", "ball"])),
    ),
    **{f"keycorridor-s3r{rows}": _KEY_CORRIDOR for rows in (1, 2, 3)},
    "multiroom-n4-s5": (
        *((f"door-{each}-open", f"Door {each} on the way is open.", _door_on_the_way(each)) for each in (1, 2, 3)),
        _GOAL,
    ),
    "redbluedoors-6x6": (
        ("red-door-open", "The red door is open.", _RED_DOOR_OPEN),
        ("blue-door-open", "The red door and the blue door are open.", _BLUE_DOOR_OPEN),
    ),
    "goto-redball": (("facing-red-ball", "A red ball is in the cell ahead of the agent.", _FACING_RED_BALL),),
    "pickup-ball": (("ball-picked-up", "The agent has taken the ball that was before it.", _taken("ball")),),
}
"""The sub-tasks of each MiniGrid task, in order, under the names that the truth gives them."""
