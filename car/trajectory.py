"""One recorded episode, and the store of many."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from car.errors import BadTrajectory
from car.files import write_atomically
from car.frames import Frame, Frames, as_frame, digest

FORMAT = "car-trajectories/1"


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One recorded episode of T steps, its equal frames kept once.

    Args:
        pictures: the distinct frames, uint8, shape (M, H, W, 3); may be shared with other trajectories.
        order: which picture each of the T+1 frames is, int64, shape (T+1,).
        actions: shape (T, ...), or None where nobody knows them (a video).
        rewards: the environment's own rewards, float64, shape (T,), or None where nobody knows them.
        seed: what the environment was reset with, or None.
        who: ``expert`` or ``random``.
        success: the environment's own success; None where nobody knows it.

    Raises:
        BadTrajectory: shapes or dtypes that do not fit together.
    """

    pictures: Frames
    order: NDArray[np.int64]
    actions: NDArray[Any] | None
    rewards: NDArray[np.float64] | None
    seed: int | None
    who: str
    success: bool | None

    def __post_init__(self) -> None:
        _check(
            self.pictures.dtype == np.uint8 and self.pictures.ndim == 4 and self.pictures.shape[3] == 3,
            f"pictures must be uint8 (M, H, W, 3), not {self.pictures.dtype} {self.pictures.shape}",
        )
        _check(self.order.ndim == 1 and len(self.order) > 0, "a trajectory needs at least one frame")
        _check(
            bool((self.order >= 0).all() and (self.order < len(self.pictures)).all()), "order points past the pictures"
        )
        steps = len(self.order) - 1
        for name in ("actions", "rewards"):
            values = getattr(self, name)
            _check(values is None or len(values) == steps, f"{steps + 1} frames need {steps} {name}")
        _check(self.who in ("expert", "random"), f"who must be 'expert' or 'random', not {self.who!r}")
        for array in (self.pictures, self.order, self.actions, self.rewards):
            if array is not None:
                array.setflags(write=False)

    def __len__(self) -> int:
        """The number of frames, T+1."""
        return len(self.order)

    @property
    def frames(self) -> Frames:
        """All T+1 frames in order, uint8, shape (T+1, H, W, 3); made anew at each call."""
        return self.pictures[self.order]

    def frame(self, time: int) -> Frame:
        """The frame at one time, 0 to T (or counted from the end, if negative)."""
        picture: Frame = self.pictures[self.order[time]]
        return picture

    @property
    def name(self) -> str:
        """What to call it: who acted and from which seed."""
        return f"{self.who} {self.seed if self.seed is not None else 'without seed'}"


def _check(fine: bool, complaint: str) -> None:
    if not fine:
        raise BadTrajectory(f"This is not a trajectory: {complaint}.")


class Album:
    """Distinct frames in the order in which they were first seen; all of one size.

    Args:
        pictures: frames to begin with, uint8 (M, H, W, 3).
    """

    def __init__(self, pictures: Frames | None = None) -> None:
        self._pages: list[Frame] = [] if pictures is None else list(pictures)
        self._where = {digest(page): index for index, page in enumerate(self._pages)}

    def add(self, frame: Frame) -> int:
        """The index of the frame, which is kept if it was not seen before.

        Raises:
            BadFrame: not a frame.
            BadTrajectory: another size than the frames before it.
        """
        frame = as_frame(frame)
        if self._pages and frame.shape != self._pages[0].shape:
            raise BadTrajectory(
                f"All frames of a task must have one size: this one is {_size(frame)}, those before it are "
                f"{_size(self._pages[0])}."
            )
        index = self._where.setdefault(digest(frame), len(self._pages))
        if index == len(self._pages):
            self._pages.append(frame.copy())
        return index

    def pictures(self) -> Frames:
        """All distinct frames so far, uint8 (M, H, W, 3)."""
        return np.stack(self._pages) if self._pages else np.zeros((0, 4, 4, 3), np.uint8)


def _size(frame: Frame) -> str:
    return f"{frame.shape[1]} x {frame.shape[0]} pixels"


def save_trajectories(path: Path, trajectories: Sequence[Trajectory], task: str) -> None:
    """Writes the trajectories of one task to one file, atomically; equal input gives equal bytes.

    The file is a NumPy ``.npz`` without pickles: ``pictures`` (M, H, W, 3), and for all episodes one after another
    ``order``, ``actions`` and ``rewards``, cut by the lengths in ``about`` (JSON).

    Raises:
        BadTrajectory: frames of different sizes, or some trajectories with and some without actions or rewards.
    """
    album = Album()
    orders = [_rebound(each, album) for each in trajectories]
    about = {
        "format": FORMAT,
        "task": task,
        "episodes": [
            {"seed": each.seed, "who": each.who, "success": each.success, "frames": len(each)} for each in trajectories
        ],
    }
    arrays: dict[str, NDArray[Any]] = {
        "about": np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8),
        "pictures": album.pictures(),
        "order": np.concatenate(orders) if orders else np.zeros(0, np.int64),
    }
    for name in ("actions", "rewards"):
        values = [getattr(each, name) for each in trajectories]
        if any(value is None for value in values) != all(value is None for value in values):
            raise BadTrajectory(f"Some trajectories have {name} and some have none; keep them in separate files.")
        if values and values[0] is not None:
            arrays[name] = np.concatenate(values)
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(path) as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def _rebound(trajectory: Trajectory, album: Album) -> NDArray[np.int64]:
    """The trajectory's order, in terms of the album's pictures; first seen, first kept."""
    distinct, first = np.unique(trajectory.order, return_index=True)
    pages = np.zeros(len(trajectory.pictures), np.int64)
    for picture in distinct[np.argsort(first)]:
        pages[picture] = album.add(trajectory.pictures[picture])
    rebound: NDArray[np.int64] = pages[trajectory.order]
    return rebound


def load_trajectories(path: Path, task: str | None = None) -> list[Trajectory]:
    """The trajectories in a file; if `task` is given, they must be of that task.

    Raises:
        BadTrajectory: no such file, damaged, of another format or of another task.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = json.loads(arrays["about"].tobytes())
        if about["format"] != FORMAT:
            raise BadTrajectory(f"{path} has the format {about['format']!r}; this version reads {FORMAT!r}.")
        loaded = list(_episodes(arrays, about["episodes"]))
    except FileNotFoundError as error:
        raise BadTrajectory(f"There are no trajectories at {path}; make them with `car record`.") from error
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise BadTrajectory(f"{path} is damaged or not a trajectory file ({error}); record it again.") from error
    if task is not None and about["task"] != task:
        raise BadTrajectory(f"{path} holds trajectories of the task {about['task']!r}, not of {task!r}.")
    return loaded


def _episodes(arrays: dict[str, NDArray[Any]], episodes: list[dict[str, Any]]) -> list[Trajectory]:
    pictures, order = arrays["pictures"], arrays["order"]
    made, frame, step = [], 0, 0
    for about in episodes:
        count = int(about["frames"])
        made.append(
            Trajectory(
                pictures=pictures,
                order=order[frame : frame + count],
                actions=arrays["actions"][step : step + count - 1] if "actions" in arrays else None,
                rewards=arrays["rewards"][step : step + count - 1] if "rewards" in arrays else None,
                seed=about["seed"],
                who=about["who"],
                success=about["success"],
            )
        )
        frame, step = frame + count, step + count - 1
    if frame != len(order):
        raise ValueError(f"{len(order)} frames recorded, {frame} expected")
    return made
