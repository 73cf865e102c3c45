"""A watched session says what the session behind it would say, and finds checkers that change their mind."""

from collections.abc import Callable

import numpy as np
import pytest
from fake_session import FakeSession, brightness, grey
from hypothesis import given
from hypothesis import strategies as st

from car.checker import Checker, SubTask
from car.errors import RewardChanged, SandboxUnavailable, UserError
from car.rewards.code import CodeReward
from car.rewards.memo import RememberingSession
from car.rewards.watch import Watch, WatchedSession
from car.sandbox import Answers, Outcome, Ran, Session, TimedOut
from car.sandbox.process import ProcessSandbox

OFTEN = Watch(every=40, renew_every=1_000_000)


class Tape(FakeSession):
    """Keeps what it was asked: the brightness of the first frame and of the frame in each row, and the columns."""

    def __init__(self, judges) -> None:
        super().__init__(judges)
        self.tape: list[list[tuple[int, int, tuple[bool, ...]]]] = []

    def run(self, initial, frames, ask=None, explain=False):
        firsts = np.broadcast_to(initial, frames.shape)[:, 0, 0, 0].tolist()
        asked = np.ones((len(frames), len(self.judges)), bool) if ask is None else ask
        rows = zip(firsts, frames[:, 0, 0, 0].tolist(), map(tuple, asked.tolist()), strict=True)
        self.tape.append(list(rows))
        return super().run(initial, frames, ask, explain)


class Forgetful(FakeSession):
    """Its judges are made anew when it is renewed, as programs are that are loaded again."""

    def __init__(self, make: Callable[[], Callable[[np.ndarray, np.ndarray], Outcome]]) -> None:
        super().__init__([make()])
        self.make = make

    def renew(self):
        super().renew()
        self.judges = [self.make()]


def level_of(frame: np.ndarray) -> int:
    return int(frame[0, 0, 0])


def bright(initial: np.ndarray, current: np.ndarray) -> Outcome:
    return Ran(level_of(current) >= 100, level_of(current) / 255)


def sleeper(calls: int) -> Callable[[np.ndarray, np.ndarray], Outcome]:
    """Says what `bright` says, and the contrary after some calls."""
    called = 0

    def judge(initial: np.ndarray, current: np.ndarray) -> Outcome:
        nonlocal called
        called += 1
        return Ran((level_of(current) >= 100) != (called > calls))

    return judge


def hoarder(calls: int) -> Callable[[np.ndarray, np.ndarray], Outcome]:
    """A sleeper that repeats itself about every pair that it knows."""
    judge, hoard = sleeper(calls), {}

    def remembering(initial: np.ndarray, current: np.ndarray) -> Outcome:
        key = level_of(initial), current.tobytes()
        if key not in hoard:
            hoard[key] = judge(initial, current)
        return hoard[key]

    return remembering


def feed(session, frames: int, batch: int = 16, start: int = 0, side: int = 4) -> None:
    """Asks about so many frames, of which no two in a row are equal."""
    for number in range(start, start + frames, batch):
        levels = [(7 * (number + row)) % 256 for row in range(min(batch, start + frames - number))]
        session.run(grey(number % 200, side=side)[0], grey(*levels, side=side))


def test_a_pure_checker_is_never_accused() -> None:
    session = FakeSession([bright])
    watched = WatchedSession(session, Watch(every=50), seed=1)
    feed(watched, 100_000)
    assert watched.asked == 100_000
    assert watched.slipped == session.asked - 100_000
    assert 1500 < watched.slipped < 2100
    assert 60 < watched.renewed == session.renewed < 140
    assert watched.failed == 0


def test_at_most_one_frame_in_a_thousand_is_slipped_in_by_default() -> None:
    session = FakeSession([bright])
    watched = WatchedSession(session, seed=2)
    feed(watched, 60_000, batch=64)
    assert 30 < watched.slipped < 100


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("seed", range(5))
def test_a_sleeper_is_caught_soon_after_it_wakes(seed: int, batch: int) -> None:
    watched = WatchedSession(FakeSession([sleeper(3000)]), OFTEN, seed)
    feed(watched, 2900, batch)
    with pytest.raises(RewardChanged, match="The program for 'task-0' is not pure") as caught:
        feed(watched, 500, batch, start=2900)
    assert watched.asked < 3400
    assert "'done'" in str(caught.value)
    assert "'not done'" in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(("renew_every", "worker"), [(1_000_000, ""), (1, ", in a fresh worker")])
def test_the_message_says_both_answers_and_what_to_do(renew_every: int, worker: str) -> None:
    levels = iter([0.25] + [0.75] * 100)
    session = FakeSession([lambda initial, current: Ran(False, next(levels))])
    watched = WatchedSession(session, Watch(every=1, renew_every=renew_every), seed=0)
    watched.run(grey(1), grey(2))
    with pytest.raises(RewardChanged) as caught:
        watched.run(grey(1), grey(3))
    assert str(caught.value) == (
        "The program for 'task-0' is not pure: of one and the same frame it first said 'not done, progress 0.25' (at "
        f"question 1) and now 'not done, progress 0.75' (at question 2{worker}). What was trained in between rests on "
        "a reward that changed. Judge the programs again with `car verify TASK`, and have them written again with "
        "`car generate TASK --fresh`."
    )


def test_it_goes_on_saying_so() -> None:
    watched = WatchedSession(FakeSession([sleeper(1000)]), OFTEN, seed=0)
    with pytest.raises(RewardChanged):
        feed(watched, 5000)
    with pytest.raises(RewardChanged):
        watched.run(grey(1), grey(2))


def test_progress_that_drifts_is_a_disagreement_and_rounding_is_not() -> None:
    def drifting(by: float) -> WatchedSession:
        calls = 0

        def judge(initial: np.ndarray, current: np.ndarray) -> Outcome:
            nonlocal calls
            calls += 1
            return Ran(False, 0.5 + by * calls)

        return WatchedSession(FakeSession([judge]), OFTEN, seed=0)

    feed(drifting(1e-12), 4000)
    with pytest.raises(RewardChanged, match=r"'not done, progress 0\.5\d+' .* 'not done, progress 0\.5\d+'"):
        feed(drifting(1e-5), 4000)


def test_a_hoarder_is_caught_by_a_renewal_and_by_nothing_else() -> None:
    feed(WatchedSession(Forgetful(lambda: hoarder(1000)), OFTEN, seed=0), 20_000)
    session = Forgetful(lambda: hoarder(1000))
    with pytest.raises(RewardChanged):
        feed(WatchedSession(session, Watch(every=40, renew_every=20), seed=0), 20_000)
    assert session.renewed >= 1


def test_a_failure_on_a_known_frame_is_counted_and_is_no_disagreement() -> None:
    moods = np.random.default_rng(0)

    def moody(initial: np.ndarray, current: np.ndarray) -> Outcome:
        return TimedOut("check", 2.0) if moods.random() < 0.3 else bright(initial, current)

    watched = WatchedSession(FakeSession([moody, moody]), OFTEN, seed=0)
    feed(watched, 8000)
    assert 0.2 < watched.failed / (2 * watched.slipped) < 0.35


def test_what_was_a_failure_is_never_compared() -> None:
    session = FakeSession([brightness(2)])
    watched = WatchedSession(session, Watch(every=1, renew_every=1_000_000), seed=0)
    for _ in range(50):
        watched.run(grey(10)[0], grey(13, 13))
    assert session.asked == 100
    assert watched.slipped == watched.failed == 0


levels = st.integers(10, 16)


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    made = []
    for _ in range(draw(st.integers(1, 12))):
        rows, side = draw(st.integers(0, 4)), draw(st.sampled_from([4, 5]))
        row_levels = st.lists(levels, min_size=rows, max_size=rows)

        def some(drawn: list[int], side: int = side) -> np.ndarray:
            return grey(*drawn, side=side) if drawn else np.zeros((0, side, side, 3), np.uint8)

        initial = some(draw(row_levels)) if draw(st.booleans()) else grey(draw(levels), side=side)[0]
        ask = draw(st.lists(st.lists(st.booleans(), min_size=2, max_size=2), min_size=rows, max_size=rows))
        mask = np.array(ask, np.bool_).reshape(rows, 2)
        made.append((initial, some(draw(row_levels)), mask if draw(st.booleans()) else None))
    return made


def assert_equal(got: Answers, expected: Answers) -> None:
    np.testing.assert_array_equal(got.done, expected.done)
    np.testing.assert_array_equal(got.progress, expected.progress)
    assert dict(got.failures) == dict(expected.failures)
    assert (got.done.dtype, got.progress.dtype) == (expected.done.dtype, expected.progress.dtype)


@given(batches(), st.integers(0, 100), st.integers(1, 3), st.integers(1, 5))
def test_the_answers_are_those_of_the_session_alone(made, seed, every, kept) -> None:
    plain = FakeSession([brightness(2), brightness(3)])
    behind = FakeSession([brightness(2), brightness(3)])
    watched = WatchedSession(behind, Watch(every=every, renew_every=2, kept=kept), seed)
    for initial, frames, ask in made:
        given_before = initial.copy(), frames.copy()
        assert_equal(watched.run(initial, frames, ask), plain.run(initial, frames, ask))
        np.testing.assert_array_equal(initial, given_before[0])
        np.testing.assert_array_equal(frames, given_before[1])
    assert watched.asked == sum(len(frames) for _, frames, _ in made)


def test_a_known_frame_goes_in_at_any_place_with_its_own_first_frame_and_columns() -> None:
    session = Tape([brightness(2), brightness(3)])
    watched = WatchedSession(session, Watch(every=1, renew_every=1_000_000), seed=3)
    watched.run(grey(1), grey(201), np.array([[False, True]]))
    places = []
    for number in range(200):
        watched.run(grey(5)[0], grey(*range(20, 24)), np.array([[True, False]] * 4))
        asked = session.tape[-1]
        assert len(asked) == 5
        extra = [row for row, each in enumerate(asked) if each == (1, 201, (False, True))]
        if number == 0:
            assert extra
        places += extra
    assert set(places) == {0, 1, 2, 3, 4}


def test_a_batch_of_one_frame_stays_one() -> None:
    session = Tape([bright])
    watched = WatchedSession(session, OFTEN, seed=0)
    feed(watched, 2000, batch=1)
    assert watched.slipped > 20
    assert {len(rows) for rows in session.tape} == {1}
    assert len(session.tape) == 2000 + watched.slipped


def test_the_gaps_between_known_frames_have_no_pattern() -> None:
    session = Tape([bright])
    watched = WatchedSession(session, OFTEN, seed=0)
    times = []
    for number in range(20_000):
        before = watched.slipped
        watched.run(grey(1), grey(number % 256))
        if watched.slipped > before:
            times.append(number)
    gaps = np.diff(times)
    assert 36 < gaps.mean() < 44
    # Of an exponential distribution, mean and deviation are equal: how long it has been says nothing of how long it is.
    assert 0.85 < gaps.std() / gaps.mean() < 1.15


def test_nobody_who_did_not_give_a_seed_knows_the_times() -> None:
    def times() -> list[int]:
        watched = WatchedSession(FakeSession([bright]), OFTEN)
        return [watched.slipped for number in range(40) if feed(watched, 16, start=16 * number) is None]

    assert times() != times()


def test_a_sub_task_that_is_asked_about_seldom_is_watched_as_often() -> None:
    session = Tape([bright, bright])
    watched = WatchedSession(session, Watch(every=50, renew_every=1_000_000), seed=0)
    for number in range(10_000):
        second = number % 32 == 0
        # The brightness tells which one was asked.
        watched.run(grey(int(second))[0], grey(1, 2), np.array([[not second, second]] * 2))
    slipped = [rows for rows in session.tape if len(rows) == 3]
    assert len(slipped) == watched.slipped > 300
    # The known frame is the one that differs, or any one if none does.
    seconds = [sum(second for _, _, (_, second) in rows) in (1, 3) for rows in slipped]
    assert 0.4 < np.mean(seconds) < 0.6


def test_the_sample_reaches_back_as_far_as_may_be_and_is_copied() -> None:
    session = FakeSession([bright])
    watched = WatchedSession(session, Watch(every=64, renew_every=1_000_000), seed=0)
    for number in range(5000):
        frames = grey(number // 20)
        watched.run(frames, frames)
        frames[:] = 255 - frames
    (sample,) = watched._samples
    questions = np.array([each.question for each in sample.pairs])
    parts = [((questions > last // 4) & (questions <= last)).sum() for last in (80, 320, 1280, 5000)]
    assert min(parts) > 20
    assert max(parts) < 70
    assert all(level_of(each.frame) == level_of(each.initial) == (each.question - 1) // 20 for each in sample.pairs)


@pytest.mark.parametrize("kept", [1, 10])
def test_the_sample_is_bounded(kept: int) -> None:
    watched = WatchedSession(FakeSession([bright, bright]), Watch(every=8, kept=kept), seed=0)
    feed(watched, 5000)
    assert [len(sample.pairs) for sample in watched._samples] == [max(1, kept // 2)] * 2


@pytest.mark.parametrize("calls", [30, 300, 3000])
def test_a_change_is_found_whenever_it_came(calls: int) -> None:
    for seed in range(10):
        watched = WatchedSession(FakeSession([sleeper(calls)]), Watch(every=40, renew_every=1_000_000), seed)
        with pytest.raises(RewardChanged):
            feed(watched, calls + 2000)


def test_frames_of_several_sizes_are_watched_each_with_its_own() -> None:
    session = FakeSession([sleeper(1500)])
    watched = WatchedSession(session, Watch(every=20, renew_every=1_000_000), seed=0)
    feed(watched, 1000)
    assert watched.slipped > 20
    feed(watched, 400, side=6)
    assert watched.slipped > 40
    with pytest.raises(RewardChanged):
        feed(watched, 1000, side=6)


def test_with_explanations_nothing_is_slipped_in() -> None:
    session = FakeSession([bright])
    watched = WatchedSession(session, Watch(every=1), seed=0)
    for number in range(30):
        answers = watched.run(grey(1)[0], grey(2, 3), explain=True)
        assert answers.facts[1, 0] == {"asked": 2 * number + 2}
    assert (session.asked, watched.asked, watched.slipped) == (60, 0, 0)


def test_it_can_be_turned_off() -> None:
    session = FakeSession([sleeper(10)])
    watched = WatchedSession(session, Watch(every=0))
    feed(watched, 5000)
    assert (session.asked, session.renewed) == (5000, 0)


@pytest.mark.parametrize("setting", [{"every": -1}, {"renew_every": 0}, {"kept": 0}])
def test_a_number_out_of_its_range_is_refused(setting) -> None:
    (name,) = setting
    with pytest.raises(UserError, match=f"{name} is {setting[name]}; it must be at least"):
        Watch(**setting)


def test_a_session_that_was_interrupted_goes_on() -> None:
    interrupted = False

    def judge(initial: np.ndarray, current: np.ndarray) -> Outcome:
        nonlocal interrupted
        if level_of(current) == 255 and not interrupted:
            interrupted = True
            raise KeyboardInterrupt
        return bright(initial, current)

    watched = WatchedSession(FakeSession([judge]), Watch(every=1), seed=0)
    with pytest.raises(KeyboardInterrupt):
        watched.run(grey(1)[0], grey(*[1] * 50, 255))
    watched.run(grey(1)[0], np.zeros((0, 4, 4, 3), np.uint8))
    assert watched.run(grey(1)[0], grey(1, 200)).done.tolist() == [[0], [1]]
    assert watched.run(grey(1)[0], grey(255)).done.tolist() == [[1]]
    assert watched.slipped > 0


def test_it_passes_on_what_is_the_sessions() -> None:
    session = FakeSession([bright])
    with RememberingSession(WatchedSession(session)) as outer:
        assert outer.checkers is session.checkers
        assert outer.isolation is session.isolation
        outer.renew()
        assert session.renewed == 1
    assert session.ended == 1


def test_a_renewal_leaves_the_memory() -> None:
    session = FakeSession([sleeper(1)])
    remembering = RememberingSession(session)
    assert remembering.run(grey(1), grey(200)).done.tolist() == [[1]]
    remembering.renew()
    assert remembering.run(grey(1), grey(200)).done.tolist() == [[1]]
    assert session.asked == 1


def test_the_memory_does_not_hide_known_frames_of_a_reward() -> None:
    session = FakeSession([sleeper(600)])
    reward = CodeReward(session, [SubTask("bright", ".", goal=True)], "lamp")
    assert reward.watched.asked == 0

    def train() -> None:
        for number in range(100_000):
            first = np.full((1, 4, 4, 3), (number % 256, number // 256, 0), np.uint8)
            reward.signals(first, first, np.ones((1, 1), bool))

    with pytest.raises(RewardChanged, match="'task-0'"):
        train()
    assert reward.watched.slipped >= 1
    reward.close()


SLEEPER = (
    "calls = 0\n\n\ndef check(found, current):\n    global calls\n    calls += 1\n"
    "    return bool((current[0, 0, 0] >= 100) != (calls > 300))\n"
)
HOARDER = (
    SLEEPER.replace("check(", "judge(")
    + "\n\nhoard = {}\n\n\ndef identify(initial):\n    return initial.tobytes()\n\n\ndef check(found, current):\n"
    + "    key = found, current.tobytes()\n    if key not in hoard:\n        hoard[key] = judge(found, current)\n"
    + "    return hoard[key]\n"
)


def opened(*sources: str) -> Session:
    """A session of real workers, of `bright` and these programs."""
    honest = "def check(found, current):\n    return bool(current[0, 0, 0] >= 100)\n"
    names = ("bright", "brighter", "brightest")
    try:
        return ProcessSandbox().open(
            [Checker(SubTask(name, "."), each) for name, each in zip(names, (honest, *sources), strict=False)]
        )
    except SandboxUnavailable as error:
        pytest.skip(str(error))


def test_a_real_worker_that_changes_its_mind_is_named() -> None:
    with WatchedSession(opened(SLEEPER), Watch(every=30, renew_every=1_000_000), seed=0) as watched:
        with pytest.raises(RewardChanged, match="The program for 'brighter' is not pure"):
            feed(watched, 2000, batch=4)
        assert 200 < watched.asked < 800


def test_a_real_worker_loses_what_it_hoarded() -> None:
    with WatchedSession(opened(HOARDER), Watch(every=30, renew_every=10), seed=0) as watched:
        with pytest.raises(RewardChanged, match="The program for 'brighter' is not pure"):
            feed(watched, 5000, batch=4)
        assert watched.renewed >= 1


def test_real_pure_workers_are_never_accused() -> None:
    with WatchedSession(opened(), Watch(every=10, renew_every=5), seed=0) as watched:
        feed(watched, 2000)
        assert watched.slipped > 50
        assert watched.renewed > 5
        assert watched.failed == 0
