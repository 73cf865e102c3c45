"""The parts of the worker that judge what a checker returned; the process around them has the conformance suite."""

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from car.sandbox import worker


@pytest.mark.parametrize(("said", "share"), [(0, 0.0), (1, 1.0), (np.float32(0.5), 0.5), (1 + 5e-7, 1.0), (-5e-7, 0.0)])
def test_progress_is_a_number_between_0_and_1(said: Any, share: float) -> None:
    assert worker._share(said) == share


@pytest.mark.parametrize(
    "said", [True, None, "1", math.nan, math.inf, -0.1, 1.1, 10**400, np.float64("nan"), np.array(0.5), Fraction(1, 2)]
)
def test_other_progress_is_refused(said: Any) -> None:
    with pytest.raises(worker.NotAnAnswerError, match="one number in"):
        worker._share(said)


def test_facts_are_made_plain() -> None:
    facts = {"a": np.int64(3), "b": (1, np.float32(0.5)), "c": np.True_, "d": None, "e": "é", "f": math.nan}
    expected = {"a": 3, "b": [1, 0.5], "c": True, "d": None, "e": "é", "f": "nan"}
    assert json.loads(worker._facts(facts)) == expected


@pytest.mark.parametrize(
    "said", [None, [1], {1: 2}, {"a": {}}, {"a": [[1]]}, {"a": np.ones(3)}, {"a": list(range(65))}]
)
def test_other_facts_are_refused(said: Any) -> None:
    with pytest.raises(worker.NotAnAnswerError, match="explain must return a dict of str"):
        worker._facts(said)


def test_texts_fit_into_the_mailbox() -> None:
    wide = "\U0001f600" * 500
    assert len(worker._Failed(worker.CRASHED, 2, 1, f"E: {wide}").text) <= worker.TEXT_BYTES
    assert len(worker._facts({"a": "\U0001f600" * 400})) <= worker.TEXT_BYTES
    with pytest.raises(worker.NotAnAnswerError, match="at most 2000 bytes"):
        worker._facts({"a": "\U0001f600" * 600})


HUGE = ["x" * 10**6, 10**10**5, [1] * 10**5, np.zeros((1,) * 60), object(), -(1 << 70)]


@pytest.mark.parametrize("value", HUGE, ids=lambda value: type(value).__name__)
def test_what_was_returned_is_shown_briefly(value: object) -> None:
    assert 0 < len(worker.shown(value)) <= 200
