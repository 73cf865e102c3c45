import numpy as np

S = 8          # size of a cell in pixels
TOL = 14       # colour tolerance (a grey door's frame is 66, the grid line 33)

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

def closed_door_colour(cell):
    """Colour of the frame if the cell is a closed, unlocked door, else None."""
    border = np.concatenate([cell[0], cell[7], cell[1:7, 0], cell[1:7, 7]], axis=0)
    colour = np.median(border, axis=0).astype(np.int16)
    same = int((np.abs(border - colour).max(axis=1) <= TOL).sum())
    black = int((cell[1:7, 1:7].max(axis=-1) <= 25).sum())
    if same >= 26 and black >= 28 and int(colour.max()) >= 50:
        return colour
    return None

def identify(initial):
    cells = split_cells(initial)
    h, w = cells.shape[:2]
    keys = np.argwhere(key_map(cells))
    doors = []
    key = None
    if len(keys):
        r, c = int(keys[0][0]), int(keys[0][1])
        key = (r, c)
        for dr, dc in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            rr, cc = r + dr, c + dc
            if 0 <= rr < h and 0 <= cc < w:
                colour = closed_door_colour(cells[rr, cc])
                if colour is not None:
                    doors.append((rr, cc, colour))
    return {"key": key, "doors": doors}

def bar_counts(door, current):
    """How many of the 6 inner rows show the door colour at the left and at the right edge."""
    r, c, colour = door
    y, x = r * S, c * S
    left = current[y + 1:y + 7, x, :3].astype(np.int16)
    right = current[y + 1:y + 7, x + 7, :3].astype(np.int16)
    n_left = int((np.abs(left - colour).max(axis=1) <= TOL).sum())
    n_right = int((np.abs(right - colour).max(axis=1) <= TOL).sum())
    return n_left, n_right

def check(found, current):
    for door in found["doors"]:
        n_left, n_right = bar_counts(door, current)
        if n_left <= 1 and n_right >= 5:
            return True
    return False

def explain(found, current):
    out = {"key_cell": str(found["key"]), "doors_beside_key": len(found["doors"])}
    for i, door in enumerate(found["doors"]):
        n_left, n_right = bar_counts(door, current)
        out["door%d_cell" % i] = str((door[0], door[1]))
        out["door%d_colour" % i] = str(door[2].tolist())
        out["door%d_left_pixels" % i] = n_left
        out["door%d_right_pixels" % i] = n_right
    return out
