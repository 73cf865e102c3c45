import numpy as np

CELL = 8
TOL = 20         # difference of a channel that counts as another colour
MAX_DIFF = 4     # pixels that may differ where a thing is still the same

def split(frame):
    h, w = frame.shape[:2]
    rows, cols = h // CELL, w // CELL
    a = frame[:rows * CELL, :cols * CELL].astype(np.int16)
    return a.reshape(rows, CELL, cols, CELL, 3).transpose(0, 2, 1, 3, 4)

def first(cells, mask):
    pos = np.argwhere(mask)
    if len(pos) == 0:
        return -1, -1, None
    r, c = int(pos[0][0]), int(pos[0][1])
    return r, c, cells[r, c].copy()

def identify(initial):
    cells = split(initial)                        # rows, cols, 8, 8, 3
    val = cells.max(axis=4)

    wall = (np.abs(cells - 100) <= 3).all(axis=(2, 3, 4))
    door = (val >= 38).all(axis=(2, 3)) & ~wall
    free = ~wall & ~door

    # the box: outline, black stripes in rows 2 and 5, bar in rows 3 and 4
    outline = ((val[:, :, 1, 1:7] >= 25).all(axis=2)
               & (val[:, :, 6, 1:7] >= 25).all(axis=2)
               & (val[:, :, 1:7, 1] >= 25).all(axis=2)
               & (val[:, :, 1:7, 6] >= 25).all(axis=2))
    stripes = ((val[:, :, 2, 2:6] <= 15).all(axis=2)
               & (val[:, :, 5, 2:6] <= 15).all(axis=2))
    bar = (val[:, :, 3:5, 2:6] >= 40).all(axis=(2, 3))
    box = outline & stripes & bar & free

    # the key: bright shaft in column 4, dark left and right of it
    key = ((val[:, :, 3:7, 4] >= 80).all(axis=2)
           & (val[:, :, 1:, 1:3] <= 40).all(axis=(2, 3))
           & (val[:, :, 1:, 6:8] <= 40).all(axis=(2, 3)) & free)

    # the ball: 12 inner pixels of one full colour, black inner corners
    core = np.zeros((CELL, CELL), dtype=bool)
    core[2:6, 2:6] = True
    core[2, 2] = core[2, 5] = core[5, 2] = core[5, 5] = False
    inner = cells[:, :, core, :]                  # rows, cols, 12, 3
    spread = (inner.max(axis=2) - inner.min(axis=2)).max(axis=2)
    bright = inner.max(axis=3).min(axis=2)
    corners = np.maximum(np.maximum(val[:, :, 1, 1], val[:, :, 1, 6]),
                         np.maximum(val[:, :, 6, 1], val[:, :, 6, 6]))
    ball = (spread <= 8) & (bright >= 80) & (corners <= 30) & free

    if not box.any():
        # otherwise the thing with the most coloured pixels, not key or ball
        count = (val[:, :, 1:, 1:] >= 25).sum(axis=(2, 3))
        count = np.where(free & ~key & ~ball, count, 0)
        if count.max() >= 6:
            box = count == count.max()

    r, c, box_patch = first(cells, box)
    key_patch = first(cells, key)[2]
    ball_patch = first(cells, ball)[2]
    return {"row": r, "col": c, "box": box_patch,
            "key": key_patch, "ball": ball_patch}

def differs(patch, now):
    """Number of pixels of each cell in `now` that differ from `patch`."""
    return (np.abs(now - patch).max(axis=-1) > TOL).sum(axis=(-1, -2))

def in_first_cell(found, current):
    y, x = found["row"] * CELL, found["col"] * CELL
    now = current[y:y + CELL, x:x + CELL].astype(np.int16)
    return int(differs(found["box"], now))

def drawn(patch, cells):
    return bool(differs(patch, cells).min() <= MAX_DIFF)

def check(found, current):
    if found["box"] is None:
        return False
    if in_first_cell(found, current) <= MAX_DIFF:
        return False                              # the box is in its place
    cells = split(current)
    if drawn(found["box"], cells):
        return False                              # the box is elsewhere
    if found["key"] is not None and not drawn(found["key"], cells):
        return False                              # the agent holds the key
    if found["ball"] is not None and not drawn(found["ball"], cells):
        return False                              # the agent holds the ball
    return True

def explain(found, current):
    cells = split(current)
    out = {"box_found": found["box"] is not None,
           "key_found": found["key"] is not None,
           "ball_found": found["ball"] is not None,
           "box_row": found["row"], "box_col": found["col"]}
    if found["box"] is not None:
        out["changed_pixels_in_box_cell"] = in_first_cell(found, current)
    for name in ("box", "key", "ball"):
        if found[name] is not None:
            out[name + "_drawn"] = drawn(found[name], cells)
    return out
