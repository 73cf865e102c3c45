from collections import deque

import numpy as np

CELL = 8
FLOOR_TOL = 22
COLOUR_TOL = 60
OPEN_LIMIT = 16
MIN_AGENT_PIXELS = 5

def split_cells(img):
    """(64, 64, 3) -> (rows, columns, 8, 8, 3), signed."""
    a = img.astype(np.int16)
    rows = a.shape[0] // CELL
    cols = a.shape[1] // CELL
    a = a[:rows * CELL, :cols * CELL]
    return a.reshape(rows, CELL, cols, CELL, 3).transpose(0, 2, 1, 3, 4)

def ring_mask():
    ring = np.ones((CELL, CELL), dtype=bool)
    ring[1:-1, 1:-1] = False
    return ring

def find_agent_colour(cells):
    """Strongest colour of the compact, roughly square small shape."""
    hi = cells.max(axis=-1)
    lo = cells.min(axis=-1)
    fg = (hi - lo > 25) | (hi > 70)
    count = fg.sum(axis=(2, 3))
    red = np.array([255, 0, 0], dtype=np.int16)
    best = None
    best_dist = None
    for r in range(count.shape[0]):
        for c in range(count.shape[1]):
            n = int(count[r, c])
            if n < 10 or n > 36:
                continue
            m = fg[r, c]
            ys = np.flatnonzero(m.any(axis=1))
            xs = np.flatnonzero(m.any(axis=0))
            h = int(ys[-1] - ys[0] + 1)
            w = int(xs[-1] - xs[0] + 1)
            if h < 5 or h > 7 or w < 5 or w > 7:
                continue
            px = cells[r, c][m]
            col = px[int(px.sum(axis=1).argmax())]
            dist = int(np.abs(col - red).max())
            if best is None or dist < best_dist:
                best = col.copy()
                best_dist = dist
    return red if best is None else best

def identify(initial):
    cells = split_cells(initial)
    rows, cols = cells.shape[0], cells.shape[1]
    ring = ring_mask()

    spread = (cells.max(axis=(2, 3)) - cells.min(axis=(2, 3))).max(axis=-1)
    mean = cells.mean(axis=(2, 3))
    sat = mean.max(axis=-1) - mean.min(axis=-1)
    uniform = spread <= 12

    wall = uniform & (sat <= 20) & (mean.max(axis=-1) > 70)

    # goal square: one single saturated colour, as near to green as possible
    green = np.array([0.0, 255.0, 0.0])
    goal = None
    best = None
    for r in range(rows):
        for c in range(cols):
            if not uniform[r, c] or sat[r, c] < 80:
                continue
            dist = float(np.abs(mean[r, c] - green).sum())
            if best is None or dist < best:
                best = dist
                goal = (r, c)
    if goal is None:
        return {"ok": False}

    # plain floor and the closed door (framed on all sides, inside of another shade)
    total = cells.sum(axis=(2, 3, 4), dtype=np.int64)
    k = int(total.argmin())
    floor = cells[k // cols, k % cols].copy()
    differs = np.abs(cells - floor).max(axis=-1) > FLOOR_TOL
    ring_count = (differs & ring).sum(axis=(2, 3))
    door = None
    contrast_best = 8.0
    for r in range(rows):
        for c in range(cols):
            if ring_count[r, c] < 24:
                continue
            cell = cells[r, c]
            contrast = float(np.abs(np.median(cell[ring], axis=0)
                                    - np.median(cell[~ring], axis=0)).max())
            if contrast > contrast_best:
                contrast_best = contrast
                door = (r, c)

    # walking distance of every cell to the goal
    dist = np.full((rows, cols), -1, dtype=np.int64)
    dist[goal[0], goal[1]] = 0
    queue = deque([goal])
    while queue:
        r, c = queue.popleft()
        for dr, dc in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            rr, cc = r + dr, c + dc
            if 0 <= rr < rows and 0 <= cc < cols and dist[rr, cc] < 0 and not wall[rr, cc]:
                dist[rr, cc] = dist[r, c] + 1
                queue.append((rr, cc))

    return {
        "ok": True,
        "goal": goal,
        "goal_colour": np.round(mean[goal[0], goal[1]]).astype(np.int16),
        "agent_colour": find_agent_colour(cells),
        "ring": ring,
        "floor": floor,
        "door": door,
        "dist": dist,
        "far": int(max(1, dist.max())),
    }

def cell_at(img, where):
    r, c = where
    return img[r * CELL:(r + 1) * CELL, c * CELL:(c + 1) * CELL].astype(np.int16)

def measure(found, current):
    """Agent pixels in the goal cell, and goal-coloured pixels on its ring."""
    cell = cell_at(current, found["goal"])
    agent = np.abs(cell - found["agent_colour"]).max(axis=-1) <= COLOUR_TOL
    goal = np.abs(cell - found["goal_colour"]).max(axis=-1) <= COLOUR_TOL
    return int((agent & ~goal).sum()), int((goal & found["ring"]).sum())

def check(found, current):
    if not found["ok"]:
        return False
    agent_px, ring_px = measure(found, current)
    return bool(agent_px >= MIN_AGENT_PIXELS and ring_px >= 14)

def door_is_open(found, current):
    if found["door"] is None:
        return True
    differs = np.abs(cell_at(current, found["door"]) - found["floor"]).max(axis=-1) > FLOOR_TOL
    return bool(int((differs & found["ring"]).sum()) <= OPEN_LIMIT)

def find_agent(found, current):
    """Cell (row, column) of the agent, or None."""
    cells = split_cells(current)
    near = np.abs(cells - found["agent_colour"]).max(axis=-1) <= COLOUR_TOL
    count = near.sum(axis=(2, 3))
    count = np.where((count >= 4) & (count <= 30), count, 0)
    if count.max() == 0:
        return None
    k = int(count.argmax())
    return (k // count.shape[1], k % count.shape[1])

def progress(found, current):
    if not found["ok"] or not door_is_open(found, current):
        return 0.0
    agent = find_agent(found, current)
    if agent is None:
        return 0.0
    d = int(found["dist"][agent[0], agent[1]])
    if d < 0:
        return 0.0
    return float(min(0.95, max(0.0, 1.0 - d / float(found["far"] + 1))))

def explain(found, current):
    if not found["ok"]:
        return {"goal_found_in_first_frame": False}
    agent_px, ring_px = measure(found, current)
    agent = find_agent(found, current)
    return {
        "goal_found_in_first_frame": True,
        "goal_row": int(found["goal"][0]),
        "goal_column": int(found["goal"][1]),
        "goal_colour": str(found["goal_colour"].tolist()),
        "agent_colour": str(found["agent_colour"].tolist()),
        "agent_pixels_in_goal_cell": agent_px,
        "goal_pixels_on_ring": ring_px,
        "door_row": int(found["door"][0]) if found["door"] is not None else -1,
        "door_column": int(found["door"][1]) if found["door"] is not None else -1,
        "door_open_now": door_is_open(found, current),
        "agent_row": int(agent[0]) if agent is not None else -1,
        "agent_column": int(agent[1]) if agent is not None else -1,
        "steps_to_goal": int(found["dist"][agent[0], agent[1]]) if agent is not None else -1,
    }
