import numpy as np

S = 8          # size of a cell in pixels

def split_cells(frame):
    f = np.asarray(frame)[:, :, :3].astype(np.int16)
    h, w = f.shape[0] // S, f.shape[1] // S
    return f[:h * S, :w * S].reshape(h, S, w, S, 3).transpose(0, 2, 1, 3, 4)

def key_map(cells):
    """True for each cell in which a key lies."""
    m = cells.max(axis=-1)
    left = (m[:, :, 1:, 1:3] <= 25).all(axis=(2, 3))
    right = (m[:, :, 1:, 6:8] <= 25).all(axis=(2, 3))
    shaft = (m[:, :, 3:7, 4] >= 60).all(axis=2)
    return left & right & shaft

def locked_map(cells):
    """True for each cell that is a filled, locked door."""
    filled = (cells.max(axis=-1) >= 38).all(axis=(2, 3))
    wall_pixels = (np.abs(cells - 100).max(axis=-1) <= 6).sum(axis=(2, 3))
    return filled & (wall_pixels < 32)

def identify(initial):
    doors = np.argwhere(locked_map(split_cells(initial)))
    return {"doors": [(int(d[0]), int(d[1])) for d in doors]}

def black_inside(door, current):
    """Black pixels among the 36 in the inside of the door's cell."""
    y, x = door[0] * S, door[1] * S
    inside = np.asarray(current)[y + 1:y + 7, x + 1:x + 7, :3]
    return int((inside.max(axis=-1) <= 25).sum())

def unlocked(found, current):
    for door in found["doors"]:
        if black_inside(door, current) >= 8:
            return True
    return False

def check(found, current):
    if not unlocked(found, current):
        return False
    return bool(key_map(split_cells(current)).any())

def explain(found, current):
    out = {"locked_doors_in_first_frame": len(found["doors"]),
           "unlocked_now": unlocked(found, current),
           "cells_with_key_now": str(np.argwhere(key_map(split_cells(current))).tolist())}
    for i, door in enumerate(found["doors"]):
        out["door%d_cell" % i] = str(door)
        out["door%d_black_inside" % i] = black_inside(door, current)
    return out
