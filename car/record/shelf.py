"""The trajectories of a task in their folder: ``<folder>/<task>/expert.npz`` and ``random.npz``."""

import time
from collections.abc import Sequence
from pathlib import Path

from car.errors import BadTrajectory
from car.record.stage import two_sizes
from car.trajectory import Trajectory, load_trajectories, merged, save_trajectories

WHO = ("expert", "random")


class Shelf:
    """The trajectories of one task and one kind, in memory and in their file; saved every so often.

    Args:
        path: the file; it need not exist.
        task: the task's name.
        save_seconds: how long a trajectory that was added may wait until it is saved.

    Raises:
        BadTrajectory: the file is damaged or of another task.
    """

    def __init__(self, path: Path, task: str, save_seconds: float = 0.0) -> None:
        self._path, self._task, self._save_seconds = path, task, save_seconds
        self.kept = load_trajectories(path, task) if path.exists() else []
        self.before = len(self.kept)
        self._unsaved = False
        self._due = time.monotonic() + save_seconds

    def add(self, trajectory: Trajectory) -> None:
        """Keeps one more, and saves if the last time is long enough ago."""
        self.kept.append(trajectory)
        self._unsaved = True
        if time.monotonic() >= self._due:
            self.save()

    def save(self) -> None:
        """Writes the file in the order of the seeds, so that an interrupted recording ends in the same bytes."""
        if not self._unsaved:
            return
        began = time.monotonic()
        self.kept = merged(sorted(self.kept, key=lambda each: (each.seed is None, each.seed or 0)))
        save_trajectories(self._path, self.kept, self._task)
        self._unsaved = False
        # A large file takes seconds to compress; at most a tenth of the time goes into saving.
        ended = time.monotonic()
        self._due = ended + max(self._save_seconds, 10 * (ended - began))


def shelf_path(folder: Path, task: str, who: str) -> Path:
    """Where the trajectories of a task and of `who` lie."""
    return folder / task / f"{who}.npz"


def add_to(folder: Path, task: str, trajectories: Sequence[Trajectory]) -> int:
    """Puts imported trajectories beside those that are there; one that is there already is left out.

    Returns:
        How many were added.

    Raises:
        BadTrajectory: frames of another size than those there, or a file there that is damaged.
        OSError: the disk is full or the folder cannot be written; the files are as they were.
    """
    shelves = {who: Shelf(shelf_path(folder, task, who), task, save_seconds=float("inf")) for who in WHO}
    there = {each.sha256() for shelf in shelves.values() for each in shelf.kept}
    for each in trajectories:
        name = each.sha256()
        if name not in there:
            there.add(name)
            shelves[each.who].add(each)
    _check_sizes(task, [each for shelf in shelves.values() for each in shelf.kept])
    for shelf in shelves.values():
        shelf.save()
    return sum(len(shelf.kept) - shelf.before for shelf in shelves.values())


def load_set(folder: Path, task: str) -> tuple[list[Trajectory], list[Trajectory]]:
    """The expert's and the random policy's trajectories of a task.

    Raises:
        BadTrajectory: one of the two is missing, empty, damaged, of another task, or of another frame size.
    """
    experts, randoms = (_load_kind(folder, task, who) for who in WHO)
    _check_sizes(task, [*experts, *randoms])
    return experts, randoms


def _load_kind(folder: Path, task: str, who: str) -> list[Trajectory]:
    path = shelf_path(folder, task, who)
    if not path.exists():
        raise BadTrajectory(f"There are no {who} trajectories of the task {task!r} at {path}; run `car record {task}`.")
    loaded = load_trajectories(path, task)
    if not loaded or any(each.who != who for each in loaded):
        raise BadTrajectory(f"{path} must hold {who} trajectories and nothing else; record it again.")
    return loaded


def _check_sizes(task: str, trajectories: Sequence[Trajectory]) -> None:
    sizes = sorted({each.size for each in trajectories})
    if len(sizes) > 1:
        raise BadTrajectory(two_sizes(task, sizes[0], sizes[1]))
