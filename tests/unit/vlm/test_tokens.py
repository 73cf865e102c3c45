"""Tokens, estimated."""

import numpy as np
import pytest

from car.vlm import Picture, Request, Usage
from car.vlm.tokens import Range, at_most, tokens_of, tokens_of_picture, tokens_of_text


def _request(side: int = 512, text: str = "x" * 600) -> Request:
    return Request("goal", "", 1, "s" * 40, (Picture(np.zeros((side, side, 3), np.uint8), ""), text))


def test_ranges_add_up() -> None:
    assert Range(1, 2) + Range(3, 5) == Range(4, 7)
    assert Range(1, 2).times(3) == Range(3, 6)


def test_text_as_the_prompts_have_it() -> None:
    """In o200k_base the shortest recorded prompt has 4,625 characters and 1,788 tokens, the longest 7,424 and 3,077."""
    for characters, tokens in ((4625, 1788), (7424, 3077), (8212, 2742)):
        estimated = tokens_of_text(characters)
        assert estimated.low <= tokens <= estimated.high


@pytest.mark.parametrize("tokens", [350, 255, 415, 630])
def test_a_picture_as_four_models_count_it(tokens: int) -> None:
    """512 x 512: by area, one tile, and 256 patches times 1.62 and 2.46."""
    estimated = tokens_of_picture(512, 512)
    assert estimated.low <= tokens <= estimated.high


def test_a_request_is_its_texts_and_pictures() -> None:
    text, picture = tokens_of_text(640), tokens_of_picture(512, 512)
    assert tokens_of(_request()) == text + picture
    assert tokens_of(_request(side=1024)).low > tokens_of(_request()).low


def test_the_most_of_a_call_is_the_high_estimate_and_the_longest_answer() -> None:
    assert at_most(_request(), 8000) == Usage(tokens_of(_request()).high, 8000)
