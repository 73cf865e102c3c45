import numpy as np

CELL = 8

def cells(frame):
    """Inner 7 x 7 pixels of each cell, without grid lines: (rows, cols, 7, 7, 3)."""
    h = frame.shape[0] // CELL
    w = frame.shape[1] // CELL
    a = frame[:h * CELL, :w * CELL].reshape(h, CELL, w, CELL, 3)
    return a.transpose(0, 2, 1, 3, 4)[:, :, 1:, 1:].astype(np.int16)

def identify(initial):
    c = cells(initial)
    ink = c.max(axis=4) > 40                      # everything that is not black floor
    count = ink.sum(axis=(2, 3))
    best = None
    best_width = 99
    for r in range(ink.shape[0]):
        for q in range(ink.shape[1]):
            n = int(count[r, q])
            if n < 8 or n > 26:
                continue
            ys, xs = np.nonzero(ink[r, q])
            width = int(xs.max() - xs.min() + 1)
            height = int(ys.max() - ys.min() + 1)
            if width <= 4 and height >= 5 and width < best_width:
                best = (r, q)
                best_width = width
    if best is None:
        return {"cell": None, "key": None}
    return {"cell": best, "key": c[best[0], best[1]].copy()}

def different(found, current):
    """For every cell: in how many pixels it differs from the key's picture."""
    d = np.abs(cells(current) - found["key"]).max(axis=4) > 24
    return d.sum(axis=(2, 3))

def check(found, current):
    if found["key"] is None:
        return False
    return bool(different(found, current).min() > 4)

def explain(found, current):
    if found["key"] is None:
        return {"key_found_in_first_frame": False}
    d = different(found, current)
    r, q = np.unravel_index(int(d.argmin()), d.shape)
    return {
        "key_found_in_first_frame": True,
        "key_cell_row": int(found["cell"][0]),
        "key_cell_column": int(found["cell"][1]),
        "most_similar_cell_row": int(r),
        "most_similar_cell_column": int(q),
        "pixels_different_there": int(d[r, q]),
        "pixels_different_in_first_cell": int(d[found["cell"][0], found["cell"][1]]),
    }
