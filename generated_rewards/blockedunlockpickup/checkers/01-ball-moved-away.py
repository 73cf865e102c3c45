import numpy as np

CELL = 8
TOL = 20        # difference of a channel that counts as another colour
MIN_DIFF = 5    # pixels of the cell that must differ

def split(frame):
    h, w = frame.shape[:2]
    rows, cols = h // CELL, w // CELL
    a = frame[:rows * CELL, :cols * CELL].astype(np.int16)
    return a.reshape(rows, CELL, cols, CELL, 3).transpose(0, 2, 1, 3, 4)

def identify(initial):
    cells = split(initial)                       # rows, cols, 8, 8, 3
    rows, cols = cells.shape[:2]
    val = cells.max(axis=4)                      # brightness of each pixel

    # solid wall cells and the closed door (no black pixel, but not wall)
    wall = (np.abs(cells - 100) <= 3).all(axis=(2, 3, 4))
    door = (val >= 38).all(axis=(2, 3)) & ~wall

    # the ball: 12 inner pixels of one full colour, black inner corners
    core = np.zeros((CELL, CELL), dtype=bool)
    core[2:6, 2:6] = True
    core[2, 2] = core[2, 5] = core[5, 2] = core[5, 5] = False
    inner = cells[:, :, core, :]                 # rows, cols, 12, 3
    spread = (inner.max(axis=2) - inner.min(axis=2)).max(axis=2)
    bright = inner.max(axis=3).min(axis=2)
    corners = np.maximum(np.maximum(val[:, :, 1, 1], val[:, :, 1, 6]),
                         np.maximum(val[:, :, 6, 1], val[:, :, 6, 6]))
    ball = (spread <= 8) & (bright >= 80) & (corners <= 30) & ~wall & ~door

    near = np.zeros((rows, cols), dtype=bool)
    near[1:, :] |= door[:-1, :]
    near[:-1, :] |= door[1:, :]
    near[:, 1:] |= door[:, :-1]
    near[:, :-1] |= door[:, 1:]

    # something is on the floor: more bright pixels than the thin grid lines
    thing = ((val[:, :, 1:, 1:] >= 60).sum(axis=(2, 3)) >= 4) & ~wall & ~door

    pos = np.argwhere(ball & near)
    if len(pos) == 0:
        pos = np.argwhere(ball)
    if len(pos) == 0:
        pos = np.argwhere(thing & near)
    if len(pos) == 0:
        return {"row": -1, "col": -1, "patch": None}
    r, c = int(pos[0][0]), int(pos[0][1])
    return {"row": r, "col": c, "patch": cells[r, c].copy()}

def changed_pixels(found, current):
    if found["patch"] is None:
        return 0
    y, x = found["row"] * CELL, found["col"] * CELL
    now = current[y:y + CELL, x:x + CELL].astype(np.int16)
    diff = np.abs(now - found["patch"]).max(axis=2)
    return int((diff > TOL).sum())

def check(found, current):
    return bool(changed_pixels(found, current) >= MIN_DIFF)

def explain(found, current):
    return {"ball_row": found["row"], "ball_col": found["col"],
            "ball_found": found["patch"] is not None,
            "changed_pixels_in_ball_cell": changed_pixels(found, current)}
