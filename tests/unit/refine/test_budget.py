"""What a generation may use, and what is left of it."""

import pytest

from car.errors import BudgetSpent, UserError
from car.refine import Budget, GaveUp
from car.refine.purse import Purse
from car.verify import Rule, Split
from car.vlm import Usage
from tests.unit.refine.scripted import GOAL, KEY, told


def _after(budget: Budget, *calls: Usage) -> str:
    purse = Purse(budget)
    for each in calls:
        assert purse.empty() == ""
        purse.pay(each)
    return purse.empty()


class TestAPurse:
    def test_has_no_limit_by_default(self) -> None:
        assert _after(Budget(), *[Usage(10**6, 10**6)] * 50) == ""

    def test_ends_with_the_last_call(self) -> None:
        assert _after(Budget(calls=2), Usage(), Usage()) == "2 of 2 calls are made"

    def test_ends_before_the_call_that_would_use_too_many_tokens(self) -> None:
        assert _after(Budget(tokens=1000), Usage(300, 0)) == ""
        assert _after(Budget(tokens=1000), Usage(300, 50), Usage(300, 100)) == "750 of 1,000 tokens are used"

    def test_ends_before_the_call_that_would_cost_too_much(self) -> None:
        budget = Budget(cost=1.0, price=Price(3, 15))
        assert _after(budget, Usage(100_000, 0)) == ""
        assert _after(budget, Usage(100_000, 20_000)) == "0.60 of 1.00 are spent"

    def test_a_price_is_for_a_million_tokens(self) -> None:
        assert Price(3, 15).of(Usage(2_000_000, 100_000)) == pytest.approx(7.5)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"calls": 0}, "calls is 0; it must be positive"),
        ({"samples": -1}, "samples is -1"),
        ({"cost": 2.0}, "needs a price, e.g. --price 3/15"),
    ],
)
def test_a_wrong_limit_is_one_sentence(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Budget(**wrong)  # type: ignore[arg-type]


def test_a_negative_price_is_refused() -> None:
    with pytest.raises(UserError, match="cannot be negative"):
        Price(-1, 2)


def test_a_spent_budget_leaves_the_best_that_was_found(doorkey: Split) -> None:
    run = told(doorkey, budget=Budget(calls=4))
    assert len(run.vlm.requests) == 4
    assert [each.subtask.name for each in run.draft.checkers] == [KEY, "open-the-door"]
    assert [each.rule for each in run.draft.verdict.of(GOAL)] == [Rule.NO_PROGRAM]
    assert run.draft.ended == "4 of 4 calls are made"
    (gave_up,) = [each for each in run.events if isinstance(each, GaveUp)]
    assert gave_up.ended == "4 of 4 calls are made"


@pytest.mark.parametrize("limit", [{"calls": 1}, {"calls": 2}, {"tokens": 230}])
def test_a_budget_that_ends_before_any_program_is_said(limit: dict[str, int], doorkey: Split) -> None:
    with pytest.raises(BudgetSpent, match="The budget ended before") as ended:
        told(doorkey, budget=Budget(**limit))  # type: ignore[arg-type]
    assert ended.value.exit_code == 1
