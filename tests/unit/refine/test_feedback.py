"""From a finding to what goes back: the fact, the decisive frames, and the values behind the answer."""

import numpy as np
import pytest

from car.checker import Checker, SubTask
from car.refine.feedback import complaint_about
from car.trajectory import Trajectory
from car.verify import Finding, Rule, observe
from tests.unit.refine.scripted import InThisProcess

BRIGHT = """
def check(found, current):
    return bool(current[0, 0, 0] > 40)


def explain(found, current):
    return {"level": int(current[0, 0, 0]), "at_first": int(found[0, 0, 0])}
"""
SILENT = "def check(found, current):\n    return False\n"


@pytest.fixture
def episode() -> Trajectory:
    """Ten frames, each ten brighter than the one before."""
    return Trajectory.of([np.full((4, 4, 3), 10 * level, np.uint8) for level in range(10)], "expert", seed=3)


def _complaint(rule: Rule, time: int | None, episode: Trajectory, source: str = BRIGHT, probe: str = ""):
    finding = Finding(rule, "bright", "What was measured.", None if time is None else 1, time, probe)
    other = Trajectory.of([np.zeros((4, 4, 3), np.uint8)], "random", seed=4)
    with InThisProcess().open([Checker(SubTask("bright", "It is bright."), source)]) as session:
        return complaint_about(finding, observe(session, [other, episode]), session)


@pytest.mark.parametrize(
    ("rule", "time", "shown"),
    [
        (Rule.TOO_EARLY, 5, [0, 4, 5]),
        (Rule.GOAL_TOO_EARLY, 1, [0, 1]),
        (Rule.TRUE_AT_START, 0, [0]),
        (Rule.CRASHES, 5, [0, 5]),
        (Rule.NOT_PURE, 5, [0, 5]),
        (Rule.NEVER_ON_EXPERT, 9, [0, 3, 6, 9]),
    ],
)
def test_shows_the_frames_that_decide(rule: Rule, time: int, shown: list[int], episode: Trajectory) -> None:
    complaint = _complaint(rule, time, episode)
    assert complaint.message == "What was measured."
    assert list(complaint.frames) == [f"expert episode 2, frame {each}" for each in shown]
    for caption, each in zip(complaint.captions, shown, strict=True):
        assert (complaint.frames[caption] == episode.frame(each)).all()


@pytest.mark.parametrize("rule", [Rule.TOO_EASY, Rule.FALSE_GOAL])
def test_shows_a_frame_on_which_it_is_rightly_done(rule: Rule, episode: Trajectory) -> None:
    captions = list(_complaint(rule, 7, episode).frames)
    assert captions[:3] == [f"expert episode 2, frame {each}" for each in (0, 6, 7)]
    assert captions[3:] == ["expert episode 2, frame 5, where it is rightly done"]


def test_shows_the_picture_that_shows_nothing(episode: Trajectory) -> None:
    complaint = _complaint(Rule.EXPLOITABLE, 3, episode, probe="white")
    assert list(complaint.frames)[:3] == ["expert episode 2, frame 0", "expert episode 2, frame 3", "the white picture"]
    assert (complaint.frames["the white picture"] == 255).all()
    assert 'the white picture: check = True, {"at_first": 0, "level": 255}' in complaint.facts


def test_says_what_kind_of_mistake_it_is(episode: Trajectory) -> None:
    assert _complaint(Rule.TOO_EARLY, 5, episode).kind == "wrong order"
    assert _complaint(Rule.DUPLICATE, None, episode).kind == "says the same as another"


def test_tells_what_explain_said_on_each_of_them(episode: Trajectory) -> None:
    assert _complaint(Rule.TOO_EARLY, 5, episode).facts == (
        'frame 0: check = False, {"at_first": 0, "level": 0}; '
        'frame 4: check = False, {"at_first": 0, "level": 40}; '
        'frame 5: check = True, {"at_first": 0, "level": 50}'
    )


def test_a_program_without_explain_has_no_values(episode: Trajectory) -> None:
    assert _complaint(Rule.NEVER_ON_EXPERT, 9, episode, SILENT).facts == ""


def test_a_finding_without_a_place_is_the_fact_alone(episode: Trajectory) -> None:
    complaint = _complaint(Rule.DUPLICATE, None, episode)
    assert (complaint.message, complaint.facts, complaint.captions) == ("What was measured.", "", [])
