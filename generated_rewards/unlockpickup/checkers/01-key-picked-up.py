import numpy as np

TILE = 8
DARK = 8        # a pixel is lit if its largest channel is above this
TOLERANCE = 12  # allowed difference per channel

def split_cells(frame):
    rows = frame.shape[0] // TILE
    cols = frame.shape[1] // TILE
    part = frame[:rows * TILE, :cols * TILE]
    part = part.reshape(rows, TILE, cols, TILE, 3).transpose(0, 2, 1, 3, 4)
    return part.reshape(rows * cols, TILE, TILE, 3).astype(np.int16)

def identify(initial):
    cells = split_cells(initial)
    lit = cells.max(axis=3) > DARK
    inner = lit[:, 1:, 1:]                       # without the grid lines
    inside = inner[:, :, 2:5].sum(axis=(1, 2))   # columns 3 to 5 of the cell
    outside = inner.sum(axis=(1, 2)) - inside
    score = inside.astype(np.int64) - 3 * outside.astype(np.int64)
    best = int(np.argmax(score))
    if score[best] < 6:
        return {"patch": None, "cell": -1, "score": int(score[best])}
    return {"patch": cells[best].copy(), "cell": best, "score": int(score[best])}

def key_matches(found, current):
    # per cell: how many of the 64 pixels look as in the key's cell
    cells = split_cells(current)
    diff = np.abs(cells - found["patch"][None]).max(axis=3)
    return (diff <= TOLERANCE).sum(axis=(1, 2))

def check(found, current):
    if found["patch"] is None:
        return False
    return bool(key_matches(found, current).max() < 61)

def explain(found, current):
    values = {"key_found_in_first_frame": found["patch"] is not None,
              "key_cell": int(found["cell"]),
              "key_score": int(found["score"])}
    if found["patch"] is not None:
        same = key_matches(found, current)
        values["best_match_of_64"] = int(same.max())
        values["best_match_cell"] = int(np.argmax(same))
        values["match_at_first_cell"] = int(same[found["cell"]])
    return values
