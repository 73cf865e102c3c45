import numpy as np

CELL = 8

def identify(initial):
    h = initial.shape[0] // CELL
    w = initial.shape[1] // CELL
    for r in range(h):
        for q in range(w):
            t = initial[r * CELL:(r + 1) * CELL, q * CELL:(q + 1) * CELL].astype(np.int16)
            v = t.max(axis=2)
            rim = np.concatenate([v[0], v[-1], v[1:-1, 0], v[1:-1, -1]])
            if rim.min() <= 40:                       # floor, key or agent on floor
                continue
            spread = (t.max(axis=(0, 1)) - t.min(axis=(0, 1))).max()
            if spread < 10:                           # wall or goal: one colour only
                continue
            if np.median(rim) > 230:                  # full bright rim: a goal square
                continue
            return {"y": r * CELL, "x": q * CELL}
    return None

def measure(found, current):
    y = found["y"]
    x = found["x"]
    v = current[y:y + CELL, x:x + CELL].max(axis=2)
    bottom = int((v[CELL - 1, 1:CELL - 1] < 40).sum())   # black floor: 6 of 6
    left = int((v[1:CELL - 1, 0] < 48).sum())            # grid line 33: 6 of 6
    return bottom, left

def check(found, current):
    if found is None:
        return False
    bottom, left = measure(found, current)
    return bool(bottom >= 5 and left >= 5)

def explain(found, current):
    if found is None:
        return {"door_found_in_first_frame": False}
    bottom, left = measure(found, current)
    return {
        "door_found_in_first_frame": True,
        "door_x": int(found["x"]),
        "door_y": int(found["y"]),
        "dark_pixels_in_bottom_row_of_6": bottom,
        "dark_pixels_in_left_column_of_6": left,
    }
