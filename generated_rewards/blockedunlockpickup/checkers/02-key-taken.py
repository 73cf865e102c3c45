import numpy as np

CELL = 8
TOL = 20         # difference of a channel that counts as another colour
MAX_DIFF = 4     # pixels that may differ where the key is still the key

def split(frame):
    h, w = frame.shape[:2]
    rows, cols = h // CELL, w // CELL
    a = frame[:rows * CELL, :cols * CELL].astype(np.int16)
    return a.reshape(rows, CELL, cols, CELL, 3).transpose(0, 2, 1, 3, 4)

def identify(initial):
    cells = split(initial)                        # rows, cols, 8, 8, 3
    val = cells.max(axis=4)

    wall = (np.abs(cells - 100) <= 3).all(axis=(2, 3, 4))
    door = (val >= 38).all(axis=(2, 3)) & ~wall

    # the key: bright shaft in column 4, dark left and right of it
    shaft = (val[:, :, 3:7, 4] >= 80).all(axis=2)
    dark = ((val[:, :, 1:, 1:3] <= 40).all(axis=(2, 3))
            & (val[:, :, 1:, 6:8] <= 40).all(axis=(2, 3)))
    key = shaft & dark & ~wall & ~door

    pos = np.argwhere(key)
    if len(pos) == 0:
        # otherwise the thing with the fewest coloured pixels
        count = (val[:, :, 1:, 1:] >= 25).sum(axis=(2, 3))
        count = np.where(wall | door | (count < 6), 1000, count)
        if count.min() < 1000:
            pos = np.argwhere(count == count.min())
    patch, kr, kc = None, -1, -1
    if len(pos):
        kr, kc = int(pos[0][0]), int(pos[0][1])
        patch = cells[kr, kc].copy()

    dr, dc = -1, -1
    pos = np.argwhere(door)
    if len(pos):
        dr, dc = int(pos[0][0]), int(pos[0][1])
    return {"key_row": kr, "key_col": kc, "patch": patch,
            "door_row": dr, "door_col": dc}

def least_difference(found, current):
    """Pixels that differ from the key in the cell most like the key."""
    if found["patch"] is None:
        return 0, -1, -1
    cells = split(current)
    diff = np.abs(cells - found["patch"]).max(axis=4) > TOL
    count = diff.sum(axis=(2, 3))
    k = int(count.argmin())
    r, c = divmod(k, count.shape[1])
    return int(count[r, c]), r, c

def door_is_open(found, current):
    if found["door_row"] < 0:
        return False
    y, x = found["door_row"] * CELL, found["door_col"] * CELL
    edge = current[y + 1:y + 7, x].astype(np.int16)      # left edge, 6 pixels
    plain = (np.abs(edge - 33) <= 12).all(axis=1)
    return bool(plain.sum() >= 5)

def check(found, current):
    if door_is_open(found, current):
        return True
    return bool(least_difference(found, current)[0] > MAX_DIFF)

def explain(found, current):
    count, r, c = least_difference(found, current)
    return {"key_found": found["patch"] is not None,
            "key_row": found["key_row"], "key_col": found["key_col"],
            "door_row": found["door_row"], "door_col": found["door_col"],
            "least_difference": count, "most_like_row": r, "most_like_col": c,
            "key_drawn": count <= MAX_DIFF,
            "door_open": door_is_open(found, current)}
