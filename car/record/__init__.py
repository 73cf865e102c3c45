"""Records the trajectories of a task, and finds them again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from car.errors import UserError
from car.record.continuation import Continuation, Continuations, Onward, Unplayable
from car.record.rollout import RANDOM_SEEDS, OnEpisode, random_policy, record, record_expert
from car.record.shelf import WHO, Shelf, add_to, load_set, shelf_path
from car.record.stage import Stage
from car.task import Task
from car.trajectory import Trajectory

__all__ = [
    "RANDOM_SEEDS",
    "Continuation",
    "Continuations",
    "OnEpisode",
    "Onward",
    "Progress",
    "RecordedSummary",
    "Stage",
    "Unplayable",
    "add_to",
    "load_set",
    "random_policy",
    "record",
    "record_expert",
    "record_to",
]


@dataclass(frozen=True)
class Progress:
    """How far a recording is, told after each episode.

    Args:
        who: ``expert`` or ``random``.
        done: how many episodes are kept, those from an earlier run included.
        wanted: how many there will be.
        trajectory: the episode that has just ended; an expert's episode that failed is not kept.
    """

    who: str
    done: int
    wanted: int
    trajectory: Trajectory


@dataclass(frozen=True)
class RecordedSummary:
    """What lies in the folder of a task after recording.

    Args:
        folder: the folder of the task.
        expert: trajectories of the expert, all of them.
        random: trajectories of the random policy, all of them.
        new_expert: those of the expert that this run added.
        new_random: those of the random policy that this run added.
        failed_seeds: seeds for which the expert failed in this run; these episodes are not kept.
        frames: frames in all trajectories.
        distinct: distinct pictures in the two files, each counted once for each file.
    """

    folder: Path
    expert: int
    random: int
    new_expert: int
    new_random: int
    failed_seeds: tuple[int, ...]
    frames: int
    distinct: int


def record_to(
    folder: Path,
    task: Task,
    expert: int = 20,
    random: int = 100,
    seed: int = 0,
    *,
    max_steps: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    save_seconds: float = 20.0,
) -> RecordedSummary:
    """Records a task into ``<folder>/<task.name>/expert.npz`` and ``random.npz``; equal seeds give equal bytes.

    Episodes that are there already are not played again, and nothing there is dropped. What is complete is saved
    every `save_seconds`, and also when the recording is interrupted or fails, before the exception goes on. The
    expert plays the seeds `seed`, `seed` + 1, ... (see `record_expert`), the random policy 1,000,000 + those. A task
    without an expert whose demonstrations were imported keeps those.

    Raises:
        UserError: counts or seeds out of range.
        BadTask, BadFrame, BadTrajectory: as for `record` and `record_expert`; or a file there that is damaged.
        OSError: the disk is full or the folder cannot be written; the files are as they were last saved.
    """
    if min(expert, random, seed) < 0 or seed + 2 * expert > RANDOM_SEEDS:
        raise UserError(f"Counts and seeds must be 0 or more, and the seeds of experts below {RANDOM_SEEDS:,}.")
    shelves = {who: Shelf(shelf_path(folder, task.name, who), task.name, save_seconds) for who in WHO}
    experts, randoms = shelves["expert"], shelves["random"]
    clerk = _Clerk(shelves, {"expert": expert, "random": random}, seed, progress)
    missing = [each for each in clerk.seeds["random"] if each not in clerk.known["random"]]
    imported = task.expert is None and bool(experts.kept)
    try:
        if not imported:
            known = clerk.known["expert"]
            _exhaust(record_expert(task, expert, seed, known=known, max_steps=max_steps, on_episode=clerk.take))
        _exhaust(record(task, "random", missing, max_steps=max_steps, on_episode=clerk.take))
    finally:
        experts.save()
        randoms.save()
    return _summary(folder / task.name, experts, randoms, clerk.failed)


class _Clerk:
    """Takes each episode as it ends: puts it on its shelf, notes the seeds that failed, tells the progress."""

    def __init__(
        self,
        shelves: Mapping[str, Shelf],
        wanted: Mapping[str, int],
        seed: int,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._shelves, self._wanted, self._progress = shelves, wanted, progress
        first = RANDOM_SEEDS + seed
        self.seeds = {
            "expert": range(seed, seed + 2 * wanted["expert"]),
            "random": range(first, first + wanted["random"]),
        }
        self.known = {
            who: {each.seed for each in shelf.kept if each.seed is not None and each.seed in self.seeds[who]}
            for who, shelf in shelves.items()
        }
        self.failed: list[int] = []
        self._done = {who: len(known) for who, known in self.known.items()}

    def take(self, trajectory: Trajectory) -> None:
        who = trajectory.who
        if who == "random" or trajectory.success:
            self._shelves[who].add(trajectory)
            self._done[who] += 1
        elif trajectory.seed is not None:
            self.failed.append(trajectory.seed)
        if self._progress is not None:
            wanted = self._wanted[who]
            self._progress(Progress(who, min(self._done[who], wanted), wanted, trajectory))


def _exhaust(trajectories: Iterator[Trajectory]) -> None:
    for _ in trajectories:
        pass


def _summary(folder: Path, experts: Shelf, randoms: Shelf, failed: list[int]) -> RecordedSummary:
    return RecordedSummary(
        folder=folder,
        expert=len(experts.kept),
        random=len(randoms.kept),
        new_expert=len(experts.kept) - experts.before,
        new_random=len(randoms.kept) - randoms.before,
        failed_seeds=tuple(failed),
        frames=sum(len(each) for shelf in (experts, randoms) for each in shelf.kept),
        distinct=sum(len(shelf.kept[0].pictures) for shelf in (experts, randoms) if shelf.kept),
    )
