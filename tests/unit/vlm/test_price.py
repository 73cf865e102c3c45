"""What tokens cost: typed, from the list, unknown, or nothing."""

import pytest

from car.errors import UserError
from car.vlm import Usage
from car.vlm.price import FREE, Free, ListPrice, Price, price_of

CALL = Usage(10_000, 1_000)


def test_a_typed_price_is_for_a_million_tokens() -> None:
    assert Price(3, 15).of(Usage(2_000_000, 100_000)) == pytest.approx(7.5)
    assert Price(3, 15).source == "--price 3/15"


@pytest.mark.parametrize("wrong", [(-1, 2), (1, float("nan")), (float("inf"), 1)])
def test_a_price_that_is_none_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(UserError, match="must be a number"):
        Price(*wrong)


class TestTheList:
    def test_knows_models_and_their_dated_names(self) -> None:
        price = ListPrice("gpt-4o", "openai").of(CALL)
        assert price is not None
        assert price > 0
        assert ListPrice("gpt-4o-2024-08-06", "openai").of(CALL) == price

    @pytest.mark.parametrize(
        "unknown",
        [
            ListPrice("no-such-model", "openai"),
            ListPrice("gpt-4o", "anthropic"),
            ListPrice("gpt-4o", url="http://localhost:8000/v1"),
        ],
    )
    def test_an_unknown_model_or_server_has_no_price_and_is_no_error(self, unknown: ListPrice) -> None:
        assert unknown.of(CALL) is None

    def test_what_comes_from_a_cache_costs_less(self) -> None:
        price = ListPrice("claude-sonnet-4-5", "anthropic")
        fresh, read, written = (price.of(Usage(10_000, 1_000, *cached)) for cached in ((0, 0), (8_000, 0), (0, 8_000)))
        assert fresh is not None
        assert read is not None
        assert written is not None
        assert read < fresh < written

    def test_a_server_that_counts_more_from_its_cache_than_there_is_ends_no_run(self) -> None:
        assert ListPrice("gpt-4o", "openai").of(Usage(10, 5, 20, 30)) is not None

    def test_knows_gateways_by_their_address(self) -> None:
        assert ListPrice("openai/gpt-4o", url="https://openrouter.ai/api/v1").of(CALL) is not None

    def test_says_where_the_prices_come_from(self) -> None:
        assert ListPrice("gpt-4o", "openai").source.startswith("genai-prices ")


@pytest.mark.parametrize(
    ("spec", "base_url", "price"),
    [
        ("manual", None, FREE),
        ("manual/folder", None, FREE),
        ("replay/a.json", None, FREE),
        ("openai/some/model", None, ListPrice("some/model", "openai")),
        ("anthropic/m", None, ListPrice("m", "anthropic")),
        ("compatible/m", "http://localhost:1/v1", ListPrice("m", url="http://localhost:1/v1")),
        ("anthropic/m", "http://gateway", ListPrice("m", url="http://gateway")),
    ],
)
def test_what_a_spec_costs(spec: str, base_url: str | None, price: ListPrice | Free) -> None:
    assert price_of(spec, base_url) == price
    assert price_of("replay/x").of(CALL) == 0
