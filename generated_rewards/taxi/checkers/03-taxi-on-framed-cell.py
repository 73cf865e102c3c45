import numpy as np

DARK = np.array([56, 58, 70])
FLOOR = np.array([233, 231, 225])
WALL = np.array([205, 166, 94])
WINDOW = np.array([198, 224, 242])
EMPTY_TAXI = np.array([232, 196, 88])

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
    ring = np.ones((24, 40), dtype=bool)
    ring[4:20, 4:36] = False
    for row in range(5):
        for col in range(5):
            x, y = 26 + 44 * col, 66 + 28 * row
            part = inside(initial, x, y)
            colour = main_colour(part)
            if (np.abs(colour - FLOOR).max() <= 25 or np.abs(colour - DARK).max() <= 20
                    or np.abs(colour - WALL).max() <= 8):
                continue
            dark = near(part, DARK, 20)
            middle = int(dark[1:16, 9:22].sum())
            sides = int(dark.sum()) - middle
            border = near(initial[y:y + 24, x:x + 40], DARK, 20)
            cells.append({"x": x, "y": y, "colour": colour, "score": middle - 2 * sides,
                          "plain": int(near(part, colour, 12).sum()),
                          "frame": float(border[ring].mean())})
    if not cells:
        return None
    start = max(cells, key=lambda c: c["score"])
    if start["score"] < 15:  # no passenger visible: it is under the taxi
        start = min(cells, key=lambda c: c["plain"])
    goal = max(cells, key=lambda c: c["frame"])
    if goal["frame"] < 0.5:
        return None
    others = [c for c in cells if c is not start and c is not goal]
    return {"start": start, "goal": goal, "others": others}

def measure(cell, current):
    part = inside(current, cell["x"], cell["y"])
    return int(near(part, DARK, 20).sum()), int(near(part, cell["colour"], 12).sum())

def state(found, current):
    dark, plain = measure(found["start"], current)
    x, y = found["goal"]["x"], found["goal"]["y"]
    windows = int(near(current[y:y + 24, x:x + 40], WINDOW, 12).sum())
    body = current[y + 6:y + 16, x + 14:x + 26].astype(np.int16)
    yellow = int(near(body, EMPTY_TAXI, 14).sum())
    r, g, b = body[..., 0], body[..., 1], body[..., 2]
    green = int(((g > r + 12) & (g > b + 25)).sum())
    elsewhere = max([measure(c, current)[0] for c in found["others"]] + [0]) > 8
    return {"start_dark": dark, "start_plain": plain,
            "gone": bool(dark <= 8 and plain >= 442),
            "goal_windows": windows, "taxi_there": bool(windows >= 6),
            "body_yellow": yellow, "body_green": green,
            "taxi_empty": bool(yellow >= 20 and yellow > green),
            "passenger_elsewhere": bool(elsewhere)}

def check(found, current):
    if found is None:
        return False
    s = state(found, current)
    return bool(s["gone"] and s["taxi_there"] and s["taxi_empty"]
                and not s["passenger_elsewhere"])

def explain(found, current):
    if found is None:
        return {"found": False}
    s = state(found, current)
    s.update({"start_x": found["start"]["x"], "start_y": found["start"]["y"],
              "goal_x": found["goal"]["x"], "goal_y": found["goal"]["y"],
              "goal_frame": found["goal"]["frame"]})
    return s
