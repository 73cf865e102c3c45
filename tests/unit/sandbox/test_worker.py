"""The parts of the worker that judge what a checker returned; the process around them has the conformance suite."""

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from car.sandbox import returned, worker


@pytest.mark.parametrize(
    ("said", "share"),
    [
        (0, 0.0),
        (1, 1.0),
        (np.float32(0.5), 0.5),
        (1 + 5e-7, 1.0),
        (-5e-7, 0.0),
        (True, 1.0),
        (np.False_, 0.0),
        (np.array(0.5), 0.5),
        (np.array(True), 1.0),
    ],
)
def test_progress_is_a_number_between_0_and_1(said: Any, share: float) -> None:
    assert returned.share(said) == share


@pytest.mark.parametrize(
    "said",
    [None, "1", math.nan, math.inf, -0.1, 1.1, 10**400, np.float64("nan"), np.array(1.5), np.ones(1), Fraction(1, 2)],
)
def test_other_progress_is_refused(said: Any) -> None:
    with pytest.raises(returned.NotAnAnswerError, match="one number in"):
        returned.share(said)


def test_facts_are_made_plain() -> None:
    facts = {"a": np.int64(3), "b": (1, np.float32(0.5)), "c": np.True_, "d": None, "e": "é", "f": math.nan}
    expected = {"a": 3, "b": [1, 0.5], "c": True, "d": None, "e": "é", "f": "nan"}
    assert json.loads(returned.facts(facts)) == expected


def test_what_is_nested_travels_as_its_json() -> None:
    facts = {"a": {"b": (1, np.int64(2))}, "c": [[1], {}], "d": np.arange(3), "e": np.eye(2), "f": np.array(3)}
    said = json.loads(returned.facts(facts))
    assert (said["d"], said["f"]) == ([0, 1, 2], 3)
    assert [json.loads(said[key]) for key in "ace"] == [{"b": [1, 2]}, [[1], {}], [[1, 0], [0, 1]]]


@pytest.mark.parametrize(
    "said", [None, [1], {1: 2}, {"a": {1: 2}}, {"a": object()}, {"a": np.array([object()])}, {"a": [{1, 2}]}]
)
def test_other_facts_are_refused(said: Any) -> None:
    with pytest.raises(returned.NotAnAnswerError, match="explain must return a dict of str"):
        returned.facts(said)


def test_texts_fit_into_the_mailbox() -> None:
    wide = "\U0001f600" * 500
    assert len(worker._Failed(worker.CRASHED, 2, 1, f"E: {wide}").text) <= worker.TEXT_BYTES
    assert len(returned.facts({"a": "\U0001f600" * 400})) <= worker.TEXT_BYTES
    with pytest.raises(returned.NotAnAnswerError, match="at most 2000 bytes"):
        returned.facts({"a": "\U0001f600" * 600})
    with pytest.raises(returned.NotAnAnswerError, match="at most 2000 bytes"):
        returned.facts({"a": np.zeros((999, 999))})


HUGE = ["x" * 10**6, 10**10**5, [1] * 10**5, np.zeros((1,) * 60), object(), -(1 << 70)]


@pytest.mark.parametrize("value", HUGE, ids=lambda value: type(value).__name__)
def test_what_was_returned_is_shown_briefly(value: object) -> None:
    assert 0 < len(returned.shown(value)) <= 200
