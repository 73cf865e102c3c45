import numpy as np

CELL = 8
WALL = 100

def floor_cell():
    floor = np.zeros((CELL, CELL, 3), np.int16)
    floor[0, :] = 33
    floor[:, 0] = 33
    floor[0, 0] = 55
    return floor

def cell_at(frame, row, col):
    y, x = row * CELL, col * CELL
    return frame[y:y + CELL, x:x + CELL].astype(np.int16)

def identify(initial):
    """The closed door: a cell without black pixels that is not wall."""
    for row in range(initial.shape[0] // CELL):
        for col in range(initial.shape[1] // CELL):
            cell = cell_at(initial, row, col)
            if cell.max(axis=-1).min() < 20:
                continue
            wall_pixels = (np.abs(cell - WALL).max(axis=-1) <= 8).sum()
            if wall_pixels < 32:
                return {"door": (row, col)}
    return {"door": None}

def floor_edges(cell):
    """How many of the four edges of the cell (corners left out) show floor."""
    same = np.abs(cell - floor_cell()).max(axis=-1) <= 10
    edges = (same[0, 1:-1], same[-1, 1:-1], same[1:-1, 0], same[1:-1, -1])
    return sum(1 for edge in edges if edge.sum() >= 5)

def check(found, current):
    if found["door"] is None:
        return False
    row, col = found["door"]
    return bool(floor_edges(cell_at(current, row, col)) >= 2)

def explain(found, current):
    if found["door"] is None:
        return {"door_found_in_first_frame": False}
    row, col = found["door"]
    cell = cell_at(current, row, col)
    return {
        "door_found_in_first_frame": True,
        "door_row": row,
        "door_col": col,
        "floor_edges": floor_edges(cell),
        "black_pixels": int((cell.max(axis=-1) < 10).sum()),
    }
