import numpy as np

CELL = 8
TOL = 20

def split(frame):
    a = np.asarray(frame).astype(np.int32)
    rows = a.shape[0] // CELL
    cols = a.shape[1] // CELL
    a = a[:rows * CELL, :cols * CELL]
    return a.reshape(rows, CELL, cols, CELL, 3).swapaxes(1, 2)

def cosine(a, b):
    a = np.asarray(a, dtype=float)
    b = np.asarray(b, dtype=float)
    return float(np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))

def brightest(cell, mask):
    pixels = cell[mask]
    return pixels[int(np.argmax(pixels.max(axis=1)))]

def identify(initial):
    cells = split(initial)
    spread = (cells.max(axis=(2, 3)) - cells.min(axis=(2, 3))).max(axis=-1)
    open_cells = spread > 10
    found = {"door": None, "key": None, "agent": None, "key_pic": None,
             "agent_pics": None, "beside": []}
    if not open_cells.any():
        return found
    floor = np.median(cells[open_cells], axis=0).astype(np.int32)
    dev = np.abs(cells - floor).max(axis=-1) > TOL
    dev[~open_cells] = False
    count = dev.sum(axis=(2, 3))
    best = np.unravel_index(int(np.argmax(count)), count.shape)
    door = (int(best[0]), int(best[1]))
    if count[door] == 0:
        return found
    found["door"] = door
    door_colour = brightest(cells[door], dev[door])

    beside = []
    for dr, dc in ((0, -1), (0, 1), (-1, 0), (1, 0)):
        r = door[0] + dr
        c = door[1] + dc
        if 0 <= r < cells.shape[0] and 0 <= c < cells.shape[1] and open_cells[r, c]:
            beside.append((r, c))
    found["beside"] = beside

    objects = []
    for r, c in np.argwhere(count >= 5):
        pos = (int(r), int(c))
        if pos == door:
            continue
        mask = dev[pos]
        narrow = min(int(mask.any(axis=1).sum()), int(mask.any(axis=0).sum()))
        like_door = cosine(brightest(cells[pos], mask), door_colour) > 0.97
        objects.append((pos, narrow, like_door))
    candidates = [o for o in objects if o[2]]
    if not candidates:
        candidates = objects
    if candidates:
        key = min(candidates, key=lambda o: o[1])
        found["key"] = key[0]
        found["key_pic"] = cells[key[0]].copy()
        others = [o for o in objects if o[0] != key[0]]
        if others:
            agent = max(others, key=lambda o: o[1])
            found["agent"] = agent[0]
            inner = cells[agent[0]][1:7, 1:7]
            found["agent_pics"] = np.stack([np.rot90(inner, k) for k in range(4)])
    return found

def least_key_mismatch(found, cells):
    # pixels that differ from the picture of the key, in the most key-like cell
    bad = (np.abs(cells - found["key_pic"]).max(axis=-1) > TOL).sum(axis=(2, 3))
    return int(bad.min())

def agent_mismatch(found, cells, pos):
    # pixels (of 36) that differ from the agent, in its best direction
    inner = cells[pos][1:7, 1:7]
    bad = (np.abs(found["agent_pics"] - inner).max(axis=-1) > 40).sum(axis=(1, 2))
    return int(bad.min())

def agent_position(found, cells):
    inner = cells[:, :, 1:7, 1:7]
    bad = np.stack([(np.abs(inner - pic).max(axis=-1) > 40).sum(axis=(2, 3))
                    for pic in found["agent_pics"]]).min(axis=0)
    best = np.unravel_index(int(np.argmin(bad)), bad.shape)
    if bad[best] > 6:
        return None
    return (int(best[0]), int(best[1]))

def check(found, current):
    if found["key_pic"] is None or found["agent_pics"] is None:
        return False
    cells = split(current)
    if least_key_mismatch(found, cells) <= 3:
        return False
    return bool(any(agent_mismatch(found, cells, pos) <= 6
                    for pos in found["beside"]))

def progress(found, current):
    if found["key_pic"] is None or found["agent_pics"] is None or not found["beside"]:
        return 0.0
    cells = split(current)
    if least_key_mismatch(found, cells) <= 3:
        return 0.0
    pos = agent_position(found, cells)
    if pos is None:
        return 0.0
    d = min(abs(pos[0] - b[0]) + abs(pos[1] - b[1]) for b in found["beside"])
    far = cells.shape[0] + cells.shape[1]
    return float(min(0.95, max(0.0, 1.0 - d / far)))

def explain(found, current):
    info = {"door": str(found["door"]), "key_first": str(found["key"]),
            "agent_first": str(found["agent"]), "beside_door": str(found["beside"])}
    if found["key_pic"] is not None and found["agent_pics"] is not None:
        cells = split(current)
        info["least_key_mismatch"] = least_key_mismatch(found, cells)
        info["key_visible"] = bool(info["least_key_mismatch"] <= 3)
        info["agent_now"] = str(agent_position(found, cells))
        info["agent_mismatch_beside_door"] = str(
            [agent_mismatch(found, cells, pos) for pos in found["beside"]])
    return info
