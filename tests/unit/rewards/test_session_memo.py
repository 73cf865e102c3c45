"""A remembering session says what the session behind it would say, and asks it nothing twice."""

import numpy as np
from fake_session import FakeSession, brightness, grey
from hypothesis import given
from hypothesis import strategies as st

from car.rewards.memo import RememberingSession

levels = st.integers(10, 16)


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    made = []
    for _ in range(draw(st.integers(1, 6))):
        rows = draw(st.integers(1, 4))
        row_levels = st.lists(levels, min_size=rows, max_size=rows)
        initial = grey(*draw(row_levels)) if draw(st.booleans()) else grey(draw(levels))[0]
        ask = draw(st.lists(st.lists(st.booleans(), min_size=2, max_size=2), min_size=rows, max_size=rows))
        made.append((initial, grey(*draw(row_levels)), np.array(ask) if draw(st.booleans()) else None))
    return made


def two() -> FakeSession:
    return FakeSession([brightness(2), brightness(3)])


@given(batches(), st.integers(1, 8))
def test_it_is_exact(made, size) -> None:
    plain, remembering = two(), RememberingSession(two(), size)
    for initial, frames, ask in made:
        expected, got = plain.run(initial, frames, ask), remembering.run(initial, frames, ask)
        np.testing.assert_array_equal(got.done, expected.done)
        np.testing.assert_array_equal(got.progress, expected.progress)
        assert dict(got.failures) == dict(expected.failures)


def test_equal_frames_are_asked_once_over_calls_and_within_one() -> None:
    session = two()
    remembering = RememberingSession(session)
    remembering.run(grey(10, 10, 10), grey(11, 11, 12))
    assert session.asked == 4
    remembering.run(grey(10, 10), grey(12, 11))
    assert (session.asked, session.calls) == (4, 1)
    remembering.run(grey(11), grey(12))
    assert session.asked == 6


def test_a_checker_that_was_not_asked_yet_is_asked_about_a_known_frame() -> None:
    session = two()
    remembering = RememberingSession(session)
    remembering.run(grey(10), grey(12), np.array([[True, False]]))
    answers = remembering.run(grey(10), grey(12), np.array([[True, True]]))
    assert session.asked == 2
    assert answers.done.tolist() == [[1, 0]]
    only_second = remembering.run(grey(10), grey(12), np.array([[False, True]]))
    assert only_second.done.tolist() == [[-1, 0]]
    assert session.asked == 2


def test_failures_are_asked_again() -> None:
    session = two()
    remembering = RememberingSession(session)
    for _ in range(2):
        assert remembering.run(grey(10), grey(13)).done.tolist() == [[-2, -2]]
    assert session.asked == 4


def test_it_forgets_what_was_not_met_for_longest() -> None:
    session = FakeSession([brightness(2)])
    remembering = RememberingSession(session, size=2)
    for level in (10, 11, 10, 12):
        remembering.run(grey(10), grey(level))
    assert session.asked == 3
    remembering.run(grey(10), grey(10))
    assert session.asked == 3
    remembering.run(grey(10), grey(11))
    assert session.asked == 4


def test_an_array_that_was_drawn_over_is_another_frame() -> None:
    remembering = RememberingSession(two())
    initial, frames = grey(10), grey(10)
    assert remembering.run(initial, frames).done.tolist() == [[0, 0]]
    frames[:] = 14
    assert remembering.run(initial, frames).done.tolist() == [[1, 1]]
    view = frames.view()
    view.setflags(write=False)
    assert remembering.run(initial, view).done.tolist() == [[1, 1]]
    frames[:] = 10
    assert remembering.run(initial, view).done.tolist() == [[0, 0]]


def still(level: int) -> np.ndarray:
    frame = grey(level)[0].copy()
    frame.setflags(write=False)
    return frame


@given(st.lists(st.lists(st.tuples(levels, levels, st.booleans()), min_size=1, max_size=4), max_size=6))
def test_frames_that_are_not_stacked_are_judged_as_those_that_are(made) -> None:
    plain, remembering = two(), RememberingSession(two())
    kept = {level: still(level) for level in range(10, 17)}
    for rows in made:
        firsts = [kept[first] if same else still(first) for first, _, same in rows]
        frames = [kept[level] if same else still(level) for _, level, same in rows]
        expected = plain.run(np.stack(firsts), np.stack(frames))
        got = remembering.run(firsts, frames)
        np.testing.assert_array_equal(got.done, expected.done)
        np.testing.assert_array_equal(got.progress, expected.progress)
        assert dict(got.failures) == dict(expected.failures)


def test_only_what_cannot_be_drawn_over_is_known_by_its_identity() -> None:
    session = two()
    remembering = RememberingSession(session)
    first, frame = still(10), still(11)
    remembering.run([first], [frame])
    remembering.run([first], [frame])
    assert session.asked == 2
    drawn = grey(11)[0].copy()
    assert remembering.run([first], [drawn]).done.tolist() == [[0, 0]]
    drawn[:] = 14
    assert remembering.run([first], [drawn]).done.tolist() == [[1, 1]]
    drawn.setflags(write=False)
    assert remembering.run([first], [drawn]).done.tolist() == [[1, 1]]
    view = grey(11)[0]
    window = view[:]
    window.setflags(write=False)
    assert remembering.run([first], [window]).done.tolist() == [[0, 0]]
    view[:] = 14
    assert remembering.run([first], [window]).done.tolist() == [[1, 1]]


def test_a_number_that_another_frame_had_before_means_nothing() -> None:
    session = two()
    remembering = RememberingSession(session)
    first = still(10)
    for number in range(200):
        level = 10 + number % 3
        # The array is gone after the call, and the next one may lie in its place.
        done = remembering.run([first], [still(level)]).done.tolist()
        assert done == [[level - 10 >= 2, level - 10 >= 3]]


def test_with_no_room_nothing_is_remembered_from_call_to_call() -> None:
    session = two()
    remembering = RememberingSession(session, size=0)
    for _ in range(3):
        remembering.run(grey(10, 10), grey(12, 12))
    assert session.asked == 6


def test_answers_are_not_the_memory() -> None:
    remembering = RememberingSession(two())
    remembering.run(grey(10), grey(14)).done[:] = 0
    assert remembering.run(grey(10), grey(14)).done.tolist() == [[1, 1]]


def test_explanations_are_always_asked_for() -> None:
    remembering = RememberingSession(two())
    remembering.run(grey(10), grey(14))
    assert remembering.run(grey(10), grey(14), explain=True).facts[0, 0] == {"asked": 3}


def test_leaving_it_ends_the_session() -> None:
    session = two()
    with RememberingSession(session):
        assert session.ended == 0
    assert session.ended == 1
