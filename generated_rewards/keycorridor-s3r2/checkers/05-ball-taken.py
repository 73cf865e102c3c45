import numpy as np

S = 8          # size of a cell in pixels

def split_cells(frame):
    f = np.asarray(frame)[:, :, :3].astype(np.int16)
    h, w = f.shape[0] // S, f.shape[1] // S
    return f[:h * S, :w * S].reshape(h, S, w, S, 3).transpose(0, 2, 1, 3, 4)

def ball_map(cells):
    """True for each cell in which a ball lies."""
    m = cells.max(axis=-1)
    middle = (m[:, :, 2:6, 2:6] >= 60).all(axis=(2, 3))
    edge_col = (m[:, :, 1:, 7] <= 25).all(axis=2)
    edge_row = (m[:, :, 7, 1:] <= 25).all(axis=2)
    corners = (m[:, :, 1:7:5, 1:7:5] <= 25).all(axis=(2, 3))
    return middle & edge_col & edge_row & corners

def wall_pixels(cells):
    """Number of wall-coloured pixels in each cell."""
    return (np.abs(cells - 100).max(axis=-1) <= 8).sum(axis=(2, 3))

def identify(initial):
    cells = split_cells(initial)
    balls = np.argwhere(ball_map(cells))
    ball = None
    if len(balls):
        ball = (int(balls[0][0]), int(balls[0][1]))
    return {"ball": ball, "count": len(balls), "walls": wall_pixels(cells) == S * S}

def walls_kept(found, cells):
    """Share of the first frame's wall cells that are still drawn as walls."""
    now = wall_pixels(cells)[found["walls"]]
    if len(now) == 0:
        return 0.0
    return float((now >= 60).mean())

def floor_measures(cell):
    """Grid-line pixels (of 14) and non-black other pixels (of 49) of a cell."""
    line = np.concatenate([cell[1:, 0], cell[0, 1:]], axis=0)
    n_line = int((np.abs(line - 33).max(axis=1) <= 10).sum())
    n_inside = int((cell[1:, 1:].max(axis=-1) > 25).sum())
    return n_line, n_inside

def agent_measures(cell):
    """Pure red pixels, and offset (dy, dx) of the red mass from the middle of the cell."""
    p = cell[1:7, 1:7]
    red = p[:, :, 0]
    other = np.maximum(p[:, :, 1], p[:, :, 2])
    weight = np.where(other <= 25, red, 0).astype(np.float64)
    n_pure = int((weight >= 230).sum())
    total = float(weight.sum())
    if total <= 0:
        return n_pure, 0.0, 0.0
    k = np.arange(6) - 2.5
    dy = float((weight.sum(axis=1) * k).sum() / total)
    dx = float((weight.sum(axis=0) * k).sum() / total)
    return n_pure, dy, dx

def agent_faces(ball, cells):
    """True if the agent is in a neighbouring cell and faces the ball's cell."""
    h, w = cells.shape[:2]
    for sy, sx in ((0, -1), (0, 1), (-1, 0), (1, 0)):
        r, c = ball[0] + sy, ball[1] + sx
        if 0 <= r < h and 0 <= c < w:
            n_pure, dy, dx = agent_measures(cells[r, c])
            # facing the ball, the triangle's mass lies on the side away from it
            if n_pure >= 7 and dy * sy + dx * sx >= 0.4:
                return True
    return False

def check(found, current):
    ball = found["ball"]
    if ball is None:
        return False
    cells = split_cells(current)
    n_line, n_inside = floor_measures(cells[ball[0], ball[1]])
    if n_line < 12 or n_inside > 1:
        return False
    if walls_kept(found, cells) < 0.9:
        return False
    return agent_faces(ball, cells)

def explain(found, current):
    ball = found["ball"]
    cells = split_cells(current)
    out = {"ball_cell_in_first_frame": str(ball),
           "balls_in_first_frame": found["count"],
           "walls_kept": walls_kept(found, cells)}
    if ball is not None:
        n_line, n_inside = floor_measures(cells[ball[0], ball[1]])
        out["grid_line_pixels_of_14"] = n_line
        out["non_black_inside"] = n_inside
        out["agent_beside_and_facing"] = agent_faces(ball, cells)
        h, w = cells.shape[:2]
        for sy, sx in ((0, -1), (0, 1), (-1, 0), (1, 0)):
            r, c = ball[0] + sy, ball[1] + sx
            if 0 <= r < h and 0 <= c < w:
                n_pure, dy, dx = agent_measures(cells[r, c])
                if n_pure > 0:
                    out["red_in_cell_%d_%d" % (r, c)] = "%d pure, dy %.2f, dx %.2f" % (n_pure, dy, dx)
    return out
