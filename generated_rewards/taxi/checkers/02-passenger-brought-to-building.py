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
            colour = corner_colour(inside(initial, x, y))
            if colour is None:
                continue
            if (np.abs(colour - FLOOR).max() <= 25
                    or np.abs(colour - DARK).max() <= 20
                    or np.abs(colour - WALL).max() <= 12):
                continue
            # left and right side of a thick frame: 2 x 4 x 24 = 192 pixels
            ring = int(near(initial[y:y + 24, x:x + 4], DARK, 20).sum()
                       + near(initial[y:y + 24, x + 36:x + 40], DARK, 20).sum())
            cells.append({"x": x, "y": y, "colour": colour, "ring": ring})
    if not cells:
        return None
    framed = max(cells, key=lambda c: c["ring"])
    if framed["ring"] < 100:
        return None
    others = [c for c in cells if c is not framed]
    return {"framed": framed, "others": others}

def measure(found, current):
    cell = found["framed"]
    part = inside(current, cell["x"], cell["y"])
    dark = int(near(part, DARK, 20).sum())
    plain = int(near(part, cell["colour"], 12).sum())
    figure = 0
    for c in found["others"]:
        p = inside(current, c["x"], c["y"])[1:16, 9:22]
        figure = max(figure, int(near(p, DARK, 20).sum()))
    return dark, plain, figure

def check(found, current):
    if found is None:
        return False
    dark, plain, figure = measure(found, current)
    taxi_there = plain < 400 or (dark > 8 and plain < 440)
    return bool(taxi_there and figure < 15)

def explain(found, current):
    if found is None:
        return {"found": False}
    dark, plain, figure = measure(found, current)
    return {"found": True, "framed_x": found["framed"]["x"],
            "framed_y": found["framed"]["y"], "ring": found["framed"]["ring"],
            "other_landmarks": len(found["others"]), "framed_dark": dark,
            "framed_plain": plain, "figure_on_other_landmark": figure}
