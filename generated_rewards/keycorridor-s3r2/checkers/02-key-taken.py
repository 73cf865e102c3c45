import numpy as np

S = 8          # size of a cell in pixels

def split_cells(frame):
    f = np.asarray(frame)[:, :, :3]
    h, w = f.shape[0] // S, f.shape[1] // S
    return f[:h * S, :w * S].reshape(h, S, w, S, 3).transpose(0, 2, 1, 3, 4)

def key_map(cells):
    """True for each cell in which a key lies."""
    m = cells.max(axis=-1)
    left = (m[:, :, 1:, 1:3] <= 25).all(axis=(2, 3))
    right = (m[:, :, 1:, 6:8] <= 25).all(axis=(2, 3))
    shaft = (m[:, :, 3:7, 4] >= 60).all(axis=2)
    return left & right & shaft

def identify(initial):
    keys = np.argwhere(key_map(split_cells(initial)))
    key = None
    if len(keys):
        key = (int(keys[0][0]), int(keys[0][1]))
    return {"key": key}

def cell_measures(key, current):
    r, c = key
    m = np.asarray(current)[r * S:r * S + S, c * S:c * S + S, :3].max(axis=-1)
    shaft = int((m[3:7, 4] >= 60).sum())
    side = int((m[1:, 1:3] > 25).sum()) + int((m[1:, 6:8] > 25).sum())
    return shaft, side

def check(found, current):
    if found["key"] is None:
        return False
    shaft, side = cell_measures(found["key"], current)
    key_there = shaft == 4 and side == 0
    return not key_there

def explain(found, current):
    out = {"key_cell_in_first_frame": str(found["key"])}
    if found["key"] is not None:
        shaft, side = cell_measures(found["key"], current)
        out["shaft_pixels_now"] = shaft
        out["side_pixels_now"] = side
    out["cells_with_key_now"] = str(np.argwhere(key_map(split_cells(current))).tolist())
    return out
