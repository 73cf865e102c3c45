import numpy as np

COLS, ROWS, CW, CH = 5, 5, 44, 28      # cells are 44 x 28, the coloured window in a cell 40 x 24 (2 px inset)
DARK = (56, 58, 70)
BUILDING_WALL = (205, 166, 94)
FIGURE_MIN = 20                        # pixels of a passenger figure (about 80; letter alone: 0)
TAXI_MIN = 8                           # pixels of a taxi beside the middle of a cell (figure or letter: 0)

def near(img, colour, tol):
    d = np.abs(img.astype(np.int16) - np.array(colour, np.int16))
    return d.max(axis=-1) <= tol

def grid_origin(img):
    dark = near(img, DARK, 20)
    cols = np.flatnonzero(dark.sum(axis=0) >= 110)
    rows = np.flatnonzero(dark.sum(axis=1) >= 150)
    if cols.size and rows.size:
        x0, y0 = int(cols[0]) + 6, int(rows[0]) + 6
        w, h = int(cols[-1]) - 5 - x0, int(rows[-1]) - 5 - y0
        close = abs(x0 - 24) <= 3 and abs(y0 - 64) <= 3
        if abs(w - COLS * CW) <= 3 and abs(h - ROWS * CH) <= 3 and not close:
            return x0, y0
    return 24, 64

def window(x0, y0, k):
    return x0 + CW * (k % COLS) + 2, y0 + CH * (k // COLS) + 2

def median_colour(img, hidden, wx, wy, spans, ya, yb):
    parts = []
    for a, b in spans:
        sub = img[wy + ya:wy + yb, wx + a:wx + b].reshape(-1, 3)
        keep = ~hidden[wy + ya:wy + yb, wx + a:wx + b].reshape(-1)
        parts.append(sub[keep])
    px = np.concatenate(parts)
    if len(px) < 8:
        return None
    return np.median(px, axis=0)

def find_landmarks(img, hidden, x0, y0):
    # the outer side strips of a cell show the floor, the landmark colour or the thick frame
    meds = {}
    for k in range(COLS * ROWS):
        wx, wy = window(x0, y0, k)
        m = median_colour(img, hidden, wx, wy, ((1, 3), (37, 39)), 1, 23)
        if m is not None:
            meds[k] = m
    light = np.median(np.array(list(meds.values())), axis=0)
    fills, framed = {}, -1
    for k, m in meds.items():
        if np.abs(m - light).max() <= 25:
            continue
        if m.max() < 110:
            wx, wy = window(x0, y0, k)
            inner = median_colour(img, hidden, wx, wy, ((5, 8), (32, 35)), 5, 19)
            if inner is None or inner.max() < 110:
                continue
            framed = k
            m = inner
        fills[k] = m
    return light, fills, framed

def hide_building(img, x0, y0, k):
    hidden = np.zeros(img.shape[:2], bool)
    if k >= 0:
        bottom = y0 + CH * (k // COLS)
        left = x0 + CW * (k % COLS)
        hidden[max(0, bottom - 48):bottom, left:left + CW] = True
    return hidden

def find_building(img, x0, y0):
    # index of the cell directly under the building
    wall = near(img, BUILDING_WALL, 10)
    if int(wall.sum()) >= 150:
        ys, xs = np.nonzero(wall)
        rows = np.flatnonzero(wall.sum(axis=1) >= 8)
        bottom = int(rows[-1]) + 1 if rows.size else int(ys.max()) + 1
        c = int((float(np.median(xs)) - x0) // CW)
        r = int(round((bottom - y0) / CH))
        if 0 <= c < COLS and 0 <= r < ROWS:
            return r * COLS + c
    # other colours: the landmark with the most coloured pixels right above it
    hidden = np.zeros(img.shape[:2], bool)
    light, fills, framed = find_landmarks(img, hidden, x0, y0)
    best, where = 0, -1
    spread = img.max(axis=2).astype(np.int16) - img.min(axis=2).astype(np.int16)
    for k in fills:
        top = y0 + CH * (k // COLS)
        left = x0 + CW * (k % COLS)
        n = int((spread[max(0, top - 36):top - 4, left + 4:left + 40] > 30).sum())
        if n > best:
            best, where = n, k
    return where

def figure_pixels(found, img, k):
    # pixels in the middle of landmark k that are clearly darker than its colour (the letter is lighter)
    wx, wy = window(found["x0"], found["y0"], k)
    patch = img[wy + 5:wy + 20, wx + 13:wx + 27].astype(np.int16)
    fill = np.array(found["fills"][k], np.int16)
    return int(((fill - patch).max(axis=2) > 40).sum())

def taxi_counts(found, img):
    # pixels left and right of the middle of each cell that do not show the cell's own colour
    px = img[found["ys"], found["xs"]].astype(np.int16)
    off = np.abs(px - found["base"]).max(axis=1) > 40
    return np.bincount(found["label"][off], minlength=COLS * ROWS)

def taxi_cell(found, img):
    n = taxi_counts(found, img)
    k = int(np.argmax(n))
    return k if n[k] >= TAXI_MIN else -1

def identify(initial):
    x0, y0 = grid_origin(initial)
    building = find_building(initial, x0, y0)
    hidden = hide_building(initial, x0, y0, building)
    light, fills, framed = find_landmarks(initial, hidden, x0, y0)
    if building >= 0 and building not in fills:
        for other in (building + COLS, building - COLS):
            if other in fills:
                building = other
                break
    ys, xs, base, label = [], [], [], []
    for k in range(COLS * ROWS):
        wx, wy = window(x0, y0, k)
        colour = fills.get(k, light)
        for a, b in ((5, 13), (27, 35)):
            gy, gx = np.mgrid[wy + 5:wy + 19, wx + a:wx + b]
            keep = ~hidden[gy, gx]
            gy, gx = gy[keep], gx[keep]
            ys.append(gy)
            xs.append(gx)
            base.append(np.tile(np.round(colour).astype(np.int16), (gy.size, 1)))
            label.append(np.full(gy.size, k))
    found = {
        "x0": x0, "y0": y0, "building": building, "framed": framed,
        "fills": {k: tuple(int(round(float(v))) for v in m) for k, m in fills.items()},
        "ys": np.concatenate(ys), "xs": np.concatenate(xs),
        "base": np.concatenate(base), "label": np.concatenate(label),
    }
    start = taxi_cell(found, initial)
    best, passenger = 0, -1
    for k in fills:
        if k != start:
            n = figure_pixels(found, initial, k)
            if n > best:
                best, passenger = n, k
    if best < FIGURE_MIN:
        # no figure to be seen: the taxi stands on it
        passenger = start if start in fills else -1
    found["taxi_start"] = start
    found["passenger"] = passenger
    return found

TAXI_YELLOW = (232, 196, 88)           # the taxi without a passenger; with the passenger on board it is green
BODY_MIN = 40                          # pixels of the body colour (a taxi has well over 100)

def green_mask(px):
    p = px.astype(np.int16)
    r, g, b = p[..., 0], p[..., 1], p[..., 2]
    return (g - r >= 15) & (g - b >= 30)

def taxi_colour(found, img, k):
    # "yellow" (empty), "green" (passenger on board) or "none", for a taxi on cell k;
    # a colour that the cell itself has does not count
    wx, wy = window(found["x0"], found["y0"], k)
    patch = img[wy:wy + 26, wx + 4:wx + 36]
    yellow = int(near(patch, TAXI_YELLOW, 20).sum())
    green = int(green_mask(patch).sum())
    fill = np.array(found["fills"].get(k, (233, 231, 225)), np.int16)
    if bool(near(fill, TAXI_YELLOW, 40)):
        name = "green" if green >= BODY_MIN else "yellow"
    elif bool(green_mask(fill)):
        name = "yellow" if yellow >= BODY_MIN else "green"
    elif max(yellow, green) < BODY_MIN:
        name = "none"
    else:
        name = "yellow" if yellow > green else "green"
    return name, yellow, green

def state(found, current):
    target = found["framed"]
    p = found["passenger"]
    taxi = taxi_cell(found, current)
    # landmarks, other than the one under the taxi, on which a figure is to be seen
    figures = [k for k in sorted(found["fills"])
               if k != taxi and figure_pixels(found, current, k) >= FIGURE_MIN]
    on_target = target >= 0 and taxi == target
    # the first cell of the figure must be visible, not under the taxi
    gone = p >= 0 and p != target and taxi != p and p not in figures
    return on_target, gone, taxi, figures

def check(found, current):
    on_target, gone, taxi, figures = state(found, current)
    if not on_target or not gone or figures:
        return False
    colour, yellow, green = taxi_colour(found, current, taxi)
    return bool(colour == "yellow")

def explain(found, current):
    on_target, gone, taxi, figures = state(found, current)
    colour, yellow, green = taxi_colour(found, current, taxi) if taxi >= 0 else ("none", 0, 0)
    return {
        "taxi_cell": taxi,
        "taxi_colour": colour,
        "yellow_pixels_there": yellow,
        "green_pixels_there": green,
        "taxi_pixels": int(taxi_counts(found, current).max()),
        "taxi_start_cell": found["taxi_start"],
        "building_cell": found["building"],
        "framed_cell": found["framed"],
        "passenger_start_cell": found["passenger"],
        "landmark_cells": str(sorted(found["fills"])),
        "cells_with_figure": str(figures),
        "taxi_on_target": bool(on_target),
        "passenger_gone_from_first_cell": bool(gone),
    }
