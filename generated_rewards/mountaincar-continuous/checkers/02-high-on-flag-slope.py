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
    foot_y = float(np.median(row[max(0, pole - 2):pole + 3]))
    need = max(2.0, (valley_y - foot_y) * 2.0 / 3.0)
    start = 0.0
    if car is not None and (car[0] - valley) * direction > 0:
        start = valley_y - float(np.interp(car[0], cols, row))
    return {"cols": cols.astype(float), "row": row,
            "valley": valley, "valley_y": valley_y,
            "pole": pole, "foot_y": foot_y, "direction": direction,
            "need": need, "start": min(max(0.0, start), 0.9 * need)}

def measure(found, current):
    car = car_center(current)
    if car is None:
        return None
    side = (car[0] - found["valley"]) * found["direction"]
    height = found["valley_y"] - float(np.interp(car[0], found["cols"],
                                                 found["row"]))
    return side, height, car

def check(found, current):
    m = measure(found, current)
    return bool(m is not None and m[0] > 0 and m[1] >= found["need"])

def progress(found, current):
    m = measure(found, current)
    if m is None or m[0] <= 0:
        return 0.0
    span = max(found["need"] - found["start"], 1e-6)
    return float(min(0.99, max(0.0, (m[1] - found["start"]) / span)))

def explain(found, current):
    m = measure(found, current)
    out = {"valley_x": found["valley"], "valley_y": found["valley_y"],
           "pole_x": found["pole"], "foot_y": found["foot_y"],
           "needed_height": found["need"]}
    if m is None:
        out["car_found"] = False
        return out
    out["car_found"] = True
    out["car_x"] = m[2][0]
    out["car_y"] = m[2][1]
    out["car_pixels"] = m[2][2]
    out["offset_towards_flag"] = m[0]
    out["track_height_under_car"] = m[1]
    return out
