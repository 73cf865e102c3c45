"""What a generation may use, and what is left of it."""

import pytest

from car.errors import BudgetSpent, UserError
from car.refine import Budget, GaveUp
from car.verify import Rule, Split
from car.vlm.price import ListPrice
from tests.unit.refine.scripted import DOOR, GOAL, KEY, told

UNKNOWN = ListPrice("no-such-model", "openai")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"calls": 0}, "The limit of calls is 0; it must be a positive number"),
        ({"samples": -1}, "limit of samples is -1"),
        ({"max_output": 0}, "limit of max output is 0"),
        (
            {"cost": 2.0, "price": ListPrice("no-such-model", "openai")},
            "has none for this model at this server; give it .* --price 3/15",
        ),
    ],
)
def test_a_wrong_limit_is_one_sentence(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Budget(**wrong)  # type: ignore[arg-type]


def test_a_spent_budget_leaves_the_best_that_was_found(doorkey: Split) -> None:
    run = told(doorkey, budget=Budget(calls=4))
    assert len(run.vlm.requests) == 4
    assert [each.subtask.name for each in run.draft.checkers] == [KEY, DOOR]
    assert [each.rule for each in run.draft.verdict.of(GOAL)] == [Rule.NO_PROGRAM]
    assert run.draft.ended == "4 of 4 calls are made"
    (gave_up,) = [each for each in run.events if isinstance(each, GaveUp)]
    assert gave_up.ended == "4 of 4 calls are made"


@pytest.mark.parametrize("limit", [{"calls": 1}, {"calls": 2}, {"tokens": 230}])
def test_a_budget_that_ends_before_any_program_is_said(limit: dict[str, int], doorkey: Split) -> None:
    with pytest.raises(BudgetSpent, match="The budget ended before") as ended:
        told(doorkey, budget=Budget(**limit))  # type: ignore[arg-type]
    assert ended.value.exit_code == 1
