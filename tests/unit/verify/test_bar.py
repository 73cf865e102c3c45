"""When counts decide, and when they are too few."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from car.errors import UserError
from car.verify.bar import Bar, broken_by_experts, broken_by_randoms, needs
from car.verify.interval import clopper_pearson, more_until


def decision(bar: Bar, experts: tuple[int, int], randoms: tuple[int, int]) -> str:
    if broken_by_experts(bar, *experts) or broken_by_randoms(bar, *randoms):
        return "rejected"
    return "undecided" if needs(bar, experts, randoms) else "accepted"


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [
        (0, 10, 0.0, 0.3084971),
        (1, 10, 0.0025286, 0.4450161),
        (5, 10, 0.1870860, 0.8129140),
        (10, 10, 0.6915029, 1.0),
        (0, 100, 0.0, 0.0362167),
        (9, 100, 0.0419836, 0.1639823),
    ],
)
def test_the_interval_is_that_of_the_tables(hits: int, total: int, low: float, high: float) -> None:
    assert clopper_pearson(hits, total) == pytest.approx((low, high), abs=2e-6)


def test_nothing_counted_says_nothing() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("hits", "total", "confidence"), [(-1, 3, 0.9), (4, 3, 0.9), (1, 3, 0.0), (1, 3, 1.0)])
def test_impossible_counts_are_refused(hits: int, total: int, confidence: float) -> None:
    with pytest.raises(ValueError, match="hits = "):
        clopper_pearson(hits, total, confidence)


@given(st.integers(1, 200), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_holds_the_share_and_narrows_with_less_confidence(total: int, data, confidence: float) -> None:
    hits = data.draw(st.integers(0, total))
    low, high = clopper_pearson(hits, total, confidence)
    narrow = clopper_pearson(hits, total, confidence / 2)
    assert low <= narrow[0] <= hits / total <= narrow[1] <= high


class TestTheRuleOfThePaper:
    @pytest.mark.parametrize(
        ("experts", "randoms", "said"),
        [
            ((20, 20), (0, 100), "accepted"),
            ((20, 20), (9, 100), "accepted"),
            ((20, 20), (10, 100), "rejected"),
            ((19, 20), (0, 100), "rejected"),
            ((20, 20), (0, 40), "accepted"),
            ((20, 20), (0, 20), "undecided"),
            ((20, 20), (1, 5), "undecided"),
            ((20, 20), (5, 10), "rejected"),
            ((20, 20), (10, 99), "rejected"),
            ((2, 2), (0, 100), "undecided"),
        ],
    )
    def test_decides(self, experts: tuple[int, int], randoms: tuple[int, int], said: str) -> None:
        assert decision(Bar(), experts, randoms) == said

    def test_says_whose_rule_it_is(self) -> None:
        assert str(Bar()).endswith("of 100 (the rule of the Code as Reward paper)")
        assert "paper" not in str(Bar(random_share=0.2))

    def test_says_how_many_more_would_decide(self) -> None:
        experts, randoms = needs(Bar(), (3, 3), (0, 20))
        assert (experts.who, experts.more) == ("expert", 7)
        assert (randoms.who, randoms.more) == ("random", 16)
        assert "0 of 20 random trajectories complete the whole chain without success" in randoms.said
        assert "16 more would decide it" in randoms.said


class TestWithAConfidence:
    @pytest.mark.parametrize(
        ("experts", "randoms", "said"),
        [
            ((40, 40), (0, 100), "accepted"),
            ((40, 40), (9, 100), "undecided"),
            ((40, 40), (20, 100), "rejected"),
            ((40, 40), (16, 100), "undecided"),
            ((20, 20), (0, 100), "undecided"),
            ((39, 40), (0, 100), "rejected"),
        ],
    )
    def test_the_whole_interval_must_be_on_one_side(
        self, experts: tuple[int, int], randoms: tuple[int, int], said: str
    ) -> None:
        assert decision(Bar(confidence=0.95), experts, randoms) == said

    def test_a_lower_bar_for_experts_is_proved_by_its_interval(self) -> None:
        bar = Bar(expert_share=0.8, confidence=0.95)
        assert decision(bar, (38, 40), (0, 100)) == "accepted"
        assert decision(bar, (33, 40), (0, 100)) == "undecided"
        assert decision(bar, (20, 40), (0, 100)) == "rejected"

    @pytest.mark.parametrize(("experts", "randoms"), [((20, 20), (0, 100)), ((40, 40), (4, 60)), ((40, 40), (1, 20))])
    def test_the_number_that_is_named_does_decide_and_one_fewer_does_not(
        self, experts: tuple[int, int], randoms: tuple[int, int]
    ) -> None:
        bar = Bar(confidence=0.95)
        counts = {"expert": experts, "random": randoms}
        (need,) = needs(bar, experts, randoms)
        assert need.more is not None
        for more, settled in ((need.more, True), (need.more - 1, False)):
            done, total = counts[need.who]
            then = {**counts, need.who: (round(done * (total + more) / total), total + more)}
            assert (decision(bar, then["expert"], then["random"]) != "undecided") is settled

    def test_no_number_decides_a_share_that_lies_on_the_limit(self) -> None:
        (need,) = needs(Bar(confidence=0.95), (40, 40), (10, 100))
        assert need.more is None
        assert "no number of further ones would decide it" in need.said


def test_more_until_walks_to_the_first_number() -> None:
    assert more_until(lambda hits, total: total >= 37, 0, 10) == 27
    assert more_until(lambda hits, total: False, 0, 10) is None


@pytest.mark.parametrize("share", [0.07, 0.14, 0.28, 0.29, 0.57])
def test_a_count_that_is_just_the_share_is_not_fewer(share: float) -> None:
    """0.07 * 100 is more than 7 in binary."""
    at = round(share * 100)
    assert decision(Bar(random_share=share), (20, 20), (at, 100)) == "rejected"
    assert decision(Bar(random_share=share), (20, 20), (at - 1, 100)) == "accepted"
    assert decision(Bar(expert_share=share), (at, 100), (0, 100)) == "accepted"


def test_thresholds_are_told_as_they_are() -> None:
    assert "fewer than 7.5%" in str(Bar(random_share=0.075))
    assert "99.6% confidence" in str(Bar(confidence=0.996))


def test_no_count_is_below_nothing() -> None:
    with pytest.raises(UserError, match="no count is below that"):
        Bar(random_share=0.0)


@pytest.mark.parametrize("wrong", [{"expert_share": 1.1}, {"random_share": -0.1}, {"confidence": 1.0}])
def test_a_number_out_of_its_range_is_one_sentence(wrong: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"from 0 to 1|above 0 and below 1"):
        Bar(**wrong)  # type: ignore[arg-type]
