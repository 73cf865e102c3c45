import numpy as np

def car_center(img):
    mask = (img[:, :, 0] < 140) & (img[:, :, 1] < 140) & (img[:, :, 2] < 140)
    ys, xs = np.nonzero(mask)
    if xs.size < 6:
        return None
    order = np.sort(xs)
    med = int(order[order.size // 2])
    near = np.abs(xs - med) <= 9
    return float(xs[near].mean()), float(ys[near].mean()), int(near.sum())

def identify(initial):
    h, w = initial.shape[:2]
    nonwhite = initial.min(axis=2) < 235
    # the track: lowest non-white pixel of each column
    has = nonwhite.any(axis=0)
    row = (h - 1 - np.argmax(nonwhite[::-1, :], axis=0)).astype(float)
    cols = np.arange(w)
    if has.any():
        row = np.interp(cols, cols[has], row[has])
    # valley bottom: middle of the columns where the track is lowest
    low = cols[row >= row.max() - 0.5]
    valley = float(low.mean())
    # pole: column with most non-white pixels above the track, away from the car
    car = car_center(initial)
    above = nonwhite & (np.arange(h)[:, None] < row[None, :] - 1.5)
    count = above.sum(axis=0)
    if car is not None:
        count = np.where(np.abs(cols - car[0]) <= 10, 0, count)
    pole = int(np.argmax(count))
    direction = 1.0 if pole >= valley else -1.0
    return {"valley": valley, "pole": pole, "direction": direction,
            "pole_pixels": int(count[pole])}

def check(found, current):
    car = car_center(current)
    if car is None:
        return False
    return bool((car[0] - found["pole"]) * found["direction"] >= -0.35)

def progress(found, current):
    car = car_center(current)
    if car is None:
        return 0.0
    span = max(abs(found["pole"] - found["valley"]), 1.0)
    part = (car[0] - found["valley"]) * found["direction"] / span
    return float(min(0.99, max(0.0, part)))

def explain(found, current):
    car = car_center(current)
    out = {"valley_x": found["valley"], "pole_x": found["pole"],
           "pole_pixels": found["pole_pixels"],
           "direction": found["direction"]}
    if car is None:
        out["car_found"] = False
        return out
    out["car_found"] = True
    out["car_x"] = car[0]
    out["car_y"] = car[1]
    out["car_pixels"] = car[2]
    out["beyond_pole"] = (car[0] - found["pole"]) * found["direction"]
    return out
