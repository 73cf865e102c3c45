"""What is left of a budget, and what is set aside for calls that are on their way."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from car.refine import Budget
from car.refine.purse import Purse, money
from car.vlm import Picture, Request, Usage
from car.vlm.price import FREE, ListPrice, Price
from car.vlm.tokens import at_most

QUESTION = Request("goal", "", 1, "You see frames.", ("What is the goal?",))
PICTURE = Picture(np.zeros((512, 512, 3), np.uint8), "a frame")
ESTIMATED = at_most(QUESTION, 0).input_tokens


def _after(budget: Budget, *calls: Usage) -> Purse:
    purse = Purse(budget)
    for each in calls:
        assert purse.refuses(QUESTION) == ""
        purse.pay(purse.set_aside(QUESTION), each)
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
        assert said == "0.6000 of 1.00 are spent, and the next call may need 0.6000"

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
        purse = _after(Budget(tokens=3 * (ESTIMATED + 500), max_output=500), Usage(ESTIMATED, 0))
        first = purse.set_aside(QUESTION)
        assert purse.refuses(QUESTION) == ""
        purse.set_aside(QUESTION)
        assert purse.refuses(QUESTION)
        purse.pay(first, Usage(1, 1))
        assert purse.refuses(QUESTION) == ""

    def test_nothing_goes_out_beside_the_first_call_under_a_limit(self) -> None:
        for limit, alone in (({"tokens": 10**6}, True), ({"cost": 1.0, "price": Price(3, 15)}, True), ({}, False)):
            purse = Purse(Budget(max_output=500, **limit))  # type: ignore[arg-type]
            receipt = purse.set_aside(QUESTION)
            assert bool(purse.refuses(QUESTION)) is alone
            purse.pay(receipt, Usage(1, 1))
            purse.set_aside(QUESTION)
            assert purse.refuses(QUESTION) == ""

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

    def test_if_pictures_are_dear_a_question_with_more_of_them_needs_more(self) -> None:
        """A model that counts 8,500 tokens for each picture, as there are some."""
        two, seven = (Request("goal", "", 1, "", (*[PICTURE] * number, "?")) for number in (2, 7))
        purse = Purse(Budget(tokens=80_000, max_output=100))
        purse.pay(purse.set_aside(two), Usage(2 * 8500, 0))
        assert purse.refuses(two) == ""
        assert purse.refuses(seven) == ""
        purse.pay(purse.set_aside(two), Usage(2 * 8500, 0))
        assert "may need 59," in purse.refuses(seven)

    def test_what_goes_into_a_cache_costs_more_and_is_reckoned_with(self) -> None:
        price = ListPrice("claude-sonnet-4-5", "anthropic")
        long = Request("goal", "", 1, "x" * 20_000, ())
        written = price.of(Usage(10_000, 2100, 0, 10_000))
        assert written is not None
        assert Purse(Budget(cost=written, price=price, max_output=2100)).refuses(long) == ""
        assert Purse(Budget(cost=written * 0.99, price=price, max_output=2100)).refuses(long)

    def test_an_answer_that_is_on_disk_needs_what_it_has_used(self) -> None:
        purse = Purse(Budget(tokens=400, max_output=100_000))
        assert purse.refuses(QUESTION)
        assert purse.refuses(QUESTION, Usage(300, 100)) == ""
        purse.pay(purse.set_aside(QUESTION, Usage(300, 100)), Usage(300, 100))
        assert purse.refuses(QUESTION, Usage(0, 1))

    def test_where_a_provider_counts_nothing_limits_go_by_what_was_set_aside(self) -> None:
        budget = Budget(tokens=3 * (ESTIMATED + 500), price=Price(3, 15), max_output=500)
        purse = _after(budget, Usage(), Usage(), Usage())
        limit = f"{3 * (ESTIMATED + 500):,}"
        said = f"{limit} of {limit} tokens are reckoned as used, for no tokens are counted"
        assert purse.refuses(QUESTION).startswith(said)
        assert (purse.usage, purse.cost) == (Usage(), None)

    @given(
        used=st.lists(st.tuples(st.integers(1, 3 * ESTIMATED), st.integers(0, 300), st.booleans()), max_size=30),
        limit=st.integers(1, 9000),
        at_once=st.integers(1, 5),
    )
    def test_never_goes_over_if_no_question_counts_more_than_any_before(
        self, used: list[tuple[int, int, bool]], limit: int, at_once: int
    ) -> None:
        """What is counted may be three times the estimate, and all of it written into a cache."""
        price = ListPrice("claude-sonnet-4-5", "anthropic")
        first = max((tokens for tokens, _, _ in used), default=1)
        calls = [Usage(first, 300, 0, first)]
        calls += [Usage(tokens, output, 0, tokens * written) for tokens, output, written in used]
        money = limit * 6 / 1e6
        budget = Budget(tokens=limit, cost=money, price=price, max_output=300)
        made = _driven(Purse(budget), calls, at_once)
        # The first call may go over by what the estimate was off; nobody could know.
        assume(calls[0].tokens <= limit and (price.of(calls[0]) or 0) <= money)
        assert _driven(Purse(budget), calls, 1) == made
        assert sum(each.tokens for each in calls[:made]) <= limit
        assert sum(price.of(each) or 0 for each in calls[:made]) <= money + 1e-12


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
            purse.pay(receipt, usage)
        else:
            break
    return made


def test_money_is_as_exact_as_it_must_be() -> None:
    assert money(0.00312, ListPrice("a", "openai")) == "0.0031 USD"
    assert money(12.3456, ListPrice("a", "openai")) == "12.35 USD"
    assert money(0.5, Price(1, 2)) == "0.5000"
    assert money(0.00003, Price(1, 2)) == "0.000030"
    assert money(0, Price(1, 2)) == "0.00"
