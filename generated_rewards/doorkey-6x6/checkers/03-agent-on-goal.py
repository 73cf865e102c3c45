import numpy as np

CELL = 8

def identify(initial):
    h = initial.shape[0] // CELL
    w = initial.shape[1] // CELL
    best = None
    best_green = 47                                    # at least 48 of the 64 pixels
    spare = None
    for r in range(h):
        for q in range(w):
            t = initial[r * CELL:(r + 1) * CELL, q * CELL:(q + 1) * CELL].astype(np.int16)
            green = int(((t[..., 1] > 225) & (t[..., 0] < 30) & (t[..., 2] < 30)).sum())
            if green > best_green:
                best_green = green
                best = {"y": r * CELL, "x": q * CELL}
            if spare is None:
                low = t.min(axis=(0, 1))
                high = t.max(axis=(0, 1))
                uniform = (high - low).max() < 10
                if uniform and high.max() - high.min() > 40:
                    spare = {"y": r * CELL, "x": q * CELL}
    return best if best is not None else spare

def count_red(found, current):
    y = found["y"]
    x = found["x"]
    t = current[y:y + CELL, x:x + CELL]
    return int(((t[..., 0] > 200) & (t[..., 1] < 60) & (t[..., 2] < 60)).sum())

def check(found, current):
    if found is None:
        return False
    return bool(count_red(found, current) >= 6)

def explain(found, current):
    if found is None:
        return {"goal_found_in_first_frame": False}
    return {
        "goal_found_in_first_frame": True,
        "goal_x": int(found["x"]),
        "goal_y": int(found["y"]),
        "red_pixels_in_goal_cell": count_red(found, current),
    }
