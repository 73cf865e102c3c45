import numpy as np

CELL = 8
FLOOR_TOL = 22
KEY_TOL = 30
OPEN_LIMIT = 16

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

def find_key(cells):
    """Cell of the narrow, tall key shape in the first frame, with its mask."""
    hi = cells.max(axis=-1)
    lo = cells.min(axis=-1)
    fg = (hi - lo > 25) | (hi > 70)
    count = fg.sum(axis=(2, 3))
    best = None
    best_n = -1
    for r in range(count.shape[0]):
        for c in range(count.shape[1]):
            n = int(count[r, c])
            if n < 5 or n > 30:
                continue
            m = fg[r, c]
            ys = np.flatnonzero(m.any(axis=1))
            xs = np.flatnonzero(m.any(axis=0))
            h = int(ys[-1] - ys[0] + 1)
            w = int(xs[-1] - xs[0] + 1)
            if 2 <= w <= 4 and h >= 4 and h > w and n > best_n:
                best = (r, c)
                best_n = n
    if best is None:
        return None, None
    return best, fg[best[0], best[1]].copy()

def identify(initial):
    cells = split_cells(initial)
    rows, cols = cells.shape[0], cells.shape[1]
    ring = ring_mask()

    # the emptiest (darkest) cell is plain floor
    total = cells.sum(axis=(2, 3, 4), dtype=np.int64)
    k = int(total.argmin())
    floor = cells[k // cols, k % cols].copy()

    differs = np.abs(cells - floor).max(axis=-1) > FLOOR_TOL
    ring_count = (differs & ring).sum(axis=(2, 3))

    door = None
    best = 8.0
    for r in range(rows):
        for c in range(cols):
            if ring_count[r, c] < 24:
                continue
            cell = cells[r, c]
            ring_col = np.median(cell[ring], axis=0)
            in_col = np.median(cell[~ring], axis=0)
            contrast = float(np.abs(ring_col - in_col).max())
            if contrast > best:
                best = contrast
                door = (r, c)

    if door is None:
        return {"ok": False}

    key, key_mask = find_key(cells)
    out = {
        "ok": True,
        "door": door,
        "floor": floor,
        "ring": ring,
        "contrast": best,
        "ring_first": int(ring_count[door[0], door[1]]),
        "has_key": key is not None,
        "span": float(rows + cols - 4),
    }
    if key is not None:
        out["key_template"] = cells[key[0], key[1]].copy()
        out["key_mask"] = key_mask
        out["key_n"] = int(key_mask.sum())
    return out

def door_cell(found, current):
    r, c = found["door"]
    return current[r * CELL:(r + 1) * CELL, c * CELL:(c + 1) * CELL].astype(np.int16)

def frame_pixels(found, current):
    """How many of the door cell's 28 border pixels are not floor."""
    differs = np.abs(door_cell(found, current) - found["floor"]).max(axis=-1) > FLOOR_TOL
    return int((differs & found["ring"]).sum())

def check(found, current):
    if not found["ok"]:
        return False
    return bool(frame_pixels(found, current) <= OPEN_LIMIT)

def key_on_floor(found, cells):
    if not found["has_key"]:
        return False
    same = np.abs(cells - found["key_template"]).max(axis=-1) <= KEY_TOL
    mask = found["key_mask"]
    n = found["key_n"]
    inside = (same & mask).sum(axis=(2, 3))
    outside = (same & ~mask).sum(axis=(2, 3))
    hit = (inside >= 0.75 * n) & (outside >= 0.75 * (CELL * CELL - n))
    return bool(hit.any())

def find_agent(found, cells):
    """Cell (row, column) of the red triangle, or None."""
    red = (cells[..., 0] > 200) & (cells[..., 1] < 60) & (cells[..., 2] < 60)
    count = red.sum(axis=(2, 3))
    count = np.where((count >= 4) & (count <= 30), count, 0)
    count[found["door"][0], found["door"][1]] = 0
    if count.max() == 0:
        return None
    k = int(count.argmax())
    return (k // count.shape[1], k % count.shape[1])

def progress(found, current):
    if not found["ok"] or not found["has_key"]:
        return 0.0
    cells = split_cells(current)
    if key_on_floor(found, cells):
        return 0.0
    agent = find_agent(found, cells)
    if agent is None:
        return 0.0
    d = abs(agent[0] - found["door"][0]) + abs(agent[1] - found["door"][1])
    return float(min(0.95, max(0.0, 1.0 - d / found["span"])))

def explain(found, current):
    if not found["ok"]:
        return {"door_found_in_first_frame": False}
    cells = split_cells(current)
    agent = find_agent(found, cells)
    inner = door_cell(found, current)[1:-1, 1:-1]
    return {
        "door_found_in_first_frame": True,
        "door_row": int(found["door"][0]),
        "door_column": int(found["door"][1]),
        "door_contrast_first": float(found["contrast"]),
        "frame_pixels_first": int(found["ring_first"]),
        "frame_pixels_now": frame_pixels(found, current),
        "dark_pixels_inside_now": int((inner.max(axis=-1) < 20).sum()),
        "key_found_in_first_frame": bool(found["has_key"]),
        "key_on_floor_now": key_on_floor(found, cells),
        "agent_row": int(agent[0]) if agent is not None else -1,
        "agent_column": int(agent[1]) if agent is not None else -1,
    }
