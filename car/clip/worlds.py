"""Frames of the worlds that our own CLIP is trained on, with what really holds on each of them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from car.clip.captions import Claim
from car.frames import Frame
from car.record import Stage
from car.record.labelled import play_labelled
from car.tasks import find_task
from car.truth import truth_for

WORLDS: Mapping[str, str] = {
    "mountaincar-continuous": "mountain",
    "cartpole-upright": "cart",
    "doorkey-5x5": "grid",
    "doorkey-6x6": "grid",
    "doorkey-8x8": "grid",
    "unlock": "grid",
    "unlockpickup": "grid",
    "keycorridor-s3r1": "grid",
    "keycorridor-s3r2": "grid",
    "redbluedoors-6x6": "grid",
    "pickup-ball": "grid",
}
"""The tasks that our own CLIP is trained on, and what kind of place each one is."""

UNSEEN: Sequence[str] = ("blockedunlockpickup", "keycorridor-s3r3")
"""Tasks that it is measured on and never trained on."""

TRAINING_SEEDS = 3_000_000_000
"""Frames for training come from seeds from this number on, of which nothing else makes use."""

_SLIPS = 0.2
_MOST_STEPS = 200
_EVERY_RANDOM = 6
# Some places are slow to draw, and have few different states.
_MOST_EPISODES = {"grid": 250, "mountain": 40, "cart": 24}
# The start is on most frames and the goal on few: no state of affairs may have more than this share of a task's.
_LARGEST_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Seen:
    """A frame and what is claimed of it.

    Args:
        frame: the picture.
        task: whose it is.
        claims: what holds on it and what does not, one for each true sub-task, and its place.
    """

    frame: Frame
    task: str
    claims: tuple[Claim, ...]


OnTask = Callable[[str, int], None]
"""Told the name of a task, and how many of its frames were collected."""


def collect(seed: int, frames: int, on_task: OnTask | None = None, tasks: Sequence[str] = tuple(WORLDS)) -> list[Seen]:
    """Different frames of all worlds, from mixed and random episodes.

    Args:
        seed: decides which episodes.
        frames: how many in all, as evenly spread over the tasks as their number of different frames allows.
        on_task: told of progress.
        tasks: whose frames.

    Raises:
        BadTask: an environment cannot be made.
    """
    seen: list[Seen] = []
    for number, task in enumerate(tasks):
        wanted = (frames - len(seen)) // (len(tasks) - number)
        found = _frames_of(task, seed, wanted)
        seen += found
        if on_task is not None:
            on_task(task, len(found))
    return seen


def _frames_of(name: str, seed: int, wanted: int) -> list[Seen]:
    task, predicates = find_task(name), truth_for(name)
    names = [each.name for each in predicates]
    found: dict[bytes, Seen] = {}
    held: Counter[bytes] = Counter()
    most = wanted * max(_LARGEST_SHARE, 1 / (1 + len(names)))
    with Stage(task) as stage:
        for episode in range(_MOST_EPISODES[place_of(name)]):
            kind = "random" if episode % _EVERY_RANDOM == _EVERY_RANDOM - 1 else "mixed"
            at = TRAINING_SEEDS + 10_000_000 * seed + episode
            played = play_labelled(
                stage, task, kind, at, lambda env: [each.holds(env) for each in predicates], _SLIPS, _MOST_STEPS
            )
            for picture, truth in zip(played.trajectory.frames, played.truth, strict=True):
                known = picture.tobytes()
                if known not in found and held[truth.tobytes()] < most and len(found) < wanted:
                    found[known] = Seen(picture, name, claims_of(name, names, truth))
                    held[truth.tobytes()] += 1
            if len(found) >= wanted:
                break
    return list(found.values())


def place_of(task: str) -> str:
    """What kind of place a task's frames show; those that our CLIP never saw are grids."""
    return WORLDS.get(task, "grid")


def claims_of(task: str, names: Sequence[str], truth: NDArray[np.bool_]) -> tuple[Claim, ...]:
    """What can be said of a frame.

    Args:
        task: whose frame it is.
        names: of the true sub-tasks.
        truth: which of them hold, (m,).
    """
    held = [Claim(name, bool(holds)) for name, holds in zip(names, truth, strict=True)]
    return (*held, Claim(f"place:{place_of(task)}", True))
