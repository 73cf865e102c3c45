import numpy as np

CELL = 8
TOL = 10          # colour tolerance per channel

def make_floor():
    floor = np.zeros((CELL, CELL, 3), np.int16)
    floor[0, :, :] = 33
    floor[:, 0, :] = 33
    floor[0, 0, :] = 55
    return floor

def make_edge():
    """Pixels of an open door's cell that neither agent nor strip can cover."""
    edge = np.zeros((CELL, CELL), bool)
    edge[0, :7] = True
    edge[:, 0] = True
    edge[7, :7] = True
    return edge

FLOOR = make_floor()
EDGE = make_edge()

def cells_of(frame):
    rows = frame.shape[0] // CELL
    cols = frame.shape[1] // CELL
    part = frame[:rows * CELL, :cols * CELL, :3].astype(np.int16)
    return part.reshape(rows, CELL, cols, CELL, 3).transpose(0, 2, 1, 3, 4)

def identify(initial):
    cells = cells_of(initial)
    rows, cols = cells.shape[:2]
    count = (np.abs(cells - FLOOR).max(axis=-1) > TOL).sum(axis=(2, 3))
    wall = (np.abs(cells - 100).max(axis=-1) <= 4).all(axis=(2, 3))

    door = None
    best = 57
    n_doors = 0
    for r in range(rows):
        for c in range(cols):
            if wall[r, c]:
                continue
            n = int(count[r, c])
            if n > 57:
                n_doors += 1
            if n > best:
                best = n
                door = (r, c)
    if door is None:
        return {"door": None, "patch": None, "filled": 0, "n_doors": 0}
    return {"door": door, "patch": cells[door[0], door[1]].copy(),
            "filled": best, "n_doors": n_doors}

def measure(found, current):
    r, c = found["door"]
    cell = current[r * CELL:(r + 1) * CELL,
                   c * CELL:(c + 1) * CELL, :3].astype(np.int16)
    floor_like = np.abs(cell - FLOOR).max(axis=-1) <= TOL
    edge_floor = int((floor_like & EDGE).sum())
    edge_total = int(EDGE.sum())
    still_door = int((np.abs(cell - found["patch"]).max(axis=-1) <= TOL).sum())
    strip = int((cell[:, 7].max(axis=-1) > 45).sum())
    return edge_floor, edge_total, still_door, strip, int(floor_like.sum())

def check(found, current):
    if found["door"] is None:
        return False
    edge_floor, edge_total, still_door, strip, floor_total = measure(found, current)
    return bool(edge_floor >= 0.8 * edge_total and still_door <= 24)

def explain(found, current):
    if found["door"] is None:
        return {"door_found_in_first_frame": False}
    edge_floor, edge_total, still_door, strip, floor_total = measure(found, current)
    return {
        "door_found_in_first_frame": True,
        "door_candidates": int(found["n_doors"]),
        "door_row": int(found["door"][0]),
        "door_col": int(found["door"][1]),
        "door_filled_pixels_at_start": int(found["filled"]),
        "edge_pixels_like_floor": edge_floor,
        "edge_pixels_in_all": edge_total,
        "pixels_still_like_the_closed_door": still_door,
        "floor_like_pixels": floor_total,
        "strip_pixels_at_right_edge": strip,
    }
