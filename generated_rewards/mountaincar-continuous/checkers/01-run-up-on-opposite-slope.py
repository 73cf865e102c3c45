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
    valley_y = float(row.max())
    # pole: column with most non-white pixels above the track, away from the car
    car = car_center(initial)
    above = nonwhite & (np.arange(h)[:, None] < row[None, :] - 1.5)
    count = above.sum(axis=0)
    if car is not None:
        count = np.where(np.abs(cols - car[0]) <= 10, 0, count)
    pole = int(np.argmax(count))
    direction = 1.0 if pole >= valley else -1.0
    need = abs(pole - valley) / 5.0
    start = 0.0
    if car is not None:
        start = max(0.0, (valley - car[0]) * direction)
    return {"valley": valley, "valley_y": valley_y, "pole": pole,
            "direction": direction, "need": need,
            "start": min(start, 0.9 * need)}

def offset(found, current):
    car = car_center(current)
    if car is None:
        return None
    return (found["valley"] - car[0]) * found["direction"]

def check(found, current):
    off = offset(found, current)
    return bool(off is not None and off >= found["need"])

def progress(found, current):
    off = offset(found, current)
    if off is None:
        return 0.0
    span = max(found["need"] - found["start"], 1e-6)
    return float(min(0.99, max(0.0, (off - found["start"]) / span)))

def explain(found, current):
    car = car_center(current)
    off = offset(found, current)
    return {"valley_x": found["valley"], "pole_x": found["pole"],
            "needed_offset": found["need"],
            "car_x": -1.0 if car is None else car[0],
            "car_pixels": 0 if car is None else car[2],
            "offset_opposite_to_flag": -999.0 if off is None else off}
