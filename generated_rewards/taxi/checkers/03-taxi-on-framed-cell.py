import numpy as np

DARK = np.array([56, 58, 70])
FLOOR = np.array([233, 231, 225])
WALL = np.array([205, 166, 94])     # wall of the building
WINDOW = np.array([198, 224, 242])  # windscreen of the taxi
YELLOW = np.array([232, 196, 88])   # empty taxi

def near(img, colour, tol):
    diff = np.abs(img.astype(np.int16) - np.asarray(colour, dtype=np.int16))
    return diff.max(axis=-1) <= tol

def greenish(img):
    a = img.astype(np.int16)
    return (a[..., 1] - a[..., 0] >= 12) & (a[..., 1] - a[..., 2] >= 20)

def inside(frame, x, y):
    # the part of a cell that a thick frame does not cover: 32 x 16 pixels
    return frame[y + 4:y + 20, x + 4:x + 36]

def corner_pixels(part):
    return np.array([part[0, 0], part[0, -1], part[-1, 0], part[-1, -1]]).astype(int)

def corner_colour(part):
    # the colour that at least three of the four corners share, else None
    corners = corner_pixels(part)
    for c in corners[:2]:
        if int(near(corners, c, 12).sum()) >= 3:
            return c
    return None

def side_ring(frame, x, y):
    # left and right side of a thick frame: 2 x 4 x 24 = 192 pixels
    return int(near(frame[y:y + 24, x:x + 4], DARK, 20).sum()
               + near(frame[y:y + 24, x + 36:x + 40], DARK, 20).sum())

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
            cells.append({"x": x, "y": y, "colour": colour,
                          "ring": side_ring(initial, x, y)})
    if not cells:
        return None
    goal = max(cells, key=lambda c: c["ring"])
    if goal["ring"] < 100:
        return None
    return {"goal": goal,
            "others": [c for c in cells if c is not goal],
            "sample": initial[::4, ::4].astype(np.int16),
            "goal_green": bool(greenish(goal["colour"])),
            "goal_yellow": bool(np.abs(goal["colour"] - YELLOW).max() <= 20)}

def state(found, current):
    cell = found["goal"]
    x, y = cell["x"], cell["y"]
    part = inside(current, x, y)
    dark = int(near(part, DARK, 20).sum())
    plain = int(near(part, cell["colour"], 12).sum())
    windows = int(near(part, WINDOW, 12).sum())
    yellow = int(near(part, YELLOW, 15).sum())
    green = int(greenish(part).sum())
    corners = int(near(corner_pixels(part), cell["colour"], 12).sum())
    ring = side_ring(current, x, y)
    figure, least_plain = 0, 512
    for c in found["others"]:
        p = inside(current, c["x"], c["y"])
        figure = max(figure, int(near(p, DARK, 20).sum()))
        least_plain = min(least_plain, int(near(p, c["colour"], 12).sum()))
    scene = float(near(current[::4, ::4], found["sample"], 12).mean())
    # the scene is drawn, and drawn as at the start
    drawn = scene >= 0.93 and ring >= 150 and corners >= 3 and least_plain >= 430
    # the taxi itself is seen in the cell
    changed = windows >= 6 or plain < 395 or (dark > 8 and plain < 440)
    taxi_there = changed and 6 <= dark <= 180 and plain >= 80 and yellow >= 25
    # it is yellow (empty), not green (loaded)
    empty = found["goal_green"] or green < 15
    return {"goal_dark": dark, "goal_plain": plain, "goal_windows": windows,
            "goal_yellow_pixels": yellow, "goal_green_pixels": green,
            "corners": corners, "ring": ring, "scene": scene,
            "dark_on_other_landmark": figure, "least_plain": least_plain,
            "scene_drawn": bool(drawn), "taxi_there": bool(taxi_there),
            "taxi_empty": bool(empty)}

def check(found, current):
    if found is None:
        return False
    s = state(found, current)
    return bool(s["scene_drawn"] and s["taxi_there"] and s["taxi_empty"]
                and s["dark_on_other_landmark"] <= 8)

def explain(found, current):
    if found is None:
        return {"found": False}
    s = state(found, current)
    s.update({"goal_x": found["goal"]["x"], "goal_y": found["goal"]["y"],
              "goal_is_green": found["goal_green"],
              "goal_is_yellow": found["goal_yellow"],
              "other_landmarks": len(found["others"])})
    return s
