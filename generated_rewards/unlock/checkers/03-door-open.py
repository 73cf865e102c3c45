import numpy as np

CELL = 8
TOL = 20

def split(frame):
    a = np.asarray(frame).astype(np.int32)
    rows = a.shape[0] // CELL
    cols = a.shape[1] // CELL
    a = a[:rows * CELL, :cols * CELL]
    return a.reshape(rows, CELL, cols, CELL, 3).swapaxes(1, 2)

def identify(initial):
    cells = split(initial)
    spread = (cells.max(axis=(2, 3)) - cells.min(axis=(2, 3))).max(axis=-1)
    open_cells = spread > 10
    found = {"door": None, "floor": None, "filled": 0}
    if not open_cells.any():
        return found
    floor = np.median(cells[open_cells], axis=0).astype(np.int32)
    dev = np.abs(cells - floor).max(axis=-1) > TOL
    dev[~open_cells] = False
    count = dev.sum(axis=(2, 3))
    best = np.unravel_index(int(np.argmax(count)), count.shape)
    found["door"] = (int(best[0]), int(best[1]))
    found["floor"] = floor
    found["filled"] = int(count[best])
    return found

def measure(found, current):
    r, c = found["door"]
    cell = np.asarray(current)[r * CELL:(r + 1) * CELL,
                               c * CELL:(c + 1) * CELL].astype(np.int32)
    dev = np.abs(cell - found["floor"]).max(axis=-1) > TOL
    edges = [int(dev[0, 1:7].sum()), int(dev[7, 1:7].sum()),
             int(dev[1:7, 0].sum()), int(dev[1:7, 7].sum())]
    inner = int(dev[1:7, 1:7].sum())
    return edges, inner

def check(found, current):
    if found["door"] is None:
        return False
    edges, inner = measure(found, current)
    coloured = sum(1 for e in edges if e >= 5)
    clear = sum(1 for e in edges if e <= 1)
    return bool(coloured == 1 and clear == 3 and inner <= 28)

def explain(found, current):
    info = {"door": str(found["door"]), "door_pixels_first": found["filled"]}
    if found["door"] is not None:
        edges, inner = measure(found, current)
        info["edge_top"] = edges[0]
        info["edge_bottom"] = edges[1]
        info["edge_left"] = edges[2]
        info["edge_right"] = edges[3]
        info["inner"] = inner
    return info
