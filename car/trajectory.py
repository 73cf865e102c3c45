"""One recorded episode, and the store of many."""

import dataclasses
import hashlib
import io
import json
import struct
import tokenize
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from car.errors import BadTrajectory
from car.files import write_atomically
from car.frames import Frame, Frames, as_frame, digest

FORMAT = "car-trajectories/1"

_UNREADABLE = (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError, RuntimeError)
_DAMAGED = (
    *_UNREADABLE,
    OverflowError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One recorded episode of T steps, its equal frames kept once; the arrays are read-only.

    An array that someone else could still write to is copied; one that is read-only is shared.

    Args:
        pictures: the distinct frames, uint8, shape (M, H, W, 3); may be shared with other trajectories.
        order: which picture each of the T+1 frames is, int64, shape (T+1,).
        actions: numbers, shape (T, ...), or None where nobody knows them (a video).
        rewards: the environment's own rewards, float64, finite, shape (T,), or None where nobody knows them.
        seed: what the environment was reset with, or None.
        who: ``expert``, ``random``, or ``agent`` (in an audit's episodes alone).
        success: the environment's own success; None where nobody knows it.
        terminated: whether the environment ended the episode itself (False: it was cut off); None where nobody knows.

    Raises:
        BadTrajectory: shapes, dtypes or values that do not fit together.
    """

    pictures: Frames
    order: NDArray[np.int64]
    actions: NDArray[Any] | None
    rewards: NDArray[np.float64] | None
    seed: int | None
    who: str
    success: bool | None
    terminated: bool | None = None

    def __post_init__(self) -> None:
        _check_frames(self.pictures, self.order)
        _check_steps(self.actions, self.rewards, len(self.order) - 1)
        known = self.who in ("expert", "random", "agent")
        _check(known, f"who must be 'expert', 'random' or 'agent', not {self.who!r}")
        seeded = self.seed is None or (type(self.seed) is int and self.seed >= 0)
        _check(seeded, f"seed must be a whole number from 0 or None, not {self.seed!r}")
        for name in ("success", "terminated"):
            value = getattr(self, name)
            _check(value is None or type(value) is bool, f"{name} must be True, False or None, not {value!r}")
        for name in ("pictures", "order", "actions", "rewards"):
            array = getattr(self, name)
            object.__setattr__(self, name, None if array is None else _read_only(array))

    @classmethod
    def of(cls, frames: Iterable[Frame], who: str, **known: Any) -> Self:
        """The trajectory of these frames, taken one after another.

        Args:
            frames: T+1 frames (H, W, 3) of one size.
            who: ``expert`` or ``random``.
            known: any of ``actions``, ``rewards``, ``seed``, ``success`` and ``terminated``.

        Raises:
            BadFrame: one of them is not a frame.
            BadTrajectory: no frames, frames of different sizes, or something known that does not fit.
        """
        album = Album()
        order = np.array([album.add(frame) for frame in frames], np.int64)
        unknown = {"actions": None, "rewards": None, "seed": None, "success": None}
        return cls(pictures=album.pictures(), order=order, who=who, **{**unknown, **known})

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
    def size(self) -> tuple[int, int]:
        """Width and height of the frames, in pixels."""
        return self.pictures.shape[2], self.pictures.shape[1]

    @property
    def name(self) -> str:
        """What to call it: who acted and from which seed."""
        return f"{self.who} {self.seed if self.seed is not None else 'without seed'}"

    def sha256(self) -> str:
        """The hash of what happened: frames, actions, rewards, who, seed and success, however it is stored."""
        names = _names(self.pictures)
        for picture in np.unique(self.order).tolist():
            if picture not in names:
                names[picture] = digest(self.pictures[picture])
        story = [names[picture] for picture in self.order.tolist()]
        steps = [None if each is None else [each.dtype.str, each.tolist()] for each in (self.actions, self.rewards)]
        told = json.dumps([story, *steps, self.who, self.seed, self.success, self.terminated])
        return hashlib.sha256(told.encode()).hexdigest()


_NAMES: dict[int, dict[int, str]] = {}


def _names(pictures: Frames) -> dict[int, str]:
    """The digests of some of these pictures, by index, as far as they are known.

    The episodes of a file share one array, which nobody can write to: each picture is hashed once, not once an episode.
    """
    if id(pictures) not in _NAMES:
        _NAMES[id(pictures)] = {}
        weakref.finalize(pictures, _NAMES.pop, id(pictures), None).atexit = False
    return _NAMES[id(pictures)]


def _check(fine: bool, complaint: str) -> None:
    if not fine:
        raise BadTrajectory(f"This is not a trajectory: {complaint}.")


def _check_frames(pictures: Any, order: Any) -> None:
    _check(
        pictures.dtype == np.uint8 and pictures.ndim == 4 and pictures.shape[3] == 3,
        f"pictures must be uint8 (M, H, W, 3), not {pictures.dtype} {pictures.shape}",
    )
    _check(order.dtype == np.int64 and order.ndim == 1, f"order must be int64 (T+1,), not {order.dtype} {order.shape}")
    _check(len(order) > 0, "a trajectory needs at least one frame")
    _check(bool((order >= 0).all() and (order < len(pictures)).all()), "order points past the pictures")


def _check_steps(actions: Any, rewards: Any, steps: int) -> None:
    for name, values in (("actions", actions), ("rewards", rewards)):
        if values is not None:
            _check(values.ndim > 0 and len(values) == steps, f"{steps + 1} frames need {steps} {name}")
    if actions is not None:
        _check(actions.dtype.kind in "biuf", f"actions must be numbers, not {actions.dtype}")
    if rewards is not None:
        fine = rewards.dtype == np.float64 and rewards.ndim == 1
        _check(fine, f"rewards must be float64 (T,), not {rewards.dtype} {rewards.shape}")
        strange = np.flatnonzero(~np.isfinite(rewards))
        complaint = f"the reward of step {strange[0]} is {rewards[strange[0]]}" if len(strange) else ""
        _check(not len(strange), f"{complaint}; rewards must be finite numbers")


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself if nobody can write to it any more, else a copy."""
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    if array.flags.writeable or owner.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array


class Album:
    """Distinct frames in the order in which they were first seen; all of one size."""

    def __init__(self) -> None:
        self._pages: list[Frame] = []
        self._where: dict[str, int] = {}

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
            self._pages.append(_read_only(frame))
        return index

    def pictures(self) -> Frames:
        """All distinct frames so far, uint8 (M, H, W, 3), read-only."""
        pictures: Frames = np.stack(self._pages) if self._pages else np.zeros((0, 4, 4, 3), np.uint8)
        pictures.setflags(write=False)
        return pictures


def _size(frame: Frame) -> str:
    return f"{frame.shape[1]} x {frame.shape[0]} pixels"


def merged(trajectories: Sequence[Trajectory]) -> list[Trajectory]:
    """The same trajectories on one common array of pictures: each distinct frame once, first seen, first kept.

    Raises:
        BadTrajectory: frames of different sizes.
    """
    album = Album()
    pages: dict[int, NDArray[np.int64]] = {}
    orders = []
    for each in trajectories:
        new = pages.setdefault(id(each.pictures), np.full(len(each.pictures), -1, np.int64))
        distinct, first = np.unique(each.order, return_index=True)
        for picture in distinct[np.argsort(first)]:
            if new[picture] < 0:
                new[picture] = album.add(each.pictures[picture])
        orders.append(new[each.order])
    pictures = album.pictures()
    return [
        dataclasses.replace(each, pictures=pictures, order=order)
        for each, order in zip(trajectories, orders, strict=True)
    ]


def save_trajectories(path: Path, trajectories: Sequence[Trajectory], task: str) -> None:
    """Writes the trajectories of one task to one file, atomically; equal input gives equal bytes.

    The file is a NumPy ``.npz`` without pickles: ``pictures`` (M, H, W, 3), and for all episodes one after another
    ``order``, ``actions`` and ``rewards``, cut by the lengths in ``about`` (JSON as UTF-8 bytes).

    Raises:
        BadTrajectory: frames of different sizes, or actions of different shapes or dtypes.
        OSError: the disk is full or the folder cannot be written; what was at `path` before is untouched.
    """
    trajectories = merged(trajectories)
    about = {"format": FORMAT, "task": task, "episodes": [_about(each) for each in trajectories]}
    arrays: dict[str, NDArray[Any]] = {
        "about": np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8),
        "pictures": trajectories[0].pictures if trajectories else Album().pictures(),
        "order": np.concatenate([np.zeros(0, np.int64), *(each.order for each in trajectories)]),
    }
    for name in ("actions", "rewards"):
        values = [getattr(each, name) for each in trajectories if getattr(each, name) is not None]
        if len({(each.dtype, each.shape[1:]) for each in values}) > 1:
            raise BadTrajectory(f"All {name} of a task must have one shape and dtype; these have several.")
        if values:
            arrays[name] = np.concatenate(values)
    with write_atomically(path) as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def _about(trajectory: Trajectory) -> dict[str, Any]:
    return {
        "seed": trajectory.seed,
        "who": trajectory.who,
        "success": trajectory.success,
        "terminated": trajectory.terminated,
        "frames": len(trajectory),
        "actions": trajectory.actions is not None,
        "rewards": trajectory.rewards is not None,
    }


def load_trajectories(path: Path, task: str | None = None) -> list[Trajectory]:
    """The trajectories in a file; if `task` is given, they must be of that task.

    Raises:
        BadTrajectory: no such file, damaged, of another format or of another task.
    """
    try:
        arrays = _arrays(path)
        about = json.loads(arrays["about"].tobytes())
        if about["format"] != FORMAT:
            raise BadTrajectory(f"{path} has the format {about['format']!r}; this version reads {FORMAT!r}.")
        if task is not None and about["task"] != task:
            raise BadTrajectory(f"{path} holds trajectories of the task {about['task']!r}, not of {task!r}.")
        return _episodes(arrays, about["episodes"])
    except FileNotFoundError as error:
        raise BadTrajectory(f"There are no trajectories at {path}; make them with `car record`.") from error
    except _DAMAGED as error:
        raise BadTrajectory(f"{path} is damaged or not a trajectory file ({error}); record it again.") from error


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    # Each member is read to its end, where zipfile compares its checksum, before NumPy parses any of it.
    with zipfile.ZipFile(path) as archive:
        members = {name.removesuffix(".npy"): io.BytesIO(archive.read(name)) for name in archive.namelist()}
    return {name: _read_only(np.load(member, allow_pickle=False)) for name, member in members.items()}


def _episodes(arrays: dict[str, NDArray[Any]], episodes: list[dict[str, Any]]) -> list[Trajectory]:
    taken = dict.fromkeys(("order", "actions", "rewards"), 0)

    def take(name: str, count: int, there: bool = True) -> Any:
        taken[name] += count * there
        return arrays[name][taken[name] - count : taken[name]] if there else None

    made = []
    for about in episodes:
        frames = int(about["frames"])
        cut: dict[str, Any] = {
            "order": take("order", frames),
            "actions": take("actions", frames - 1, about["actions"]),
            "rewards": take("rewards", frames - 1, about["rewards"]),
        }
        known = {name: about[name] for name in ("seed", "who", "success", "terminated")}
        try:
            made.append(Trajectory(pictures=arrays["pictures"], **cut, **known))
        except BadTrajectory as error:
            raise ValueError(f"episode {len(made)}: {error}") from error
    for name, count in taken.items():
        if count != len(arrays.get(name, ())):
            raise ValueError(f"{len(arrays.get(name, ()))} {name} recorded, {count} expected")
    return made
