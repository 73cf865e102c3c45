"""What is left of a budget, and what is set aside for calls that are on their way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from car.refine import Budget
from car.refine.purse import Purse, money
from car.vlm import Request, Usage
from car.vlm.price import FREE, ListPrice, Price
from car.vlm.tokens import at_most

QUESTION = Request("goal", "", 1, "You see frames.", ("What is the goal?",))
ESTIMATED = at_most(QUESTION, 0).input_tokens


def _after(budget: Budget, *calls: Usage) -> Purse:
    purse = Purse(budget)
    for each in calls:
        assert purse.refuses(QUESTION) == ""
        purse.pay(purse.set_aside(QUESTION), QUESTION, each)
    return purse


def _refused(budget: Budget, *calls: Usage) -> str:
    return _after(budget, *calls).refuses(QUESTION)


class TestWithoutALongestAnswer:
    def test_has_no_limit_by_default(self) -> None:
        assert _refused(Budget(), *[Usage(10**6, 10**6)] * 50) == ""

    def test_ends_with_the_last_call(self) -> None:
        assert _refused(Budget(calls=2), Usage(), Usage()) == "2 of 2 calls are made"

    def test_ends_before_the_call_that_would_use_too_many_tokens(self) -> None:
        assert _refused(Budget(tokens=1000), Usage(300, 0)) == ""
        said = _refused(Budget(tokens=1000), Usage(300, 50), Usage(300, 100))
        assert said == "750 of 1,000 tokens are used, and the next call may need 400 tokens"

    def test_ends_before_the_call_that_would_cost_too_much(self) -> None:
        budget = Budget(cost=1.0, price=Price(3, 15))
        assert _refused(budget, Usage(100_000, 0)) == ""
        said = _refused(budget, Usage(100_000, 20_000))
        assert said == "0.6000 by --price of 1.00 by --price are spent, and the next call may need 0.6000 by --price"

    def test_tokens_and_cost_are_counted(self) -> None:
        purse = _after(Budget(price=Price(3, 15)), Usage(100_000, 10_000), Usage(1, 1, 1, 0))
        assert (purse.calls, purse.usage) == (2, Usage(100_001, 10_001, 1, 0))
        assert purse.cost == pytest.approx(0.450018)

    def test_an_unknown_price_is_not_nothing(self) -> None:
        assert _after(Budget(price=ListPrice("no-such-model", "openai")), Usage(5, 5)).cost is None
        assert _after(Budget(price=FREE), Usage(5, 5)).cost == 0


class TestWithALongestAnswer:
    def test_the_first_call_too_is_refused_if_it_may_go_over(self) -> None:
        assert _refused(Budget(tokens=ESTIMATED + 500, max_output=500)) == ""
        said = _refused(Budget(tokens=ESTIMATED + 499, max_output=500))
        assert said.endswith("and the next call may need 516 tokens, with an answer of up to 500 (--max-output)")

    def test_what_is_on_its_way_counts(self) -> None:
        purse = Purse(Budget(tokens=2 * (ESTIMATED + 500), max_output=500))
        first = purse.set_aside(QUESTION)
        purse.set_aside(QUESTION)
        assert purse.refuses(QUESTION)
        purse.pay(first, QUESTION, Usage(1, 1))
        assert purse.refuses(QUESTION)
        assert Purse(Budget(calls=1)).refuses(QUESTION) == ""

    def test_a_call_that_came_to_nothing_gives_back_what_was_set_aside(self) -> None:
        purse = Purse(Budget(calls=1))
        receipt = purse.set_aside(QUESTION)
        assert purse.refuses(QUESTION)
        purse.give_back(receipt)
        assert purse.refuses(QUESTION) == ""

    def test_a_provider_that_counts_more_than_was_estimated_is_believed(self) -> None:
        budget = Budget(tokens=ESTIMATED * 9, max_output=1)
        assert _refused(budget, Usage(ESTIMATED, 1), Usage(ESTIMATED, 1)) == ""
        assert _refused(budget, Usage(ESTIMATED, 1), Usage(ESTIMATED * 5, 1))

    @given(
        used=st.lists(st.tuples(st.integers(0, ESTIMATED), st.integers(0, 300)), max_size=30),
        limit=st.integers(1, 9000),
        at_once=st.integers(1, 5),
    )
    def test_never_goes_over_and_reaches_the_same_calls_however_many_are_on_their_way(
        self, used: list[tuple[int, int]], limit: int, at_once: int
    ) -> None:
        price = Price(3, 15)
        budget = Budget(tokens=limit, cost=limit * 10 / 1e6, price=price, max_output=300)
        calls = [Usage(*each) for each in used]
        one = _driven(Purse(budget), calls, 1)
        assert _driven(Purse(budget), calls, at_once) == one
        assert sum(each.tokens for each in calls[:one]) <= limit
        assert sum(price.of(each) for each in calls[:one]) <= limit * 10 / 1e6 + 1e-12


def _driven(purse: Purse, calls: list[Usage], at_once: int) -> int:
    """How many calls are made if the oldest one on its way ends first."""
    way: list[tuple[int, Usage]] = []
    made = 0
    while made < len(calls) or way:
        if made < len(calls) and len(way) < at_once and not purse.refuses(QUESTION):
            way.append((purse.set_aside(QUESTION), calls[made]))
            made += 1
        elif way:
            receipt, usage = way.pop(0)
            purse.pay(receipt, QUESTION, usage)
        else:
            break
    return made


def test_money_is_as_exact_as_it_must_be() -> None:
    assert money(0.00312, ListPrice("a", "openai")) == "0.0031 USD"
    assert money(12.3456, ListPrice("a", "openai")) == "12.35 USD"
    assert money(0.5, Price(1, 2)) == "0.5000 by --price"
