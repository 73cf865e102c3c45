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

    # the closed door: the fullest cell that is no wall
    door = None
    door_colour = None
    best = 57
    for r in range(rows):
        for c in range(cols):
            if not wall[r, c] and int(count[r, c]) > best:
                best = int(count[r, c])
                door = (r, c)
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

    key = None
    key_cell = (-1, -1)
    if candidates:
        candidates.sort()
        score, r, c = candidates[0]
        key = cells[r, c].copy()
        key_cell = (r, c)
    return {"key": key, "key_cell": key_cell, "door": door,
            "candidates": len(candidates)}

def key_cells(found, cells):
    """Boolean (rows, cols): the cells that show the key."""
    wrong = (np.abs(cells - found["key"]).max(axis=-1) > 2 * TOL).sum(axis=(2, 3))
    return wrong <= 4

def find_agent(cells, is_key):
    """Row and column of the cell with the red triangle, or None."""
    red = (cells[..., 0] >= 50) & (cells[..., 1] < 25) & (cells[..., 2] < 25)
    n_red = red.sum(axis=(2, 3))
    n_dev = differs_from_floor(cells).sum(axis=(2, 3))
    bright = ((cells[..., 0] >= 240) & red).sum(axis=(2, 3))
    good = (n_red >= 14) & (bright >= 6) & (n_dev <= 44) & ~is_key
    if not good.any():
        return None
    r, c = np.unravel_index(int(np.argmax(np.where(good, bright, -1))), good.shape)
    return int(r), int(c)

def measure(found, current):
    """Is the key still on the floor, where is the agent, how far from the door."""
    cells = cells_of(current)
    is_key = key_cells(found, cells)
    agent = find_agent(cells, is_key)
    distance = -1
    if agent is not None:
        door = found["door"]
        distance = abs(agent[0] - door[0]) + abs(agent[1] - door[1])
    return int(is_key.sum()), agent, distance

def usable(found):
    return found["key"] is not None and found["door"] is not None

def check(found, current):
    if not usable(found):
        return False
    n_keys, agent, distance = measure(found, current)
    return bool(n_keys == 0 and agent is not None and distance <= 1)

def progress(found, current):
    if not usable(found):
        return 0.0
    n_keys, agent, distance = measure(found, current)
    if n_keys > 0 or agent is None:
        return 0.0
    steps = min(max(distance - 1, 0), 8)
    return float(0.95 * (1.0 - steps / 9.0))

def explain(found, current):
    if not usable(found):
        return {"key_found_in_first_frame": found["key"] is not None,
                "door_found_in_first_frame": found["door"] is not None}
    n_keys, agent, distance = measure(found, current)
    return {
        "key_found_in_first_frame": True,
        "door_found_in_first_frame": True,
        "key_candidates": int(found["candidates"]),
        "key_first_row": int(found["key_cell"][0]),
        "key_first_col": int(found["key_cell"][1]),
        "door_row": int(found["door"][0]),
        "door_col": int(found["door"][1]),
        "cells_that_show_the_key": int(n_keys),
        "agent_row": -1 if agent is None else agent[0],
        "agent_col": -1 if agent is None else agent[1],
        "cells_from_agent_to_door": int(distance),
    }
