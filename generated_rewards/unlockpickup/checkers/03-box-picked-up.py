import numpy as np

TILE = 8
DARK = 8        # a pixel is lit if its largest channel is above this
TOLERANCE = 12  # allowed difference per channel
NEIGHBOURS = ((0, -1), (0, 1), (-1, 0), (1, 0))   # dx, dy from the box

def split_cells(frame):
    rows = frame.shape[0] // TILE
    cols = frame.shape[1] // TILE
    part = frame[:rows * TILE, :cols * TILE]
    part = part.reshape(rows, TILE, cols, TILE, 3).transpose(0, 2, 1, 3, 4)
    return part.reshape(rows * cols, TILE, TILE, 3).astype(np.int16)

def box_shape():
    # the 7 x 7 pixels of a cell without its top row and left column
    shape = np.zeros((7, 7), dtype=bool)
    shape[0, 0:6] = True
    shape[5, 0:6] = True
    shape[0:6, 0] = True
    shape[0:6, 5] = True
    shape[2:4, 0:6] = True
    return shape

def identify(initial):
    rows = initial.shape[0] // TILE
    cols = initial.shape[1] // TILE
    cells = split_cells(initial)
    inner = (cells.max(axis=3) > DARK)[:, 1:, 1:]

    wrong = (inner != box_shape()[None]).sum(axis=(1, 2))
    box = int(np.argmin(wrong))
    box_ok = bool(wrong[box] <= 5)

    inside = inner[:, :, 2:5].sum(axis=(1, 2))
    outside = inner.sum(axis=(1, 2)) - inside
    score = inside.astype(np.int64) - 3 * outside.astype(np.int64)
    key = int(np.argmax(score))
    key_ok = bool(score[key] >= 6)

    return {"rows": rows, "cols": cols,
            "box": box if box_ok else -1,
            "box_patch": cells[box].copy() if box_ok else None,
            "key": key if key_ok else -1,
            "key_patch": cells[key].copy() if key_ok else None}

def best_match(cells, patch):
    diff = np.abs(cells - patch[None]).max(axis=3)
    return int((diff <= TOLERANCE).sum(axis=(1, 2)).max())

def agent_points_at_box(found, cells):
    rows = found["rows"]
    cols = found["cols"]
    bx = found["box"] % cols
    by = found["box"] // cols
    for dx, dy in NEIGHBOURS:
        x = bx + dx
        y = by + dy
        if x < 0 or y < 0 or x >= cols or y >= rows:
            continue
        value = cells[y * cols + x].max(axis=2)
        if int((value[TILE - 1, 1:7] > DARK).sum()) > 1:
            continue                      # a wall or a closed door
        body = value[1:7, 1:7]
        lit = body > DARK
        count = int(lit.sum())
        if count < 12 or count > 27:
            continue
        if not (lit[:, 0].any() and lit[:, 5].any()
                and lit[0].any() and lit[5].any()):
            continue                      # a key, or nothing
        weight = np.where(lit, body, 0).astype(np.float64)
        total = float(weight.sum())
        steps = np.arange(6) - 2.5
        off_x = float((weight.sum(axis=0) * steps).sum()) / total
        off_y = float((weight.sum(axis=1) * steps).sum()) / total
        # the way from the agent to the box is (-dx, -dy); the mass of the
        # triangle lies on the opposite side, that is towards (dx, dy)
        if off_x * dx + off_y * dy > 0.35:
            return True
    return False

def check(found, current):
    if found["box_patch"] is None:
        return False
    cells = split_cells(current)
    place = cells[found["box"]][1:, 1:].max(axis=2) > DARK
    if int(place.sum()) > 1:
        return False                      # the box's cell is not empty
    if best_match(cells, found["box_patch"]) >= 61:
        return False                      # the box is drawn somewhere
    if found["key_patch"] is not None:
        if best_match(cells, found["key_patch"]) < 61:
            return False                  # the agent still holds the key
    return bool(agent_points_at_box(found, cells))

def explain(found, current):
    values = {"box_cell": int(found["box"]), "key_cell": int(found["key"])}
    cells = split_cells(current)
    if found["box_patch"] is not None:
        place = cells[found["box"]][1:, 1:].max(axis=2) > DARK
        values["lit_pixels_in_box_cell"] = int(place.sum())
        values["box_best_match_of_64"] = best_match(cells, found["box_patch"])
        values["agent_points_at_box_cell"] = bool(
            agent_points_at_box(found, cells))
    if found["key_patch"] is not None:
        values["key_best_match_of_64"] = best_match(cells, found["key_patch"])
    return values
