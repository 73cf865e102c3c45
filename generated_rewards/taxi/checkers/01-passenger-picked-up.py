import numpy as np

DARK = np.array([56, 58, 70])
FLOOR = np.array([233, 231, 225])
WALL = np.array([205, 166, 94])   # wall of the building

def near(img, colour, tol):
    diff = np.abs(img.astype(np.int16) - np.asarray(colour, dtype=np.int16))
    return diff.max(axis=-1) <= tol

def inside(frame, x, y):
    # the part of a cell that a thick frame does not cover: 32 x 16 pixels
    return frame[y + 4:y + 20, x + 4:x + 36]

def corner_colour(part):
    # the colour that at least three of the four corners share, else None
    corners = [part[0, 0], part[0, -1], part[-1, 0], part[-1, -1]]
    corners = [c.astype(int) for c in corners]
    for c in corners[:2]:
        same = sum(1 for d in corners if np.abs(c - d).max() <= 12)
        if same >= 3:
            return c
    return None

def identify(initial):
    cells = []
    for row in range(5):
        for col in range(5):
            x, y = 26 + 44 * col, 66 + 28 * row
            part = inside(initial, x, y)
            colour = corner_colour(part)
            if colour is None:
                continue
            if (np.abs(colour - FLOOR).max() <= 25
                    or np.abs(colour - DARK).max() <= 20
                    or np.abs(colour - WALL).max() <= 12):
                continue
            dark = near(part, DARK, 20)
            foreign = ~near(part, colour, 12)
            middle_dark = int(dark[1:16, 9:22].sum())
            outside = int(foreign.sum()) - int(foreign[1:16, 9:22].sum())
            cells.append({"x": x, "y": y, "colour": colour,
                          "score": middle_dark - 2 * outside,
                          "foreign": int(foreign.sum()),
                          "landmarks": 0, "hidden": False})
    if not cells:
        return None
    best = max(cells, key=lambda c: c["score"])
    if best["score"] < 10:
        # no figure is visible: it is under the taxi
        best = max(cells, key=lambda c: c["foreign"])
        best["hidden"] = True
        if best["foreign"] <= 60:
            return None
    best["landmarks"] = len(cells)
    return best

def measure(found, current):
    part = inside(current, found["x"], found["y"])
    dark = int(near(part, DARK, 20).sum())
    plain = int(near(part, found["colour"], 12).sum())
    return dark, plain

def check(found, current):
    if found is None:
        return False
    dark, plain = measure(found, current)
    return bool(dark <= 8 and plain >= 442)

def explain(found, current):
    if found is None:
        return {"passenger_found": False}
    dark, plain = measure(found, current)
    return {"passenger_found": True, "hidden_under_taxi": found["hidden"],
            "cell_x": found["x"], "cell_y": found["y"],
            "score": found["score"], "foreign_at_start": found["foreign"],
            "landmarks": found["landmarks"],
            "dark_pixels": dark, "landmark_pixels": plain}
