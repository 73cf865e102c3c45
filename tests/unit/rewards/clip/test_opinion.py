"""A second opinion is evidence, and never a rule."""

import numpy as np
import pytest

from car.checker import Checker, SubTask
from car.rewards.clip.opinion import NAME, second_opinions
from car.trajectory import Trajectory
from car.verify import Observation
from tests.unit.rewards.clip.small_clip import FakeEncoder, coloured

_RED, _BLUE = coloured(255, 0, 0), coloured(0, 0, 255)
_ENCODER = {"it is red": (1, 0, 0), "it is blue": (0, 0, 1)}


def _checker(sentence: str) -> Checker:
    return Checker(SubTask("coloured", sentence), "def check(found, current):\n    return False\n")


def _seen(done: list[bool], asked: list[bool] | None = None) -> Observation:
    """An episode that is red where the checker says done; each frame a little different."""
    frames = [(_RED if said else _BLUE).copy() for said in done]
    for number, frame in enumerate(frames):
        frame[2, 2] = number
    columns = np.array(done, np.bool_)[:, None]
    extra = {} if asked is None else {"asked": np.array(asked, np.bool_)[:, None]}
    return Observation(Trajectory.of(frames, "expert"), columns, **extra)


@pytest.mark.parametrize(("sentence", "auc"), [("it is red", 1.0), ("it is blue", 0.0)])
def test_the_agreement_is_that_of_the_score_with_what_the_checker_says(sentence: str, auc: float) -> None:
    (probe,) = second_opinions(FakeEncoder(_ENCODER), [_seen([False, False, True])] * 2, [_checker(sentence)])
    assert probe.values["auc"] == auc
    assert (probe.values["done"], probe.values["not_done"]) == (2, 4)
    assert f"{auc:.2f}" in probe.said


def test_it_decides_nothing() -> None:
    (probe,) = second_opinions(FakeEncoder(_ENCODER), [_seen([False, True])], [_checker("it is blue")])
    assert (probe.name, probe.strict, probe.passed, probe.rejects) == (NAME, False, None, False)


def test_frames_that_were_not_asked_about_do_not_count() -> None:
    seen = _seen([False, False, True], [True, False, True])
    (probe,) = second_opinions(FakeEncoder(_ENCODER), [seen], [_checker("it is red")])
    assert (probe.values["done"], probe.values["not_done"]) == (1, 1)


def test_a_checker_that_always_says_the_same_has_no_second_opinion() -> None:
    (probe,) = second_opinions(FakeEncoder(_ENCODER), [_seen([False, False])], [_checker("it is red")])
    assert "auc" not in probe.values
    assert probe.said == "The checker says done of no frame that was looked at."


def test_a_sentence_that_the_model_cannot_read_is_said_to_be_one() -> None:
    from car.errors import UserError

    class Reader(FakeEncoder):
        def texts(self, sentences):
            raise UserError("It is too long.")

    (probe,) = second_opinions(Reader(_ENCODER), [_seen([False, True])], [_checker("it is red")])
    assert probe.said == "CLIP could not be asked: It is too long."


def test_at_most_300_frames_of_each_kind_are_looked_at() -> None:
    encoder = FakeEncoder(_ENCODER)
    seen = [_seen([False] * 200 + [True]) for _ in range(3)]
    (probe,) = second_opinions(encoder, seen, [_checker("it is red")])
    assert (probe.values["done"], probe.values["not_done"]) == (3, 300)
