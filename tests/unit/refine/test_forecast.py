"""What a generation will use, before it is begun."""

from dataclasses import replace

import pytest

from car.refine import Budget, forecast, scene_of
from car.refine.forecast import in_words
from car.verify import Split
from car.vlm import Request
from car.vlm.price import ListPrice, Price
from tests.planted import doorkey as planted
from tests.unit.refine.scripted import DOOR, KEY, program, told

BUDGET = Budget(price=Price(3, 15), max_output=8000)


def test_three_courses_from_the_budget(doorkey: Split) -> None:
    found = forecast(scene_of(doorkey), BUDGET)
    # 1 goal, 1 list, a program for each of two sub-tasks; three programs and three mended; 3 + 2 x 3 + 16 x 6.
    assert [each.calls for each in (found.least, found.likely, found.most)] == [4, 8, 105]
    assert found.least.tokens.high < found.likely.tokens.high < found.most.tokens.high
    assert all(each.cost and 0 < each.cost[0] < each.cost[1] for each in (found.least, found.likely, found.most))


def test_samples_and_attempts_count(doorkey: Split) -> None:
    scene = scene_of(doorkey)
    assert forecast(scene, replace(BUDGET, samples=4)).likely.calls == 2 + 3 * 4 + 3
    assert forecast(scene, replace(BUDGET, attempts=1)).likely.calls == 5
    assert forecast(scene, replace(BUDGET, rounds=1, attempts=1)).most.calls == 3 + 3 + 8 + 8


def test_a_real_session_is_within(doorkey: Split) -> None:
    """What was really asked has the tokens that were foretold for it, as the same estimate counts them."""
    from car.vlm.tokens import tokens_of

    script = {("checker", DOOR, 1): program(planted.ALWAYS_FALSE), ("refine", DOOR, 2): program(planted.RIGHT_DOOR)}
    requests = told(doorkey, script).vlm.requests
    found = forecast(scene_of(doorkey), BUDGET)
    assert found.least.calls < len(requests) < found.likely.calls
    low = sum(tokens_of(each).low for each in requests) + 400 * len(requests)
    assert found.least.tokens.low < low < found.likely.tokens.high
    assert KEY in {each.subject for each in requests}


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"calls": 6}, "6 calls, "),
        ({"tokens": 20_000}, ", at most 20,000 tokens, "),
        ({"cost": 0.5}, ", at most 0.5000"),
    ],
)
def test_a_limit_cuts_the_worst_case(limit: dict[str, float], words: str, doorkey: Split) -> None:
    budget = replace(BUDGET, **limit)  # type: ignore[arg-type]
    assert words in f", {in_words(forecast(scene_of(doorkey), budget).most, budget.price)}"


def test_an_unknown_price_is_said_and_is_not_nothing(doorkey: Split) -> None:
    budget = replace(BUDGET, price=ListPrice("no-such-model", "openai"))
    found = forecast(scene_of(doorkey), budget)
    assert found.likely.cost is None
    assert in_words(found.likely, budget.price).endswith(" tokens, price unknown")


def test_numbers_are_as_exact_as_an_estimate(doorkey: Split) -> None:
    words = in_words(forecast(scene_of(doorkey), BUDGET).most, BUDGET.price)
    tokens = words.split(", ", 1)[1].split(" tokens")[0]
    assert all(each.replace(",", "").rstrip("0").__len__() <= 2 for each in tokens.split(" to "))


def test_a_provider_that_counts_makes_it_narrower(doorkey: Split) -> None:
    asked: list[Request] = []

    def count(request: Request) -> int:
        asked.append(request)
        return 3000

    scene = scene_of(doorkey)
    (exact, estimated) = (forecast(scene, BUDGET, each).likely.tokens for each in (count, lambda request: None))
    assert [each.stage for each in asked] == ["checker"]
    assert exact.high - exact.low < estimated.high - estimated.low
    # Three questions of about 3,000 tokens with answers from 400 to 3,000, and five others.
    assert 3 * 3400 < exact.low < exact.high < 3 * 6000 + 5 * 9000


def test_a_limit_of_calls_limits_tokens_and_money_too(doorkey: Split) -> None:
    one = forecast(scene_of(doorkey), replace(BUDGET, calls=1)).most
    assert in_words(one, BUDGET.price).startswith("1 call, ")
    assert one.tokens.high < 30_000
    assert one.cost is not None
    assert one.cost[1] < 0.5
