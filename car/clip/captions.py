"""Sentences that are true of a frame, made from what is known to hold on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from car.tasks.sentences import SENTENCES

_SAID: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "key-picked-up": (
        ("the key has been picked up", "the agent carries the key", "no key lies on the floor"),
        ("the key lies on the floor", "nobody has picked up the key", "a key waits to be picked up"),
    ),
    "door-open": (
        ("the agent has opened the door", "an open door", "the way through the door is free"),
        ("the door is closed", "a closed door", "nobody has opened the door"),
    ),
    "goal-reached": (
        ("the agent is on the green square", "the agent has reached the goal", "the goal is reached"),
        ("the agent is not on the green square", "the green square is empty", "the goal is not reached"),
    ),
    "in-box-room": (
        ("the agent has gone into the room of the box", "the agent and the box are in the same room"),
        ("the agent is in the other room", "the agent and the box are in different rooms"),
    ),
    "box-picked-up": (
        ("the box has been picked up", "the agent carries the box", "no box is left"),
        ("the box lies on the floor", "nobody has picked up the box", "a box waits to be picked up"),
    ),
    "locked-door-open": (
        ("the locked room is open", "the agent has opened the locked room"),
        ("the locked room is closed", "the door of the locked room is closed"),
    ),
    "key-put-down": (
        ("the agent has unlocked the room and put down the key",),
        ("the room is locked or the agent carries the key",),
    ),
    "ball-picked-up": (
        ("the ball has been picked up", "the agent carries the ball", "no ball is left"),
        ("the ball lies on the floor", "nobody has picked up the ball", "a ball waits to be picked up"),
    ),
    "red-door-open": (("an open red door", "the agent has opened the red door"), ("the red door is closed",)),
    "blue-door-open": (
        ("the red door and the blue door are open", "the agent has opened both doors"),
        ("not both doors are open", "a door is still closed"),
    ),
    "facing-red-ball": (
        ("the agent faces a red ball", "a red ball is right in front of the agent"),
        ("no red ball is in front of the agent", "the agent does not face the red ball"),
    ),
    "car-up-on-the-left": (
        ("the car is high up on the left", "a car on the left side of the mountain"),
        ("the car is not on the left side of the mountain",),
    ),
    "car-at-the-flag": (
        ("the car is at the yellow flag", "the car has reached the peak", "a car at the flag"),
        ("the car is not at the flag", "the car is below the peak", "a car in the valley"),
    ),
    "pole-upright": (
        ("the pole is upright", "a balanced pole on the cart", "the pole stands vertically on the cart"),
        ("the pole has fallen over", "the pole leans to the side", "the pole is not upright"),
    ),
}

_PLACES: Mapping[str, Sequence[str]] = {
    "grid": ("a grid world seen from above", "an agent in a grid world", "a small world with walls"),
    "mountain": ("a car in the mountain", "a car and a flag"),
    "cart": ("pole and cart", "a cart with a pole"),
}


@dataclass(frozen=True)
class Claim:
    """One thing that a caption says.

    Args:
        about: a true sub-task, or ``place:`` and where the frame was taken.
        holds: whether it is said to hold.
    """

    about: str
    holds: bool


@dataclass(frozen=True)
class Caption:
    """A sentence and what it claims.

    Args:
        text: the sentence.
        claims: all of which must hold where it is true.
    """

    text: str
    claims: tuple[Claim, ...]


def phrases(claim: Claim) -> Sequence[str]:
    """All ways to say it; the first way to say that a sub-task is done is its sentence."""
    if claim.about.startswith("place:"):
        return _PLACES[claim.about.removeprefix("place:")]
    done, not_done = _SAID[claim.about]
    return (SENTENCES[claim.about], *done) if claim.holds else not_done


def all_phrases() -> list[str]:
    """Everything that can be said, in a fixed order: what a tokeniser is made from."""
    claims = [Claim(about, holds) for about in _SAID for holds in (True, False)]
    claims += [Claim(f"place:{place}", True) for place in _PLACES]
    return [phrase for claim in claims for phrase in phrases(claim)]


def caption_of(claims: Sequence[Claim], chance: np.random.Generator) -> Caption:
    """A caption of one or two of the claims that hold on a frame, in words drawn at random."""
    count = min(len(claims), 1 + int(chance.random() < 0.4))
    chosen = [claims[int(index)] for index in chance.permutation(len(claims))[:count]]
    words = [options[int(chance.integers(len(options)))] for options in map(phrases, chosen)]
    return Caption(", ".join(words), tuple(chosen))
