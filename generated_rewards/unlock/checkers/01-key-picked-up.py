import numpy as np

CELL = 8
TOL = 10          # colour tolerance per channel

def make_floor():
    floor = np.zeros((CELL, CELL, 3), np.int16)
    floor[0, :, :] = 33
    floor[:, 0, :] = 33
    floor[0, 0, :] = 55
    return floor

FLOOR = make_floor()

def cells_of(frame):
    rows = frame.shape[0] // CELL
    cols = frame.shape[1] // CELL
    part = frame[:rows * CELL, :cols * CELL, :3].astype(np.int16)
    return part.reshape(rows, CELL, cols, CELL, 3).transpose(0, 2, 1, 3, 4)

def differs_from_floor(cells):
    """Boolean (rows, cols, 8, 8): pixels that are not bare floor."""
    return np.abs(cells - FLOOR).max(axis=-1) > TOL

def unit_colour(colour):
    colour = np.asarray(colour, dtype=np.float64)
    return colour / (np.linalg.norm(colour) + 1e-6)

def identify(initial):
    cells = cells_of(initial)
    rows, cols = cells.shape[:2]
    dev = differs_from_floor(cells)
    count = dev.sum(axis=(2, 3))
    wall = (np.abs(cells - 100).max(axis=-1) <= 4).all(axis=(2, 3))

    # the closed door: a completely filled cell that is no wall
    door_colour = None
    for r in range(rows):
        for c in range(cols):
            if not wall[r, c] and count[r, c] >= 58:
                door_colour = unit_colour(cells[r, c].reshape(-1, 3).mean(axis=0))

    # the key: few pixels, narrow and tall
    candidates = []
    for r in range(rows):
        for c in range(cols):
            n = int(count[r, c])
            if wall[r, c] or n < 8 or n > 24:
                continue
            xs = np.flatnonzero(dev[r, c].any(axis=0))
            ys = np.flatnonzero(dev[r, c].any(axis=1))
            width = int(xs[-1] - xs[0] + 1)
            height = int(ys[-1] - ys[0] + 1)
            if width > 4 or height < 5 or xs[0] < 2:
                continue
            pixels = cells[r, c].reshape(-1, 3)
            colour = unit_colour(pixels[int(pixels.sum(axis=1).argmax())])
            score = abs(n - 16) * 0.02 + abs(width - 3) * 0.2 + abs(height - 7) * 0.1
            if door_colour is not None:
                score += float(np.abs(colour - door_colour).sum())
            candidates.append((score, r, c))

    if not candidates:
        return {"key": None, "row": -1, "col": -1, "candidates": 0}
    candidates.sort()
    score, r, c = candidates[0]
    return {"key": cells[r, c].copy(), "row": r, "col": c,
            "candidates": len(candidates)}

def key_cells(found, cells):
    """Boolean (rows, cols): the cells that show the key."""
    wrong = (np.abs(cells - found["key"]).max(axis=-1) > 2 * TOL).sum(axis=(2, 3))
    return wrong <= 4, wrong

def find_agent(cells, is_key):
    """Row and column of the cell with the red triangle, or None."""
    red = (cells[..., 0] >= 50) & (cells[..., 1] < 25) & (cells[..., 2] < 25)
    n_red = red.sum(axis=(2, 3))
    n_dev = differs_from_floor(cells).sum(axis=(2, 3))
    bright = ((cells[..., 0] >= 240) & red).sum(axis=(2, 3))
    good = (n_red >= 15) & (bright >= 7) & (n_dev <= 44) & ~is_key
    if not good.any():
        return None
    r, c = np.unravel_index(int(np.argmax(np.where(good, bright, -1))), good.shape)
    return int(r), int(c)

def check(found, current):
    if found["key"] is None:
        return False
    is_key, wrong = key_cells(found, cells_of(current))
    return bool(not is_key.any())

def progress(found, current):
    if found["key"] is None:
        return 0.0
    cells = cells_of(current)
    is_key, wrong = key_cells(found, cells)
    if not is_key.any():
        return 0.95
    agent = find_agent(cells, is_key)
    if agent is None:
        return 0.0
    places = np.argwhere(is_key)
    distance = int((np.abs(places - np.array(agent)).sum(axis=1)).min())
    steps = min(max(distance - 1, 0), 8)
    return float(0.9 * (1.0 - steps / 8.0))

def explain(found, current):
    if found["key"] is None:
        return {"key_found_in_first_frame": False}
    cells = cells_of(current)
    is_key, wrong = key_cells(found, cells)
    agent = find_agent(cells, is_key)
    best = np.unravel_index(int(np.argmin(wrong)), wrong.shape)
    return {
        "key_found_in_first_frame": True,
        "key_candidates": int(found["candidates"]),
        "key_first_row": int(found["row"]),
        "key_first_col": int(found["col"]),
        "cells_that_show_the_key": int(is_key.sum()),
        "best_match_row": int(best[0]),
        "best_match_col": int(best[1]),
        "best_match_wrong_pixels": int(wrong.min()),
        "wrong_pixels_at_first_place": int(wrong[found["row"], found["col"]]),
        "agent_row": -1 if agent is None else agent[0],
        "agent_col": -1 if agent is None else agent[1],
    }
