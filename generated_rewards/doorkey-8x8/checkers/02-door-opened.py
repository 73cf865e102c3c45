import numpy as np

CELL = 8
TOL = 12

def split_cells(frame):
    a = frame.astype(np.int16)
    rows = a.shape[0] // CELL
    cols = a.shape[1] // CELL
    a = a[:rows * CELL, :cols * CELL]
    return a.reshape(rows, CELL, cols, CELL, 3).transpose(0, 2, 1, 3, 4)

def floor_tile(cells):
    tile = np.zeros((CELL, CELL, 3), np.int16)
    tile[0, :] = 33
    tile[:, 0] = 33
    tile[0, 0] = 55
    black = (cells.max(axis=4) < 8).mean(axis=(2, 3))
    bare = cells[black >= 0.7]
    if len(bare) >= 3:
        tile = np.round(np.median(bare, axis=0)).astype(np.int16)
    return tile

def identify(initial):
    cells = split_cells(initial)
    floor = floor_tile(cells)
    ring = np.ones((CELL, CELL), bool)
    ring[1:-1, 1:-1] = False

    spread = (cells.max(axis=(2, 3)) - cells.min(axis=(2, 3))).max(axis=2)
    darkest = cells.max(axis=4).min(axis=(2, 3))
    differs = (np.abs(cells - floor).max(axis=4) > TOL).sum(axis=(2, 3))
    uneven = spread > 6
    door = uneven & (darkest >= 30) & (differs >= 50)
    if not door.any():
        door = uneven & (differs >= 41)
    door_cell = None
    if door.any():
        score = np.where(door, differs, -1)
        place = int(np.argmax(score))
        door_cell = (place // door.shape[1], place % door.shape[1])
    return {"door_cell": door_cell, "floor": floor, "ring": ring,
            "candidates": int(door.sum())}

def ring_pixels(found, current):
    r, c = found["door_cell"]
    cell = current[r * CELL:(r + 1) * CELL, c * CELL:(c + 1) * CELL].astype(np.int16)
    differs = np.abs(cell - found["floor"]).max(axis=2) > TOL
    return int((differs & found["ring"]).sum()), int(differs.sum())

def check(found, current):
    if found["door_cell"] is None:
        return False
    return bool(ring_pixels(found, current)[0] <= 12)

def explain(found, current):
    if found["door_cell"] is None:
        return {"door_found": False}
    ring, total = ring_pixels(found, current)
    return {"door_found": True,
            "door_candidates": found["candidates"],
            "door_row": found["door_cell"][0],
            "door_column": found["door_cell"][1],
            "ring_pixels_not_floor": ring,
            "cell_pixels_not_floor": total}
