import numpy as np

CELL = 8

def cells_of(frame):
    """Cut a frame into its grid cells: (rows, columns, 8, 8, 3), signed."""
    rows, cols = frame.shape[0] // CELL, frame.shape[1] // CELL
    part = frame[:rows * CELL, :cols * CELL].astype(np.int16)
    return part.reshape(rows, CELL, cols, CELL, 3).transpose(0, 2, 1, 3, 4)

def floor_cell():
    floor = np.zeros((CELL, CELL, 3), np.int16)
    floor[0, :] = 33
    floor[:, 0] = 33
    floor[0, 0] = 55
    return floor

def looks_like_box(mask):
    """A full ring at pixels 1 to 6, with only floor around it."""
    inner = mask[1:7, 1:7]
    ring = inner.sum() - inner[1:-1, 1:-1].sum()
    outside = mask.sum() - inner.sum()
    return bool(ring == 20 and outside == 0)

def looks_like_key(mask):
    """Narrow and tall: 3 wide, 7 high, 16 pixels."""
    if not 10 <= mask.sum() <= 22:
        return False
    xs = np.flatnonzero(mask.any(axis=0))
    ys = np.flatnonzero(mask.any(axis=1))
    width = xs[-1] - xs[0] + 1
    height = ys[-1] - ys[0] + 1
    return bool(2 <= width <= 4 and height >= 5)

def identify(initial):
    cells = cells_of(initial)
    masks = np.abs(cells - floor_cell()).max(axis=-1) > 5
    found = {"box": None, "key": None}
    for row in range(cells.shape[0]):
        for col in range(cells.shape[1]):
            if found["box"] is None and looks_like_box(masks[row, col]):
                found["box"] = cells[row, col].copy()
            elif found["key"] is None and looks_like_key(masks[row, col]):
                found["key"] = cells[row, col].copy()
    return found

def count(cells, patch):
    """In how many cells the thing is drawn."""
    return int((np.abs(cells - patch).max(axis=(2, 3, 4)) <= 10).sum())

def check(found, current):
    if found["box"] is None:
        return False
    cells = cells_of(current)
    if count(cells, found["box"]) > 0:
        return False
    return bool(found["key"] is None or count(cells, found["key"]) > 0)

def explain(found, current):
    cells = cells_of(current)
    values = {}
    for name in ("box", "key"):
        patch = found[name]
        values[name + "_found_in_first_frame"] = patch is not None
        if patch is not None:
            values[name + "_cells_now"] = count(cells, patch)
    return values
