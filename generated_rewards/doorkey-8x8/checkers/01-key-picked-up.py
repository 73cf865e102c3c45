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
    differs = np.abs(cells - floor).max(axis=4) > TOL
    counts = differs.sum(axis=(2, 3))
    candidates = []
    for r in range(cells.shape[0]):
        for c in range(cells.shape[1]):
            n = int(counts[r, c])
            if n < 5 or n > 40:
                continue
            ys, xs = np.nonzero(differs[r, c])
            w = int(xs.max() - xs.min() + 1)
            h = int(ys.max() - ys.min() + 1)
            candidates.append((min(w, h), -n, r, c))
    candidates.sort()
    found = {"key_cell": None, "tile": None, "size": 0,
             "candidates": len(candidates)}
    if candidates and (candidates[0][0] <= 4 or len(candidates) >= 2):
        r, c = candidates[0][2], candidates[0][3]
        found["key_cell"] = (r, c)
        found["tile"] = cells[r, c].copy()
        found["size"] = int(counts[r, c])
    return found

def best_match(found, current):
    cells = split_cells(current)
    wrong = (np.abs(cells - found["tile"]).max(axis=4) > TOL).sum(axis=(2, 3))
    place = int(np.argmin(wrong))
    return int(wrong.flat[place]), place // wrong.shape[1], place % wrong.shape[1]

def allowed(found):
    return max(2, found["size"] // 4)

def check(found, current):
    if found["tile"] is None:
        return False
    return bool(best_match(found, current)[0] > allowed(found))

def explain(found, current):
    if found["tile"] is None:
        return {"key_found": False, "candidates": found["candidates"]}
    wrong, r, c = best_match(found, current)
    return {"key_found": True,
            "candidates": found["candidates"],
            "key_row": found["key_cell"][0],
            "key_column": found["key_cell"][1],
            "key_pixels": found["size"],
            "best_match_wrong_pixels": wrong,
            "best_match_row": r,
            "best_match_column": c,
            "allowed_wrong_pixels": allowed(found)}
