"""Small charts as inline SVG."""

from xml.etree import ElementTree

import pytest

from car.page.chart import first_times, ratio_bar, share_bar


def parsed(chart: str) -> ElementTree.Element:
    """The chart; a parse error if it is not well-formed."""
    return ElementTree.fromstring(chart)


def widths(chart: str) -> list[float]:
    return [float(each.get("width", "0")) for each in parsed(chart).iter("rect")]


@pytest.mark.parametrize(("done", "share"), [(0, 0.0), (5, 0.5), (10, 1.0)])
def test_a_share_is_as_long_as_it_is_large(done: int, share: float) -> None:
    track, bar = widths(share_bar(done, 10, (0.0, 1.0), "expert"))
    assert bar == pytest.approx(share * track, abs=0.1)


def test_the_interval_is_drawn_and_said() -> None:
    chart = share_bar(2, 10, (0.025, 0.556), "random")
    (path,) = parsed(chart).iter("path")
    assert parsed(chart).get("aria-label") == "2 of 10, between 2.5-56%"
    assert path.get("d") == "M2.1 7H46.7M2.1 3.5v7M46.7 3.5v7"


def test_a_share_of_none_is_an_empty_bar() -> None:
    assert widths(share_bar(0, 0, (0.0, 1.0), "random"))[1] == 0.0


@pytest.mark.parametrize(("ratio", "bar"), [(0.0, 0.0), (1.0, 80.0), (1.25, 100.0), (9.0, 100.0)])
def test_a_ratio_ends_where_the_chart_does(ratio: float, bar: float) -> None:
    chart = ratio_bar(ratio, 1.25, 1.0, "bad", 100)
    assert widths(chart) == [100.0, bar]
    (limit,) = parsed(chart).iter("path")
    assert limit.get("d") == "M80.0 0v16"


def marks(chart: str, kind: str) -> list[float]:
    (path,) = (each for each in parsed(chart).iter("path") if f"c-{kind}-mark" in each.get("class", ""))
    return [float(each.partition(" ")[0]) for each in path.get("d", "").split("M")[1:]]


def test_each_time_is_a_mark_and_later_ones_are_further_right() -> None:
    chart = first_times([9, None, 4], [300, 0, None, 620], 620)
    experts, randoms = marks(chart, "expert"), marks(chart, "random")
    assert (len(experts), len(randoms)) == (2, 3)
    places = [randoms[0], *experts, *randoms[1:]]
    assert places == sorted(set(places))
    assert places[-1] <= float(parsed(chart).get("width", "0"))
    assert (
        parsed(chart).get("aria-label") == "first done: experts 2 of 3, frames 4 to 9; random 3 of 4, frames 0 to 620"
    )


@pytest.mark.parametrize(
    ("last", "ticks"),
    [(0, ["0"]), (1, ["0", "1"]), (20, ["0", "1", "3", "10", "20"]), (98, ["0", "1", "3", "10", "30", "98"])],
)
def test_the_axis_names_round_numbers_and_its_end(last: int, ticks: list[str]) -> None:
    chart = first_times([], [], last)
    assert [each.text for each in parsed(chart).iter("text") if each.get("class") == "c-label"] == ticks


def test_where_it_is_never_done_there_is_no_mark() -> None:
    chart = first_times([None], [], 10)
    assert marks(chart, "expert") == marks(chart, "random") == []
    assert list(parsed(chart).iter("circle")) == []
