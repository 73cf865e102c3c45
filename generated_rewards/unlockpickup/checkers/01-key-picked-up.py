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

def looks_like_key(mask):
    """A key is narrow and tall: 3 wide, 7 high, 16 pixels."""
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
    for row in range(cells.shape[0]):
        for col in range(cells.shape[1]):
            if looks_like_key(masks[row, col]):
                return {"patch": cells[row, col].copy(), "cell": (row, col)}
    return {"patch": None, "cell": None}

def key_cells(found, current):
    """Cells (row, column) in which the key lies on the floor."""
    diff = np.abs(cells_of(current) - found["patch"]).max(axis=(2, 3, 4))
    return np.argwhere(diff <= 10)

def check(found, current):
    if found["patch"] is None:
        return False
    return bool(len(key_cells(found, current)) == 0)

def explain(found, current):
    if found["patch"] is None:
        return {"key_found_in_first_frame": False}
    where = key_cells(found, current)
    return {
        "key_found_in_first_frame": True,
        "first_key_cell_row_col": str(found["cell"]),
        "keys_on_floor_now": len(where),
        "key_cells_now": str(where.tolist()),
    }
