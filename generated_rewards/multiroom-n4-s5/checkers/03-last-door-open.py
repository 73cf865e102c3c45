from collections import deque

import numpy as np

T = 8                      # size of a tile in pixels
BORDER = np.ones((T, T), dtype=bool)
BORDER[1:-1, 1:-1] = False
STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))

def find_agent(frame, box):
    y0, y1, x0, x1 = box
    part = frame[y0:y1, x0:x1]
    red = (part[..., 0] >= 220) & (part[..., 1] <= 60) & (part[..., 2] <= 60)
    ys, xs = np.nonzero(red)
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

    wall = (np.abs(t - 100).max(axis=-1) <= 8).sum(axis=(2, 3)) >= 60
    green = ((t[..., 1] >= 230) & (t[..., 0] <= 40) & (t[..., 2] <= 40)).sum(axis=(2, 3))
    goal = None
    if green.max() >= 40:
        gi = int(np.argmax(green))
        goal = (gi // cols, gi % cols)

    border = t[:, :, BORDER]                                  # rows, cols, 28, 3
    spread = (border.max(axis=2) - border.min(axis=2)).max(axis=-1)
    bright = border.max(axis=(2, 3))
    dark_inside = (t[:, :, 1:-1, 1:-1].max(axis=-1) <= 20).sum(axis=(2, 3))
    is_door = (spread <= 10) & (bright >= 40) & (dark_inside >= 26) & ~wall

    found = {"doors": [], "colours": [], "stage": None, "dist": None,
             "start_dist": 0, "box": (0, h, 0, w), "goal": goal,
             "start": None, "n_doors_seen": int(is_door.sum())}
    start = find_agent(initial, (0, h, 0, w))
    if start is None:
        return found
    found["start"] = start

    free = ~wall
    free[start] = True
    dist, parent = distances(start, free)

    # number of doors passed on the way from the start to each tile
    stage = np.full(dist.shape, -1, dtype=int)
    for cell, prev in parent.items():                         # in order of the walk
        before = 0 if prev is None else stage[prev]
        stage[cell] = before + (1 if is_door[cell] else 0)

    doors = []
    if goal is not None and goal in parent:
        cell = goal
        while cell is not None:
            if is_door[cell]:
                doors.append(cell)
            cell = parent[cell]
        doors.reverse()
    else:
        doors = sorted([c for c in parent if is_door[c]], key=lambda c: dist[c])
    found["doors"] = doors
    found["colours"] = [np.median(border[d], axis=0).astype(np.int16) for d in doors]
    found["stage"] = stage

    rr, cc = np.nonzero(dist >= 0)
    found["box"] = (int(rr.min()) * T, (int(rr.max()) + 1) * T,
                    int(cc.min()) * T, (int(cc.max()) + 1) * T)
    if doors:
        k = len(doors) - 1
        to_door = distances(doors[k], free)[0]
        found["dist"] = to_door
        origin = start if k == 0 else doors[k - 1]
        found["start_dist"] = int(to_door[origin])
    return found

def border_count(found, current, i):
    r, c = found["doors"][i]
    tile = current[r * T:(r + 1) * T, c * T:(c + 1) * T][BORDER].astype(np.int16)
    return int((np.abs(tile - found["colours"][i]).max(axis=1) <= 14).sum())

def is_closed(found, current, i):
    return border_count(found, current, i) >= 20

def check(found, current):
    n = len(found["doors"])
    if n == 0:
        return False
    if not is_closed(found, current, n - 1):
        return True
    agent = find_agent(current, found["box"])
    if agent is None:
        return False
    return bool(found["stage"][agent] >= n)

def progress(found, current):
    if found["dist"] is None or found["start_dist"] <= 0:
        return 0.0
    agent = find_agent(current, found["box"])
    if agent is None:
        return 0.0
    d = int(found["dist"][agent])
    if d < 0:
        return 0.0
    full = found["start_dist"]
    value = (full - d) / max(full - 1, 1)
    return float(0.95 * min(max(value, 0.0), 1.0))

def explain(found, current):
    agent = find_agent(current, found["box"])
    out = {"doors_on_way": str([tuple(int(v) for v in d) for d in found["doors"]]),
           "doors_seen": found["n_doors_seen"],
           "start_tile": str(found["start"]),
           "goal_tile": str(found["goal"]),
           "agent_tile": str(agent)}
    if agent is not None and found["stage"] is not None:
        out["agent_doors_passed"] = int(found["stage"][agent])
    for i in range(len(found["doors"])):
        out["door%d_border_pixels" % i] = border_count(found, current, i)
    return out
