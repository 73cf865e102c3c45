"""Frames that show nothing: what checkers say of them is known to be wrong if it is done."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from car.frames import Frame, Frames
from car.sandbox import Session
from car.verify.observe import Observation

KINDS = ("black", "white", "noise", "noise", "noise", "noise")
"""What the frames of `blank_frames` show, in order."""


def blank_frames(shape: tuple[int, ...], seed: int = 0) -> Frames:
    """A black frame, a white one, and four of uniform noise, uint8 (6, H, W, 3) for a shape (H, W, 3)."""
    chance = np.random.default_rng(seed)
    plain = {"black": np.zeros(shape, np.uint8), "white": np.full(shape, 255, np.uint8)}
    return np.stack([plain.get(kind, chance.integers(0, 256, shape, np.uint8)) for kind in KINDS])


def blank_frame(kind: str, shape: tuple[int, ...]) -> Frame:
    """The first blank frame of a kind."""
    frame: Frame = blank_frames(shape)[KINDS.index(kind)]
    return frame


def asked_about_blank(session: Session, observations: Sequence[Observation], most: int = 8) -> NDArray[np.bool_]:
    """What the checkers say of blank frames in the episodes of the first experts.

    Args:
        session: k live checkers.
        observations: what they said of trajectories.
        most: how many experts.

    Returns:
        Whether they said done, bool, (experts, 6, k); a checker that fails, here or before, has not said so, and is
        not asked again.
    """
    experts = [each.trajectory for each in observations if each.trajectory.who == "expert"][:most]
    frames = blank_frames(experts[0].frame(0).shape) if experts else np.zeros((0, 4, 4, 3), np.uint8)
    sound = np.ones(len(session.checkers), np.bool_)
    sound[[checker for each in observations for checker in each.failures]] = False
    said = np.zeros((len(experts), len(KINDS), len(sound)), np.bool_)
    for number, each in enumerate(experts):
        answers = session.run(each.frame(0), frames, np.tile(sound, (len(frames), 1)))
        said[number] = answers.done == 1
        sound[[checker for _, checker in answers.failures]] = False
    return said
