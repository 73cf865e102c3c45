import numpy as np

TILE = 8
DARK = 8        # a pixel is lit if its largest channel is above this
TOLERANCE = 12  # allowed difference per channel

def identify(initial):
    rows = initial.shape[0] // TILE
    cols = initial.shape[1] // TILE
    part = initial[:rows * TILE, :cols * TILE]
    cells = part.reshape(rows, TILE, cols, TILE, 3).transpose(0, 2, 1, 3, 4)
    cells = cells.reshape(rows * cols, TILE, TILE, 3).astype(np.int16)
    lit = (cells.max(axis=3) > DARK).sum(axis=(1, 2))
    flat = cells.reshape(rows * cols, TILE * TILE, 3)
    spread = (flat.max(axis=1) - flat.min(axis=1)).max(axis=1)
    # filled cells that are not of one colour: the closed, locked door
    score = np.where(lit >= 63, spread, 0)
    best = int(np.argmax(score))
    if score[best] < 8:
        return {"patch": None, "x": -1, "y": -1}
    return {"patch": cells[best].copy(),
            "x": (best % cols) * TILE,
            "y": (best // cols) * TILE}

def measure(found, current):
    x = found["x"]
    y = found["y"]
    cell = current[y:y + TILE, x:x + TILE].astype(np.int16)
    lit = cell.max(axis=2) > DARK
    same = np.abs(cell - found["patch"]).max(axis=2) <= TOLERANCE
    bottom = int(lit[TILE - 1, 1:TILE - 1].sum())   # 6 pixels
    right = int(lit[1:TILE - 1, TILE - 1].sum())    # 6 pixels
    return bottom, right, int(same.sum()), int(lit.sum())

def check(found, current):
    if found["patch"] is None:
        return False
    bottom, right, same, lit = measure(found, current)
    return bool(min(bottom, right) <= 1 and same < 32)

def explain(found, current):
    values = {"door_found_in_first_frame": found["patch"] is not None,
              "door_x": int(found["x"]), "door_y": int(found["y"])}
    if found["patch"] is not None:
        bottom, right, same, lit = measure(found, current)
        values["lit_in_last_row_of_6"] = bottom
        values["lit_in_last_column_of_6"] = right
        values["pixels_as_in_first_frame_of_64"] = same
        values["lit_pixels_of_64"] = lit
    return values
