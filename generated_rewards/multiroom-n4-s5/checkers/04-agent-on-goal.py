from collections import deque

import numpy as np

T = 8                      # size of a tile in pixels
BORDER = np.ones((T, T), dtype=bool)
BORDER[1:-1, 1:-1] = False
STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))

def red_mask(part):
    return (part[..., 0] >= 220) & (part[..., 1] <= 60) & (part[..., 2] <= 60)

def find_agent(frame, box):
    y0, y1, x0, x1 = box
    ys, xs = np.nonzero(red_mask(frame[y0:y1, x0:x1]))
    if len(ys) < 5:
        return None
    return (int(ys.mean() + y0) // T, int(xs.mean() + x0) // T)

def distances(start, free):
    rows, cols = free.shape
    dist = np.full(free.shape, -1, dtype=int)
    dist[start] = 0
    parent = {start: None}
    queue = deque([start])
    while queue:
        cell = queue.popleft()
        for dr, dc in STEPS:
            r, c = cell[0] + dr, cell[1] + dc
            if 0 <= r < rows and 0 <= c < cols and free[r, c] and dist[r, c] < 0:
                dist[r, c] = dist[cell] + 1
                parent[(r, c)] = cell
                queue.append((r, c))
    return dist, parent

def identify(initial):
    h, w = initial.shape[:2]
    rows, cols = h // T, w // T
    t = initial.reshape(rows, T, cols, T, 3).swapaxes(1, 2).astype(np.int16)

    found = {"goal": None, "start": None, "dist": None, "full": 0,
             "box": (0, h, 0, w), "green_pixels": 0}

    green = ((t[..., 1] >= 230) & (t[..., 0] <= 40) & (t[..., 2] <= 40)).sum(axis=(2, 3))
    found["green_pixels"] = int(green.max())
    if green.max() < 30:
        return found
    gi = int(np.argmax(green))
    goal = (gi // cols, gi % cols)
    found["goal"] = goal

    wall = (np.abs(t - 100).max(axis=-1) <= 8).sum(axis=(2, 3)) >= 60
    border = t[:, :, BORDER]                                  # rows, cols, 28, 3
    spread = (border.max(axis=2) - border.min(axis=2)).max(axis=-1)
    bright = border.max(axis=(2, 3))
    dark_inside = (t[:, :, 1:-1, 1:-1].max(axis=-1) <= 20).sum(axis=(2, 3))
    is_door = (spread <= 10) & (bright >= 40) & (dark_inside >= 26) & ~wall

    free = ~wall
    free[goal] = True
    dist, parent = distances(goal, free)      # the walk starts at the goal
    found["dist"] = dist

    rr, cc = np.nonzero(dist >= 0)
    found["box"] = (int(rr.min()) * T, (int(rr.max()) + 1) * T,
                    int(cc.min()) * T, (int(cc.max()) + 1) * T)

    start = find_agent(initial, (0, h, 0, w))
    found["start"] = start
    if start is not None and start in parent:
        full = int(dist[start])
        cell = start
        while cell is not None:               # from the start to the goal
            if is_door[cell]:
                full = int(dist[cell])        # ends with the last door
            cell = parent[cell]
        found["full"] = full
    return found

def red_in_goal(found, current):
    r, c = found["goal"]
    return int(red_mask(current[r * T:(r + 1) * T, c * T:(c + 1) * T]).sum())

def check(found, current):
    if found["goal"] is None:
        return False
    return bool(red_in_goal(found, current) >= 5)

def progress(found, current):
    if found["dist"] is None or found["full"] <= 0:
        return 0.0
    agent = find_agent(current, found["box"])
    if agent is None:
        return 0.0
    d = int(found["dist"][agent])
    if d < 0:
        return 0.0
    value = (found["full"] - d) / found["full"]
    return float(0.95 * min(max(value, 0.0), 1.0))

def explain(found, current):
    agent = find_agent(current, found["box"])
    out = {"goal_tile": str(found["goal"]),
           "start_tile": str(found["start"]),
           "agent_tile": str(agent),
           "green_pixels_in_first_frame": found["green_pixels"],
           "way_from_last_door": found["full"]}
    if found["goal"] is not None:
        out["red_pixels_in_goal_tile"] = red_in_goal(found, current)
    if agent is not None and found["dist"] is not None:
        out["agent_distance_to_goal"] = int(found["dist"][agent])
    return out
