import numpy as np

CELL = 8

def split(frame):
    h, w = frame.shape[:2]
    rows, cols = h // CELL, w // CELL
    a = frame[:rows * CELL, :cols * CELL].astype(np.int16)
    return a.reshape(rows, CELL, cols, CELL, 3).transpose(0, 2, 1, 3, 4)

def identify(initial):
    cells = split(initial)                        # rows, cols, 8, 8, 3
    val = cells.max(axis=4)
    wall = (np.abs(cells - 100) <= 3).all(axis=(2, 3, 4))
    # closed door: filled to the edges, no dark pixel, but not wall
    door = (val >= 38).all(axis=(2, 3)) & ~wall
    pos = np.argwhere(door)
    if len(pos) == 0:
        # otherwise the cell that is not wall and has the fewest dark pixels
        dark = np.where(wall, 1000, (val < 25).sum(axis=(2, 3)))
        pos = np.argwhere(dark == dark.min())
    r, c = int(pos[0][0]), int(pos[0][1])
    return {"row": r, "col": c, "patch": cells[r, c].copy()}

def measure(found, current):
    y, x = found["row"] * CELL, found["col"] * CELL
    now = current[y:y + CELL, x:x + CELL].astype(np.int16)
    changed = int((np.abs(now - found["patch"]).max(axis=2) > 15).sum())
    plain_edge = int((np.abs(now[1:7, 0] - 33) <= 12).all(axis=1).sum())
    return changed, plain_edge

def check(found, current):
    changed, plain_edge = measure(found, current)
    return bool(changed >= 16 and plain_edge >= 5)

def explain(found, current):
    changed, plain_edge = measure(found, current)
    return {"door_row": found["row"], "door_col": found["col"],
            "changed_pixels_in_door_cell": changed,
            "left_edge_pixels_like_floor_line": plain_edge}
