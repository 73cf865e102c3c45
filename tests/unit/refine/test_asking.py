"""Questions that are on their way at once."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from car.errors import NotRecorded, ProviderError
from car.prompts import GoalPrompt, Scene, request_for
from car.refine import Asked, Budget, Event, Leaving, Replied, Unanswered, Waiting
from car.refine.asking import Answer, Asker, Question
from car.vlm import Reply, Request, Usage
from car.vlm.tokens import at_most

SCENE = Scene(np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 9, np.uint8))


NEED = at_most(request_for(GoalPrompt(SCENE, "complaint 1", 1)), 300).tokens


@dataclass
class Timed:
    """Answers after a time of its own for each attempt, or fails."""

    seconds: dict[int, float] = field(default_factory=dict)
    failing: dict[int, Exception] = field(default_factory=dict)
    name: str = "timed/test"
    asked: list[int] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    at_once: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def ask(self, request: Request) -> Reply:
        with self._lock:
            self.asked.append(request.attempt)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(self.seconds.get(request.attempt, 0))
        with self._lock:
            self.at_once -= 1
            if request.attempt in self.failing:
                raise self.failing[request.attempt]
            self.answered.append(request.attempt)
        return Reply(f"answer {request.attempt}", usage=Usage(10, 10 * request.attempt))


def _questions(number: int, optional: bool = False) -> list[Question[str]]:
    prompts = [GoalPrompt(SCENE, f"complaint {attempt}", attempt) for attempt in range(1, number + 1)]
    return [Question(each, lambda request, reply: reply.text.upper(), optional) for each in prompts]


def _asked(
    vlm: Timed, number: int, parallel: int, budget: Budget = Budget(), optional: bool = False
) -> tuple[list[Answer[str] | None], Asker, list[Event]]:
    events: list[Event] = []
    asker = Asker(vlm, budget, events.append, parallel)
    return asker.ask_all(_questions(number, optional)), asker, events


SLOW_FIRST = {1: 0.3, 2: 0.2, 3: 0.1, 4: 0.0}


@pytest.mark.parametrize("parallel", [0, 1, 2, 4])
def test_answers_and_what_is_told_are_in_the_order_of_the_questions(parallel: int) -> None:
    vlm = Timed(SLOW_FIRST)
    answers, _, events = _asked(vlm, 4, parallel)
    assert [each and each.made for each in answers] == ["ANSWER 1", "ANSWER 2", "ANSWER 3", "ANSWER 4"]
    assert [each.request.attempt for each in events if isinstance(each, Asked)] == [1, 2, 3, 4]
    assert [each.request.attempt for each in events if isinstance(each, Replied)] == [1, 2, 3, 4]


def test_they_are_on_their_way_together() -> None:
    vlm = Timed(dict.fromkeys(range(1, 9), 0.1))
    _, _, events = _asked(vlm, 8, 3)
    assert vlm.most == 3
    assert max(each.number for each in events if isinstance(each, Waiting)) == 3


def test_what_is_made_of_an_answer_is_made_in_its_thread() -> None:
    made_in: list[threading.Thread] = []
    asker = Asker(Timed(), Budget(), lambda event: None, 2)
    then: Callable[[Request, Reply], None] = lambda request, reply: made_in.append(threading.current_thread())  # noqa: E731
    asker.ask_all([Question(GoalPrompt(SCENE), then)])
    assert made_in
    assert made_in[0] is not threading.main_thread()


@pytest.mark.parametrize("parallel", [0, 1, 2, 4])
@pytest.mark.parametrize("limit", [{"calls": 3}, {"tokens": NEED + 60, "max_output": 300}])
def test_the_budget_reaches_the_same_questions_however_many_are_on_their_way(
    parallel: int, limit: dict[str, int]
) -> None:
    answers, asker, _ = _asked(Timed(SLOW_FIRST), 6, parallel, Budget(**limit))  # type: ignore[arg-type]
    reached = [each is not None for each in answers]
    alone, _, _ = _asked(Timed(), 6, 0, Budget(**limit))  # type: ignore[arg-type]
    assert reached == [each is not None for each in alone]
    # They use 20, 30, 40, ... tokens.
    assert sum(reached) == 3
    assert asker.ended


def test_answers_that_are_on_disk_need_no_room_for_what_they_have_used_already() -> None:
    budget = Budget(tokens=1000, max_output=100_000)
    asker = Asker(Timed(), budget, lambda event: None, 2, kept=lambda request: Usage(10, 10 * request.attempt))
    assert None not in asker.ask_all(_questions(4))
    assert _asked(Timed(), 4, 2, budget)[0] == [None] * 4


@pytest.mark.parametrize("parallel", [0, 3])
def test_a_spent_budget_leaves_the_rest_unasked(parallel: int) -> None:
    vlm = Timed(SLOW_FIRST)
    answers, asker, _ = _asked(vlm, 5, parallel, Budget(calls=3))
    assert [each is not None for each in answers] == [True, True, True, False, False]
    assert sorted(vlm.asked) == [1, 2, 3]
    assert asker.ended == "3 of 3 calls are made"
    assert asker.ask_all(_questions(1)) == [None]


def test_of_several_failures_the_first_in_order_is_raised_when_all_on_their_way_are_here() -> None:
    vlm = Timed({1: 0.3, 2: 0.0, 3: 0.2}, failing={2: ProviderError("two"), 3: ProviderError("three")})
    with pytest.raises(ProviderError, match="two"):
        _asked(vlm, 6, 3)
    assert vlm.answered == [1]
    assert sorted(vlm.asked) == [1, 2, 3]


@pytest.mark.parametrize("parallel", [0, 3])
def test_a_recording_without_an_optional_answer_is_no_failure(parallel: int) -> None:
    answers, asker, events = _asked(Timed(failing={2: NotRecorded("none")}), 3, parallel, optional=True)
    assert [each is not None for each in answers] == [True, False, True]
    assert [each.request.attempt for each in events if isinstance(each, Unanswered)] == [2]
    assert asker.purse.calls == 2


@pytest.mark.parametrize("parallel", [0, 3])
def test_a_recording_without_a_needed_answer_is_one(parallel: int) -> None:
    with pytest.raises(NotRecorded):
        _asked(Timed(failing={2: NotRecorded("none")}), 3, parallel)


class TestAnInterrupt:
    """Of whoever waits; the listener raises it as a signal would."""

    def _interrupted(self, vlm: Timed, times: int) -> list[Event]:
        events: list[Event] = []
        left = [times]

        def listen(event: Event) -> None:
            events.append(event)
            if isinstance(event, Waiting | Leaving) and left[0]:
                left[0] -= 1
                raise KeyboardInterrupt

        asker = Asker(vlm, Budget(), listen, 2)
        with pytest.raises(KeyboardInterrupt):
            asker.ask_all(_questions(4))
        return events

    def test_waits_for_what_is_on_its_way_and_asks_no_more(self) -> None:
        vlm = Timed({1: 0.2, 2: 0.3})
        events = self._interrupted(vlm, 1)
        assert sorted(vlm.answered) == [1, 2]
        assert sorted(vlm.asked) == [1, 2]
        assert [each.number for each in events if isinstance(each, Leaving)] == [2]

    def test_a_second_one_does_not_wait(self) -> None:
        vlm = Timed({1: 5.0, 2: 5.0})
        began = time.monotonic()
        self._interrupted(vlm, 2)
        assert time.monotonic() - began < 2
        assert vlm.answered == []


@pytest.mark.parametrize("wrong", [BrokenPipeError("nobody reads"), RuntimeError("no more threads")])
def test_whatever_ends_it_what_is_on_its_way_is_waited_for(wrong: Exception) -> None:
    vlm = Timed({1: 0.3, 2: 0.3})

    def listen(event: Event) -> None:
        if isinstance(event, Waiting | Leaving):
            raise wrong

    expected = type(wrong)
    with pytest.raises(expected):
        Asker(vlm, Budget(), listen, 2).ask_all(_questions(4))
    assert sorted(vlm.answered) == ([1, 2] if expected is BrokenPipeError else [])
