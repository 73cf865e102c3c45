"""Episodes of a task whose every frame is labelled with what really held on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from car.errors import UnknownName, UserError
from car.frames import Frame
from car.record import Stage
from car.record.labelled import KINDS, play_labelled
from car.task import Task
from car.truth import truth_for

EVALUATION_SEEDS = 4_000_000_000
"""Labelled episodes have seeds from this number on: neither recording, training nor our own CLIP makes use of them."""

_MOST_STEPS = 300


@dataclass(frozen=True, eq=False)
class LabelSet:
    """Frames of labelled episodes; equal ones are kept once, and counted.

    Args:
        task: whose they are.
        names: of the m true sub-tasks, the goal last.
        pictures: p different frames, each (H, W, 3).
        order: the number of each step's picture, int64 (n,).
        truth: what held at each step, bool (n, m).
        episodes: the number of each step's episode, int64 (n,).
        own_labels: whether the labels are the truth of a built-in task; else the last frame of a successful episode is
            the goal, and no other.
    """

    task: str
    names: tuple[str, ...]
    pictures: tuple[Frame, ...]
    order: NDArray[np.int64]
    truth: NDArray[np.bool_]
    episodes: NDArray[np.int64]
    own_labels: bool

    @property
    def goal(self) -> NDArray[np.bool_]:
        """Whether the goal is reached at each step, (n,)."""
        return np.asarray(self.truth[:, -1])

    @property
    def to_choose_on(self) -> NDArray[np.bool_]:
        """Which steps are of the half of the episodes, of all kinds, on which something may be chosen, (n,)."""
        return np.asarray(self.episodes // len(KINDS) % 2 == 0)

    def part(self, which: NDArray[np.bool_]) -> "LabelSet":
        """The part with some of the steps, (n,)."""
        return LabelSet(
            self.task,
            self.names,
            self.pictures,
            self.order[which],
            self.truth[which],
            self.episodes[which],
            self.own_labels,
        )


def label_episodes(task: Task, episodes: int, seed: int = 0, on_episode: Callable[[], None] | None = None) -> LabelSet:
    """Plays labelled episodes: by the expert, by the expert with random actions in between, and at random, in turn.

    Args:
        task: what is played.
        episodes: how many.
        seed: the first one's, less `EVALUATION_SEEDS`.
        on_episode: told when one is done.

    Raises:
        BadTask: the environment cannot be made, or the task has no expert.
        BadFrame: what it gives is no frame.
    """
    predicates, names = _predicates(task)
    numbers: dict[bytes, int] = {}
    pictures: list[Frame] = []
    order: list[int] = []
    truth: list[NDArray[np.bool_]] = []
    owners: list[int] = []
    with Stage(task) as stage:
        for number in range(episodes):
            played = play_labelled(
                stage,
                task,
                KINDS[number % len(KINDS)],
                EVALUATION_SEEDS + seed + number,
                lambda env: [holds(env) for holds in predicates],
                max_steps=_MOST_STEPS,
            )
            known = []
            for picture in played.trajectory.pictures:
                known.append(numbers.setdefault(picture.tobytes(), len(pictures)))
                if known[-1] == len(pictures):
                    pictures.append(picture)
            order += [known[at] for at in played.trajectory.order]
            held = played.truth if predicates else _at_the_end(len(played.trajectory.order), played.trajectory.success)
            truth.append(held)
            owners += [number] * len(held)
            if on_episode is not None:
                on_episode()
    return LabelSet(
        task=task.name,
        names=names,
        pictures=tuple(pictures),
        order=np.array(order, np.int64),
        truth=np.concatenate(truth),
        episodes=np.array(owners, np.int64),
        own_labels=bool(predicates),
    )


def _predicates(task: Task) -> tuple[Sequence[Callable[..., bool]], tuple[str, ...]]:
    try:
        found = truth_for(task.name)
    except UnknownName:
        return [], ("goal",)
    return [each.holds for each in found], tuple(each.name for each in found)


def _at_the_end(frames: int, success: bool | None) -> NDArray[np.bool_]:
    held = np.zeros((frames, 1), np.bool_)
    held[-1] = bool(success)
    return held


def check_both(labels: NDArray[np.bool_], what: str) -> None:
    """Checks that a measurement can say something.

    Raises:
        UserError: the labels are all alike.
    """
    if labels.all() or not labels.any():
        which = "every" if labels.all() else "no"
        raise UserError(f"{what} holds on {which} frame, so nothing can be measured; play more episodes.")
