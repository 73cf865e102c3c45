import numpy as np

CELL = 8
TOL = 12

def split_cells(frame):
    a = frame.astype(np.int16)
    rows = a.shape[0] // CELL
    cols = a.shape[1] // CELL
    a = a[:rows * CELL, :cols * CELL]
    return a.reshape(rows, CELL, cols, CELL, 3).transpose(0, 2, 1, 3, 4)

def floor_tile(cells):
    tile = np.zeros((CELL, CELL, 3), np.int16)
    tile[0, :] = 33
    tile[:, 0] = 33
    tile[0, 0] = 55
    black = (cells.max(axis=4) < 8).mean(axis=(2, 3))
    bare = cells[black >= 0.7]
    if len(bare) >= 3:
        tile = np.round(np.median(bare, axis=0)).astype(np.int16)
    return tile

def identify(initial):
    cells = split_cells(initial)
    floor = floor_tile(cells)

    spread = (cells.max(axis=(2, 3)) - cells.min(axis=(2, 3))).max(axis=2)
    mean = cells.mean(axis=(2, 3))
    strength = mean.max(axis=2) - mean.min(axis=2)
    even = (spread <= 10) & (strength > 60)
    goal_cell = None
    goal_colour = np.array([0, 255, 0], np.int16)
    if even.any():
        distance = np.abs(mean - np.array([0.0, 255.0, 0.0])).sum(axis=2)
        distance = np.where(even, distance, 1e9)
        place = int(np.argmin(distance))
        goal_cell = (place // even.shape[1], place % even.shape[1])
        goal_colour = np.round(mean[goal_cell]).astype(np.int16)

    differs = np.abs(cells - floor).max(axis=4) > TOL
    counts = differs.sum(axis=(2, 3))
    best = None
    for r in range(cells.shape[0]):
        for c in range(cells.shape[1]):
            n = int(counts[r, c])
            if n < 5 or n > 40:
                continue
            ys, xs = np.nonzero(differs[r, c])
            w = int(xs.max() - xs.min() + 1)
            h = int(ys.max() - ys.min() + 1)
            item = (min(w, h), n, r, c)
            if min(w, h) >= 5 and (best is None or item > best):
                best = item
    agent_colour = np.array([255, 0, 0], np.int16)
    agent_cell = None
    if best is not None:
        agent_cell = (best[2], best[3])
        pixels = cells[agent_cell][differs[agent_cell]]
        agent_colour = pixels[int(np.argmax(pixels.max(axis=1)))].copy()
    return {"goal_cell": goal_cell, "goal_colour": goal_colour,
            "agent_cell": agent_cell, "agent_colour": agent_colour}

def measure(found, current):
    r, c = found["goal_cell"]
    cell = current[r * CELL:(r + 1) * CELL, c * CELL:(c + 1) * CELL].astype(np.int16)
    agent = int((np.abs(cell - found["agent_colour"]).max(axis=2) <= 30).sum())
    changed = int((np.abs(cell - found["goal_colour"]).max(axis=2) > 20).sum())
    return agent, changed

def check(found, current):
    if found["goal_cell"] is None:
        return False
    agent, changed = measure(found, current)
    return bool(agent >= 6 and changed >= 10)

def explain(found, current):
    colour = ",".join(str(int(v)) for v in found["agent_colour"])
    if found["goal_cell"] is None:
        return {"goal_found": False, "agent_colour": colour}
    agent, changed = measure(found, current)
    return {"goal_found": True,
            "goal_row": found["goal_cell"][0],
            "goal_column": found["goal_cell"][1],
            "agent_found": found["agent_cell"] is not None,
            "agent_colour": colour,
            "agent_pixels_in_goal": agent,
            "changed_pixels_in_goal": changed}
