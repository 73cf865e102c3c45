"""Which sub-tasks random continuations show to be weak."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from car.trajectory import Trajectory
from car.verify import Observation
from car.verify.shortcut import MOST_FOR_NOTHING, Opening, Shortcut, Trial, opening

MISSED = Trial(lead=3, taken=None)
USEFUL = Trial(lead=3, taken=9, before=8, own=5, reached=True, left=6)
FOR_NOTHING = Trial(lead=3, taken=5, before=8, own=5, reached=True, left=9)
OUT_OF_REACH = Trial(lead=3, taken=5, before=8, own=5, reached=False)
NOT_KNOWN = Trial(lead=3, taken=5, before=8, own=5)
NOT_ASKED = Trial(lead=3, taken=5)


def facts(**counted: int) -> Shortcut:
    """The facts of so many trials of each kind."""
    kinds = {
        "missed": MISSED,
        "useful": USEFUL,
        "for_nothing": FOR_NOTHING,
        "out_of_reach": OUT_OF_REACH,
        "not_known": NOT_KNOWN,
        "not_asked": NOT_ASKED,
    }
    return Shortcut.of("wave", 30, [kinds[name] for name, count in counted.items() for _ in range(count)])


@pytest.mark.parametrize(
    ("counted", "passed"),
    [
        ({"missed": 40}, True),
        ({"useful": 40}, True),
        ({"for_nothing": 40}, False),
        ({"out_of_reach": 40}, False),
        ({"for_nothing": 13, "missed": 27}, True),
        ({"for_nothing": 14, "missed": 26}, False),
        ({"for_nothing": 13, "useful": 27}, True),
        ({"for_nothing": 14, "useful": 26}, False),
        ({"for_nothing": 9}, None),
        ({"for_nothing": 10}, False),
        ({"not_known": 40}, None),
        ({"not_known": 13, "missed": 27}, True),
        ({"not_asked": 36, "for_nothing": 4}, None),
        ({"not_asked": 35, "for_nothing": 5}, False),
        ({"not_asked": 35, "useful": 5}, True),
    ],
)
def test_weak_is_what_is_often_done_for_nothing(counted: dict[str, int], passed: bool | None) -> None:
    probe = facts(**counted).probe()
    assert probe.passed is passed
    assert (probe.name, probe.subtask, probe.strict, probe.rejects) == ("shortcut", "wave", False, False)


def test_equally_far_is_no_nearer() -> None:
    nearer = Trial(3, 5, before=8, own=5, reached=True, left=7)
    assert nearer.for_nothing is False
    assert Trial(3, 5, before=8, own=5, reached=True, left=8).for_nothing is True


def test_those_that_nobody_was_asked_about_count_like_the_others() -> None:
    assert facts(for_nothing=6, useful=6, not_asked=8, missed=20).share_for_nothing == 0.25
    assert facts(for_nothing=10, useful=10, missed=20).share_for_nothing == 0.25


def test_the_facts_are_counted_and_written() -> None:
    found = facts(for_nothing=4, useful=2, out_of_reach=1, not_asked=3, missed=10)
    assert asdict(found) == {
        "subtask": "wave",
        "steps": 30,
        "continuations": 20,
        "completed": 10,
        "completed_steps": 5.0,
        "expert_steps": 3.0,
        "within_lead": 0,
        "asked": 7,
        "reached": 6,
        "for_nothing": 5,
        "before": 8.0,
        "left": 9.0,
        "own": 5.0,
    }
    values = found.probe().values
    assert json.loads(json.dumps(values)) == values
    assert values["share"] == 0.5
    assert values["share_for_nothing"] == pytest.approx(0.5 * 5 / 7)


def test_as_soon_as_the_expert() -> None:
    trials = [Trial(lead=3, taken=taken) for taken in (1, 2, 3, 4, None)]
    assert Shortcut.of("wave", 30, trials).within_lead == 3


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        (
            {"for_nothing": 30, "missed": 10},
            "30 of 40 random continuations of expert episodes have this sub-task done within 30 steps, half of these "
            "within 5; an expert needs 3. After 30 of the 30 that an expert then took over, the goal is no nearer than "
            "before; half of the times it needs at most 9 steps from there, 8 from the start and 5 from where it has "
            "done the sub-task itself.",
        ),
        (
            {"missed": 40},
            "0 of 40 random continuations of expert episodes have this sub-task done within 30 steps; an expert needs "
            "3.",
        ),
        (
            {"out_of_reach": 30},
            "30 of 30 random continuations of expert episodes have this sub-task done within 30 steps, half of these "
            "within 5; an expert needs 3. After 30 of the 30 that an expert then took over, the goal is no nearer than "
            "before: it is out of reach.",
        ),
        (
            {"not_known": 30},
            "30 of 30 random continuations of expert episodes have this sub-task done within 30 steps, half of these "
            "within 5; an expert needs 3. Whether the goal is nearer then is not known: no expert can go on from "
            "there.",
        ),
        (
            {"missed": 8},
            "Only 8 random continuations could be played from where this sub-task becomes possible and is not done "
            "yet; 10 are needed.",
        ),
    ],
)
def test_what_is_said(counted: dict[str, int], said: str) -> None:
    assert facts(**counted).probe().said == said


@given(st.dictionaries(st.sampled_from(["missed", "useful", "for_nothing", "out_of_reach"]), st.integers(0, 60)))
def test_nothing_is_weak_that_is_seldom_done(counted: dict[str, int]) -> None:
    found = facts(**counted)
    assert found.share_for_nothing is None or found.share_for_nothing <= found.share + 1e-12
    assert not (found.weak and found.share <= MOST_FOR_NOTHING)


def seen(*columns: list[int]) -> Observation:
    done = np.array(columns, np.bool_).T
    frames = np.zeros((len(done), 8, 8, 3), np.uint8)
    return Observation(Trajectory.of(frames, "expert"), done)


def test_a_subtask_opens_when_the_last_that_it_comes_after_is_credited() -> None:
    after = [[], [], [0, 1]]
    observation = seen([0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0], [1, 1, 1, 0, 0, 1])
    assert opening(observation, 0, after) == Opening(0, 1)
    assert opening(observation, 2, after) == Opening(3, 5)
    assert Opening(3, 5).lead == 2


def test_what_is_never_credited_has_no_opening() -> None:
    assert opening(seen([0, 0, 0], [1, 1, 1]), 1, [[], [0]]) is None
    assert opening(seen([0, 1, 0], [1, 0, 0]), 1, [[], [0]]) is None
