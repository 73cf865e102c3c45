"""The figures of an evaluation, counted by hand on tiny cases; the counterparts; which episode is next."""

from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from car.evaluate.counterpart import agreements, counterparts
from car.evaluate.episodes import FreshEpisode
from car.evaluate.figures import Share, compared, first_figures, frame_figures
from car.evaluate.rounds import MATCHING, MOST, Rounds
from tests.planted import doorkey as planted


def _columns(*columns: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Columns written as "0011", in the order of time."""
    return np.array([[letter == "1" for letter in column] for column in columns]).T


def _episode(
    done: Sequence[str],
    truth: Sequence[str],
    pairs: Sequence[int],
    answered: Sequence[str] | None = None,
    kind: str = "expert",
) -> FreshEpisode:
    given = np.ones(_columns(*done).shape, bool) if answered is None else _columns(*answered)
    return FreshEpisode(kind, 0, np.array(pairs, np.int64), _columns(*truth), _columns(*done), given)


class TestFrames:
    def _figures(self, *episodes: FreshEpisode) -> tuple[Share, Share]:
        figures = frame_figures(episodes, 0, 0)
        return figures.precision, figures.recall

    def test_a_right_program(self) -> None:
        assert self._figures(_episode(["00111"], ["00111"], range(5))) == (Share(3, 3), Share(3, 3))

    def test_one_step_early(self) -> None:
        assert self._figures(_episode(["00111"], ["00011"], range(5))) == (Share(2, 3), Share(2, 2))

    def test_fires_in_half_of_the_episodes(self) -> None:
        one, two = _episode(["0011"], ["0011"], [0, 1, 2, 3]), _episode(["0000"], ["0011"], [4, 5, 6, 7])
        assert self._figures(one, two) == (Share(2, 2), Share(2, 4))

    def test_a_pair_counts_once_however_often_it_is_met(self) -> None:
        waits = _episode(["01111"], ["00111"], [0, 1, 2, 2, 3])
        again = _episode(["011"], ["001"], [0, 1, 3], kind="random")
        figures = frame_figures([waits, again], 0, 0)
        assert (figures.precision, figures.recall, figures.frames) == (Share(2, 3), Share(2, 2), 4)

    def test_a_picture_that_does_not_show_the_truth_counts_once_for_each(self) -> None:
        figures = frame_figures([_episode(["0110"], ["0010"], [0, 1, 1, 2])], 0, 0)
        assert (figures.precision, figures.recall) == (Share(1, 2), Share(1, 1))
        assert (figures.ambiguous, figures.frames) == (1, 4)

    def test_no_answer_is_not_done_and_is_counted(self) -> None:
        figures = frame_figures([_episode(["0001"], ["0011"], [0, 1, 2, 3], answered=["1101"])], 0, 0)
        assert (figures.precision, figures.recall, figures.unanswered) == (Share(1, 1), Share(1, 2), 1)

    def test_of_nothing_there_is_no_share(self) -> None:
        precision, _ = self._figures(_episode(["000"], ["001"], range(3)))
        assert (precision.value, precision.interval) == (None, (0.0, 1.0))

    def test_intervals_are_exact(self) -> None:
        """All of ten: the lower end is the tenth root of 0.025."""
        low, high = Share(10, 10).interval
        assert low == pytest.approx(0.025**0.1)
        assert high == 1.0


class TestFirstTimes:
    def test_errors_are_counted_by_hand(self) -> None:
        figures = first_figures([3, 4, 9, 2, None, 7, None], [3, 5, 3, 2, 6, None, None])
        assert figures.exact == Share(2, 4)
        assert (figures.median, figures.largest) == (0.0, 6)
        assert (figures.never, figures.false, figures.neither) == (1, 1, 1)

    def test_early_is_negative(self) -> None:
        figures = first_figures([1, 3], [4, 4])
        assert (figures.median, figures.largest, figures.exact) == (-2.0, -3, Share(0, 2))

    def test_without_both_there_is_no_error(self) -> None:
        figures = first_figures([None], [4])
        assert (figures.median, figures.largest, figures.exact.value) == (None, None, None)

    def test_both_are_taken_in_their_order(self) -> None:
        """The door's program says done at 1, before the key's at 2; the door is open at 0, before the key is held."""
        episode = _episode(["0011", "0101", "0001"], ["0010", "1011", "0001"], range(4))
        key, door, goal = compared(planted.chain(), ["key", "door", "goal"], [0, 1, 2], np.eye(3), [episode])
        assert [each.first and each.first.largest for each in (key, door, goal)] == [0, 1, 0]

    def test_kinds_are_told_apart(self) -> None:
        one = _episode(["011"] * 3, ["001"] * 3, [0, 1, 2])
        two = _episode(["001"] * 3, ["001"] * 3, [3, 4, 5], kind="mixed")
        key = compared(planted.chain(), ["key", "door", "goal"], [0, 1, 2], np.eye(3), [one, two])[0]
        assert {kind: each.precision for kind, each in key.by_kind.items()} == {
            "expert": Share(1, 2),
            "mixed": Share(1, 1),
        }

    def test_without_a_counterpart_there_are_no_figures(self) -> None:
        episode = _episode(["011"] * 3, ["001"] * 3, [0, 1, 2])
        key = compared(planted.chain(), ["key", "door", "goal"], [None, 1, 2], np.eye(3), [episode])[0]
        assert (key.predicate, key.frames, key.first, key.by_kind) == (None, None, None, {})
        assert key.agreement == {"key": 1.0, "door": 0.0, "goal": 0.0}


class TestCounterparts:
    def test_once_and_while_are_the_same(self) -> None:
        """The key has left its place; it is held for two frames; then it lies elsewhere and the door is open."""
        episode = _episode(["01111"], ["01100", "00111"], range(5))
        assert agreements([episode]).tolist() == [[1.0, 0.75]]

    def test_a_step_between_them_costs_a_quarter_and_a_first_time_alone_all(self) -> None:
        exact, late = _episode(["0100000"], ["0100000"], range(7)), _episode(["0001000"], ["0100000"], range(7))
        far, alone = _episode(["0000010"], ["0100000"], range(7)), _episode(["0000000"], ["0100000"], range(7))
        assert agreements([exact, late])[0, 0] == pytest.approx(2 * (1 + 0.5) / (2 + 2))
        assert agreements([exact, far])[0, 0] == pytest.approx(2 * 1 / (2 + 2))
        assert agreements([exact, alone])[0, 0] == pytest.approx(2 * 1 / (1 + 2))

    def test_what_never_comes_true_agrees_with_nothing(self) -> None:
        assert agreements([_episode(["000"], ["000"], range(3))]).tolist() == [[0.0]]

    def test_a_predicate_is_given_away_once_and_to_the_best(self) -> None:
        assert counterparts(np.array([[0.8, 0.1], [1.0, 0.7], [0.2, 0.9]]), {2: 1}) == [None, 0, 1]

    def test_what_is_left_is_taken_if_it_is_good_enough(self) -> None:
        assert counterparts(np.array([[0.9, 0.5], [1.0, 0.1]]), {}) == [1, 0]
        assert counterparts(np.array([[0.9, 0.49], [1.0, 0.1]]), {}) == [None, 0]

    def test_what_is_asked_for_may_be_poor_and_twice_the_same(self) -> None:
        assert counterparts(np.array([[0.1, 0.9], [0.2, 1.0]]), {0: 0, 1: 0}) == [0, 0]


class _Scripted:
    """Plays episodes with so many new pairs of each kind."""

    def __init__(self, new: dict[str, int]) -> None:
        self._new, self._next = new, 0
        self.kinds: list[str] = []

    def play(self, kind: str) -> FreshEpisode:
        self.kinds.append(kind)
        pairs = range(self._next, self._next + self._new[kind])
        self._next = pairs.stop
        return _episode(["1" * len(pairs)], ["1" * len(pairs)], pairs, kind=kind)


class TestRounds:
    def test_the_kind_with_the_fewest_new_pairs_is_next(self) -> None:
        rounds = Rounds(_Scripted({"expert": 10, "mixed": 20, "random": 60}), 180, 1)  # type: ignore[arg-type]
        counts = Counter(each.kind for each in rounds.measured())
        assert counts == {"expert": 6, "mixed": 3, "random": 1}
        assert rounds.pairs == 180

    def test_there_are_so_many_episodes_of_each_kind_even_if_the_pairs_are_enough(self) -> None:
        rounds = Rounds(_Scripted({"expert": 10, "mixed": 20, "random": 60}), 1, 4)  # type: ignore[arg-type]
        assert Counter(each.kind for each in rounds.measured()) == {"expert": 4, "mixed": 4, "random": 4}

    def test_a_small_task_is_not_played_for_ever(self) -> None:
        one = _episode(["1"], ["1"], [0])
        rounds = Rounds(SimpleNamespace(play=lambda kind: one), 10, 1)  # type: ignore[arg-type]
        assert len(rounds.measured()) == 3 * MOST
        assert rounds.pairs == 1

    def test_nothing_is_measured_on_the_episodes_that_find_the_counterparts(self) -> None:
        told = []
        rounds = Rounds(_Scripted(dict.fromkeys(("expert", "mixed", "random"), 5)), 15, 1, told.append)  # type: ignore[arg-type]
        assert len(rounds.matching()) == 3 * MATCHING
        assert rounds.pairs == 0
        rounds.measured()
        assert [(each.measured, each.pairs) for each in told[-4:]] == [(False, 0), (True, 5), (True, 10), (True, 15)]
