import json
from dataclasses import asdict
from pathlib import Path

import pytest

from car.batch import Outcome, Standing, exit_code_of
from car.batch.order import Order
from car.batch.run import Audience, Batch, _Run
from car.checker import SubTask
from car.errors import CarError, NothingUsable, UserError
from car.refine import Asked, Leaving, Rejected, Replied, Unanswered, Waiting
from car.tasks import find_task
from car.vlm import Reply, Request, Usage
from car.vlm.price import FREE, Price

ASKED = Asked(Request("checker", "the-door", 1, "", ()))
REPLIED = Replied(ASKED.request, Reply("Here.", usage=Usage(1000, 200)))


def test_a_standing_counts_and_says_what_happened() -> None:
    price, standing = Price(3, 15), Standing()
    for event, doing in (
        (ASKED, "the-door: asked"),
        (Waiting(1), "the-door: asked"),
        (REPLIED, "the-door: answered"),
        (Rejected(SubTask("the-door", "It is open."), 1, ()), "the-door: rejected"),
        (ASKED, "the-door: asked"),
        (Unanswered(ASKED.request), "the-door: asked"),
        (Leaving(2), "waiting for answers on the way"),
    ):
        standing = standing.after(event, price)
        assert standing.doing == doing
    assert (standing.calls, standing.tokens, standing.cost) == (1, (1000, 200), pytest.approx(0.006))
    assert Standing.of(json.loads(json.dumps(asdict(standing)))) == standing
    assert Standing().after(REPLIED, FREE).cost == 0


def test_an_outcome_survives_the_way_between_processes() -> None:
    outcome = Outcome("unlock", "accepted", None, 5, (1000, 200), 0.5, verdict={"accepted": True})
    assert Outcome.told(json.loads(json.dumps(outcome.as_dict()))) == outcome


def test_what_failed_says_what_was_used() -> None:
    failed = Outcome.failed("unlock", NothingUsable("No answer could be used."), Standing("", 3, (10, 2), 0.1))
    assert (failed.decision, failed.calls, failed.tokens, failed.cost) == ("failed", 3, (10, 2), 0.1)
    assert (failed.error, failed.exit_code) == ("No answer could be used.", 3)


@pytest.mark.parametrize(
    ("codes", "code"), [([0, 0], 0), ([0, 1], 1), ([1, 2, 0], 1), ([2], 1), ([0, 3, 2], 3), ([1, 3], 3)]
)
def test_the_exit_code_is_that_of_the_worst(codes: list[int], code: int) -> None:
    assert exit_code_of([Outcome(str(each), "", exit_code=each) for each in codes]) == code


def test_kinds_of_errors_have_these_codes() -> None:
    assert [each.exit_code for each in (UserError, NothingUsable, CarError)] == [2, 3, 2]


def test_a_bundle_that_cannot_be_put_in_its_place_fails_alone(tmp_path: Path) -> None:
    told: list[Outcome] = []
    task = find_task("unlock")
    run = _Run(Batch([task], Order("replay/unlock"), tmp_path, tmp_path), Audience(ended=told.append))
    run._tasks = [task]
    run._end(0, None)
    run._hear(0, {"outcome": Outcome("unlock", "accepted", None, 5, (1, 2), 0.5).as_dict()})
    run._end(0, None)
    assert [each.decision for each in told] == ["failed", "failed"]
    assert "ended without a verdict" in str(told[0].error)
    assert "The bundle of 'unlock' cannot be put into" in str(told[1].error)
