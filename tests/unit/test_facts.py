"""Facts measured from frames."""

import time
import tracemalloc

import cv2
import numpy as np
import pytest

from car.facts import Change, changes, family, measure


def _scene() -> np.ndarray:
    frame = np.zeros((24, 32, 3), np.uint8)
    frame[4:8, 6:11] = (255, 0, 0)
    frame[16:20, 20:28] = (0, 200, 0)
    return frame


def test_counts_exact_colours_with_hsv_and_share() -> None:
    facts = measure(_scene())
    assert (facts.width, facts.height, facts.exact) == (32, 24, True)
    black, green, red = facts.colours
    assert (red.rgb, red.hsv, red.pixels) == ((255, 0, 0), (0, 255, 255), 20)
    assert (green.hsv, green.pixels) == ((60, 255, 200), 32)
    assert black.share == pytest.approx((24 * 32 - 52) / (24 * 32))


def test_finds_connected_regions_with_boxes_and_leaves_the_background_out() -> None:
    assert [(each.family, each.box, each.pixels) for each in measure(_scene()).regions] == [
        ("green", (20, 16, 8, 4), 32),
        ("red", (6, 4, 5, 4), 20),
    ]


def test_two_regions_of_one_colour_are_two() -> None:
    frame = _scene()
    frame[20:22, 2:4] = (255, 0, 0)
    assert [each.box for each in measure(frame).regions if each.family == "red"] == [(6, 4, 5, 4), (2, 20, 2, 2)]


def test_a_photograph_has_its_colours_rounded() -> None:
    noisy = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    facts = measure(noisy, colours=5)
    assert not facts.exact
    assert len(facts.colours) == 5


def test_changes_say_where_and_from_what_to_what() -> None:
    before, after = _scene(), _scene()
    after[4:8, 6:11] = 0
    after[10:12, 12:14] = (0, 0, 255)
    assert changes(before, after) == (
        Change((6, 4, 5, 4), 20, (255, 0, 0), (0, 0, 0)),
        Change((12, 10, 2, 2), 4, (0, 0, 0), (0, 0, 255)),
    )
    assert changes(before, before) == ()


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0, 0, 0), "black"),
        ((100, 100, 100), "grey"),
        ((255, 255, 255), "white"),
        ((255, 0, 0), "red"),
        ((255, 255, 0), "yellow"),
        ((0, 0, 255), "blue"),
        ((112, 39, 195), "purple"),
        ((0, 255, 0), "green"),
    ],
)
def test_names_colour_families(rgb: tuple[int, int, int], name: str) -> None:
    assert family(rgb) == name


def test_hsv_is_on_opencvs_scale() -> None:
    colour = measure(np.full((8, 8, 3), (12, 200, 99), np.uint8)).colours[0]
    assert colour.hsv == tuple(cv2.cvtColor(np.uint8([[[12, 200, 99]]]), cv2.COLOR_RGB2HSV)[0, 0].tolist())


def test_noise_is_measured_quickly_and_in_little_memory() -> None:
    first, second = np.random.default_rng(0).integers(0, 256, (2, 240, 320, 3)).astype(np.uint8)
    tracemalloc.start()
    start = time.perf_counter()
    facts, found = measure(first), changes(first, second)
    seconds, (_, most) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(facts.regions) == 24
    assert len(found) >= 1
    assert seconds < 1
    assert most < 30 << 20


def test_only_the_largest_regions_are_kept_and_ties_go_by_place() -> None:
    frame = np.zeros((40, 40, 3), np.uint8)
    for x in range(0, 40, 4):
        frame[4:6, x : x + 2] = (255, 0, 0)
    frame[20:24, 30:34] = (255, 0, 0)
    assert [each.box for each in measure(frame, regions=3).regions] == [
        (30, 20, 4, 4),
        (0, 4, 2, 2),
        (4, 4, 2, 2),
    ]
    assert [each.box[0] for each in changes(frame, np.zeros_like(frame), most=2)] == [0, 30]
