"""In what the goal and the environment's success disagree, and how episodes are counted."""

import pytest

from car.audit import Tally
from car.audit.played import TRAINING, confirmed, flaw_of
from car.refine import Flaw
from tests.unit.audit.planted_audit import EARLY, FALSE, FINE, MISSED, RIGHT, episode, played


@pytest.mark.parametrize(
    ("success", "terminated", "goal", "flaw"),
    [
        (False, True, None, None),
        (False, False, 1, Flaw.UNCONFIRMED),
        (False, True, 2, Flaw.UNCONFIRMED),
        (True, True, None, Flaw.MISSED),
        (True, True, 1, Flaw.EARLY),
        (True, True, 2, None),
        (True, False, 1, None),
    ],
)
def test_the_convention_is_that_of_verification(
    success: bool, terminated: bool, goal: int | None, flaw: Flaw | None
) -> None:
    assert flaw_of(episode(RIGHT, 1, success, terminated=terminated), goal) is flaw


def test_an_episode_as_the_reward_saw_it() -> None:
    assert (FINE.times, FINE.way, FINE.flaw) == ((1, 2), (0, 1), None)
    assert FINE.paid == pytest.approx((0.99 + 0.99**2) / 2, abs=1e-6)
    assert [each.flaw for each in (FALSE, EARLY, MISSED)] == [Flaw.UNCONFIRMED, Flaw.EARLY, Flaw.MISSED]


def test_what_is_done_on_the_first_frame_is_credited_and_not_paid() -> None:
    seen = played((12, 12), 1, success=False)
    assert (seen.times, seen.paid) == ((0, None), 0.0)


def test_a_tally_counts_and_comes_back_from_json() -> None:
    tally = Tally(TRAINING)
    for each in (FALSE, FALSE, MISSED, FINE):
        tally = tally.with_one(each, goal=1)
    assert (tally.episodes, tally.steps, tally.goals, tally.successes) == (4, 10, 3, 2)
    assert dict(tally.flaws) == {"goal without success": 2, "success without the goal": 1}
    assert Tally.of(tally.as_dict()) == tally


def test_a_success_that_is_never_reported_is_none() -> None:
    failed, solved = (episode(RIGHT, 1, success=each) for each in (False, True))
    nothing, something = (Tally(TRAINING).with_one(each, goal=1) for each in (FALSE, FINE))
    assert confirmed([], [nothing])
    assert confirmed([failed], [something])
    assert confirmed([failed, solved], [nothing])
    assert not confirmed([failed], [nothing])
