"""One small question with a picture."""

import random

import numpy as np
import pytest

from car.vlm import Finish, Reply, Request, Usage
from car.vlm.price import ListPrice, Price
from car.vlm.trial import COLOURS, try_out


class Looking:
    """Looks at the picture, as a model would, and answers in some form."""

    name = "looking/test"

    def __init__(self, form: str = "{}", usage: Usage = Usage(150, 4)) -> None:
        self._form, self._usage = form, usage
        self.requests: list[Request] = []

    def ask(self, request: Request) -> Reply:
        self.requests.append(request)
        middle = request.pictures[0].frame[64, 64]
        (seen,) = [name for name, rgb in COLOURS.items() if tuple(middle) == rgb]
        return Reply(self._form.format(seen), usage=self._usage, model="looking-1", note="A note.")


@pytest.mark.parametrize(
    "form", ["{}", "The square is {}.", "**{}**\n", "{}, as it is rendered; a coloured bluebell-free picture"]
)
def test_a_model_that_looks_is_believed(form: str) -> None:
    trial = try_out(Looking(form), Price(3, 15))
    assert trial.sees
    assert trial.said == form.format(trial.shown).strip()
    assert (trial.model, trial.note, trial.finish) == ("looking-1", "A note.", Finish.COMPLETE)
    assert trial.usage == Usage(150, 4)
    assert trial.cost == pytest.approx((150 * 3 + 4 * 15) / 1e6)
    assert trial.seconds >= 0


@pytest.mark.parametrize("form", ["I cannot see any picture.", "red, green, blue or yellow", "", "purple"])
def test_a_model_that_does_not_look_is_not(form: str) -> None:
    assert not try_out(Looking(form), Price(0, 0)).sees


def test_the_colour_cannot_be_known_beforehand() -> None:
    shown = {try_out(Looking(), Price(0, 0), random.Random(seed)).shown for seed in range(30)}
    assert shown == set(COLOURS)


def test_an_unknown_price_stays_unknown() -> None:
    assert try_out(Looking(), ListPrice("no-such-model", "openai")).cost is None


def test_the_question_is_small() -> None:
    vlm = Looking()
    try_out(vlm, Price(0, 0))
    (request,) = vlm.requests
    assert sum(len(each) for each in request.parts if isinstance(each, str)) < 100
    assert request.pictures[0].frame.shape == (128, 128, 3)
    assert request.pictures[0].frame.dtype == np.uint8
