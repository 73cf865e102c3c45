import numpy as np

DARK = np.array([56, 58, 70])
FLOOR = np.array([233, 231, 225])
HOUSE = np.array([205, 166, 94])

def near(img, colour, tol):
    diff = np.abs(img.astype(np.int16) - np.asarray(colour, dtype=np.int16))
    return diff.max(axis=-1) <= tol

def inside(frame, x, y):
    return frame[y + 4:y + 20, x + 4:x + 36]

def main_colour(part):
    colours, counts = np.unique(part.reshape(-1, 3), axis=0, return_counts=True)
    return colours[counts.argmax()].astype(int)

def identify(initial):
    cells = []
    for row in range(5):
        for col in range(5):
            x, y = 26 + 44 * col, 66 + 28 * row
            part = inside(initial, x, y)
            colour = main_colour(part)
            if (np.abs(colour - FLOOR).max() <= 25 or np.abs(colour - DARK).max() <= 20
                    or np.abs(colour - HOUSE).max() <= 8):
                continue
            dark = near(part, DARK, 20)
            # middle of the cell, where the passenger stands
            middle = int(dark[1:16, 9:22].sum())
            sides = int(dark.sum()) - middle
            cells.append({"x": x, "y": y, "colour": colour,
                          "score": middle - 2 * sides,
                          "plain_at_start": int(near(part, colour, 12).sum())})
    if not cells:
        return None
    best = max(cells, key=lambda c: c["score"])
    hidden = best["score"] < 15
    if hidden:
        # no passenger visible: it is under the taxi, on the most covered landmark
        best = min(cells, key=lambda c: c["plain_at_start"])
    best["hidden_at_start"] = hidden
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
    return {"passenger_found": True, "cell_x": found["x"], "cell_y": found["y"],
            "score": found["score"], "hidden_at_start": bool(found["hidden_at_start"]),
            "plain_at_start": found["plain_at_start"],
            "dark_pixels": dark, "landmark_pixels": plain}
