import numpy as np

CELL = 8
TOL = 30

def split_cells(img):
    """(64, 64, 3) -> (rows, columns, 8, 8, 3), signed."""
    a = img.astype(np.int16)
    rows = a.shape[0] // CELL
    cols = a.shape[1] // CELL
    a = a[:rows * CELL, :cols * CELL]
    return a.reshape(rows, CELL, cols, CELL, 3).transpose(0, 2, 1, 3, 4)

def foreground(cells):
    """Pixels that are neither floor nor the lines of the floor."""
    hi = cells.max(axis=-1)
    lo = cells.min(axis=-1)
    return (hi - lo > 25) | (hi > 70)

def find_agent(cells, key_cell):
    """Cell (row, column) of the red triangle, or None."""
    red = (cells[..., 0] > 200) & (cells[..., 1] < 60) & (cells[..., 2] < 60)
    count = red.sum(axis=(2, 3))
    count = np.where((count >= 4) & (count <= 30), count, 0)
    if key_cell is not None:
        count[key_cell[0], key_cell[1]] = 0
    if count.max() == 0:
        return None
    k = int(count.argmax())
    return (k // count.shape[1], k % count.shape[1])

def distance(a, b):
    return abs(a[0] - b[0]) + abs(a[1] - b[1])

def identify(initial):
    cells = split_cells(initial)
    fg = foreground(cells)
    count = fg.sum(axis=(2, 3))

    best = None
    best_score = -1
    fallback = None
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
            if 2 <= w <= 4 and h >= 4 and h > w:
                if n > best_score:
                    best_score = n
                    best = (r, c)
            else:
                px = cells[r, c][m]
                redlike = px[:, 0].sum() > 3 * (px[:, 1].sum() + px[:, 2].sum())
                if not redlike and w >= 2 and h >= 2:
                    fallback = (r, c)
    if best is None:
        best = fallback
    if best is None:
        return {"ok": False}

    template = cells[best[0], best[1]].copy()
    mask = fg[best[0], best[1]].copy()
    px = template[mask]
    bright = px[int(px.sum(axis=1).argmax())]
    is_red = bool(np.abs(bright - np.array([255, 0, 0], dtype=np.int16)).max() < 120)

    agent = find_agent(cells, best)
    d0 = distance(agent, best) if agent is not None else 0
    return {
        "ok": True,
        "cell": best,
        "template": template,
        "mask": mask,
        "n": int(mask.sum()),
        "is_red": is_red,
        "d0": int(d0),
    }

def locate_key(found, cells):
    """Returns (cell of the key or None, best share of key pixels, pixels left in the first cell)."""
    same = (np.abs(cells - found["template"]).max(axis=-1) <= TOL)
    mask = found["mask"]
    n = found["n"]
    inside = (same & mask).sum(axis=(2, 3))
    outside = (same & ~mask).sum(axis=(2, 3))
    n_out = CELL * CELL - n

    hit = (inside >= 0.75 * n) & (outside >= 0.75 * n_out)
    r, c = found["cell"]
    left = int(inside[r, c])
    share = float(inside.max()) / n

    if hit[r, c]:
        return (r, c), share, left
    if hit.any():
        k = int(hit.argmax())
        return (k // hit.shape[1], k % hit.shape[1]), share, left
    # something covers the key, but parts of it still show
    if not found["is_red"] and left >= 4:
        return (r, c), share, left
    return None, share, left

def check(found, current):
    if not found["ok"]:
        return False
    where, share, left = locate_key(found, split_cells(current))
    return bool(where is None)

def progress(found, current):
    if not found["ok"] or found["d0"] <= 1:
        return 0.0
    cells = split_cells(current)
    where, share, left = locate_key(found, cells)
    if where is None:
        return 0.0
    agent = find_agent(cells, where)
    if agent is None:
        return 0.0
    p = (found["d0"] - distance(agent, where)) / float(found["d0"])
    return float(min(0.95, max(0.0, p)))

def explain(found, current):
    if not found["ok"]:
        return {"key_found_in_first_frame": False}
    cells = split_cells(current)
    where, share, left = locate_key(found, cells)
    agent = find_agent(cells, where)
    return {
        "key_found_in_first_frame": True,
        "key_first_row": int(found["cell"][0]),
        "key_first_column": int(found["cell"][1]),
        "key_pixels": int(found["n"]),
        "key_is_red": bool(found["is_red"]),
        "key_visible_now": bool(where is not None),
        "key_row_now": int(where[0]) if where is not None else -1,
        "key_column_now": int(where[1]) if where is not None else -1,
        "best_share_of_key_pixels": float(share),
        "key_pixels_left_in_first_cell": int(left),
        "agent_row": int(agent[0]) if agent is not None else -1,
        "agent_column": int(agent[1]) if agent is not None else -1,
    }
