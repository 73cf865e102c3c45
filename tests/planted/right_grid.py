"""How right programs look at MiniGrid's frames: 8 pixels a cell, the whole grid, what is carried not drawn.

Nothing ever covers a thing, and of all that is not floor only an open door and the goal can be under the agent. An open
door keeps to the right edge of its cell, which the agent's triangle never reaches, and the triangle's inner pixels are
red on every ground. So what each cell holds can be told from its pixels.
"""

LOOK = """import numpy as np


def drawing(*lines):
    return np.array([[each == "#" for each in line] for line in lines])


def packed(mask):
    return np.packbits(mask, axis=1).tobytes()


# The pixels that are wholly covered by a thing, whatever its colour.
POINTING = drawing("........", "........", ".##.....", ".####...", ".####...", ".##.....", "........", "........")
BALL = drawing("........", "........", "..####..", "..####..", "..####..", "..####..", "........", "........")
KEY = drawing("........", "...###..", "...#.#..", "....#...", "....#...", "....#...", "....#...", "........")
BOX = drawing("........", ".#....#.", "........", ".#....#.", ".#....#.", "........", ".#....#.", "........")
CLOSED = drawing("########", "#......#", "#......#", "#......#", "#......#", "#......#", "#......#", "########")
LOCKED = drawing("########", "#......#", "#......#", "#......#", "#...##.#", "#......#", "#......#", "########")
FILLED = np.ones((8, 8), bool)

STEPS = ((0, 1), (-1, 0), (0, -1), (1, 0))
HEADINGS = {packed(np.rot90(POINTING, turns)): step for turns, step in enumerate(STEPS)}
# The upper and the left edge are left out: lines between the cells run there.
KINDS = {
    packed(mask[1:, 1:]): kind
    for kind, mask in {
        "ball": BALL, "key": KEY, "box": BOX, "closed": CLOSED, "locked": LOCKED, "filled": FILLED
    }.items()
}


def tile_at(frame, cell):
    row, column = cell
    return frame[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]


def red_of(pixels):
    return (pixels[..., 0] > 184) & (pixels[..., 1] < 60) & (pixels[..., 2] < 60)


def kind_of(tile):
    strength = tile[1:, 1:].max(axis=2)
    return KINDS.get(packed(strength > 0.72 * strength.max()))


def things_in(initial):
    things = {kind: [] for kind in ("ball", "key", "box", "closed", "locked", "wall", "goal")}
    rows, columns = initial.shape[0] // 8, initial.shape[1] // 8
    taken = initial.reshape(rows, 8, columns, 8, 3)[:, 1:, :, 1:].any(axis=(1, 3, 4))
    for row, column in np.argwhere(taken).tolist():
        tile = tile_at(initial, (row, column))
        kind = kind_of(tile)
        if kind == "filled":
            kind = "wall" if tile[4, 4].tolist() == [100, 100, 100] else "goal"
        if kind:
            things[kind].append((row, column))
    return things


def walls_of(things, initial):
    # Two pixels of each wall, as places in the frame's list of pixels.
    width = initial.shape[1]
    corners = [(8 * row, 8 * column) for row, column in things["wall"]]
    return np.array([[row * width + column, (row + 5) * width + column + 3] for row, column in corners]).ravel()


def agent_in(walls, frame):
    # Row, column and the cell ahead; None on what is no picture of this episode.
    if not (frame.reshape(-1, 3)[walls] == 100).all():
        return None
    seen = []
    for row, column in np.argwhere(red_of(frame[4::8, 4::8])).tolist():
        heading = HEADINGS.get(packed(red_of(tile_at(frame, (row, column))[:, :7])))
        if heading:
            seen.append(((row, column), (row + heading[0], column + heading[1])))
    return seen[0] if len(seen) == 1 else None


def sample_of(initial, cell):
    # A thing's picture, and where in it is the pixel that is rarest there, by which it is found fast.
    tile = tile_at(initial, cell).copy()
    rows, columns = initial.shape[0] // 8, initial.shape[1] // 8
    alike = (initial.reshape(rows, 8, columns, 8, 3) == tile[None, :, None]).all(axis=4).sum(axis=(0, 2))
    return tile, divmod(int(alike.argmin()), 8)


def lies_somewhere(sample, frame):
    tile, (down, across) = sample
    alike = (frame[down::8, across::8] == tile[down, across]).all(axis=2)
    return any(np.array_equal(tile_at(frame, cell), tile) for cell in np.argwhere(alike).tolist())


def is_floor(tile):
    return bool(tile[1:, 1:].max() == 0)


def door_of(initial, cell):
    # Where it is, and what its two edges show when it is open: the line between cells, and two thirds of its colour.
    tile = tile_at(initial, cell)
    strip = tile[0, 0] * (0.882 if kind_of(tile) == "locked" else 1.0)
    return cell, np.array([[33, 33, 33], strip.tolist()], np.int16)


def is_open(door, frame):
    cell, edges = door
    seen = tile_at(frame, cell)[1:7, ::7]
    return bool(np.abs(seen - edges).max() <= 4)
"""
"""The common beginning of the programs: what a cell holds, where the agent is, whether a door is open."""
