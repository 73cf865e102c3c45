"""Signals from checkers, and one session for many rewards."""

import copy
import gc
import pickle

import numpy as np
import pytest
from fake_session import FakeSession, brightness, grey
from hypothesis import given
from hypothesis import strategies as st

from car.checker import Checker, SubTask
from car.errors import BadBundle, SandboxUnavailable, UserError
from car.milestones import Shaping
from car.rewards.code import CodeReward
from car.rewards.sharing import lease_shared
from car.sandbox import Crashed, Ran, Refused, TimedOut

SUBTASKS = [SubTask("brighter", "."), SubTask("bright", ".", after=("brighter",), goal=True)]


def code_reward(session: FakeSession | None = None, **kwargs) -> CodeReward:
    return CodeReward(session or FakeSession([brightness(2), brightness(4)]), SUBTASKS, "lamp", **kwargs)


def ask_all(reward: CodeReward, initial: np.ndarray, frames: np.ndarray) -> list[list[float]]:
    return reward.signals(initial, frames, np.ones((len(frames), len(reward.names)), bool)).tolist()


def saying(*outcomes) -> CodeReward:
    session = FakeSession([lambda initial, current, outcome=outcome: outcome for outcome in outcomes])
    return CodeReward(session, [SubTask(f"task-{index}", ".") for index in range(len(outcomes))], "said")


def test_done_is_1_and_progress_stays_below_it() -> None:
    reward = saying(Ran(True), Ran(True, 0.2), Ran(False), Ran(False, 0.25), Ran(False, 1.0))
    (signals,) = ask_all(reward, grey(10), grey(10))
    assert signals[:4] == [1.0, 1.0, 0.0, 0.25]
    assert 0.999 < signals[4] < 1.0


def test_what_is_not_asked_is_nan() -> None:
    signals = code_reward().signals(grey(10, 10), grey(12, 12), np.array([[True, False], [False, False]]))
    np.testing.assert_array_equal(signals, [[1.0, np.nan], [np.nan, np.nan]])


def test_failures_are_0_and_counted() -> None:
    reward = saying(Crashed("check", "IndexError: 9", 4), TimedOut("check", 2.0), Refused("progress", "3 is above 1"))
    for _ in range(2):
        assert ask_all(reward, grey(10), grey(10)) == [[0.0, 0.0, 0.0]]
    assert reward.failures == {
        ("task-0", "check: IndexError: 9"): 2,
        ("task-1", "check: no answer within 2 s"): 2,
        ("task-2", "progress: 3 is above 1"): 2,
    }


def test_the_kinds_of_failures_are_bounded() -> None:
    session = FakeSession([lambda initial, current: Crashed("check", f"{current[0, 0]}")])
    reward = CodeReward(session, SUBTASKS[:1], "many")
    for red in range(20):
        for green in range(20):
            ask_all(reward, grey(10), np.full((1, 4, 4, 3), (red, green, 0), np.uint8))
    assert len(reward.failures) == 257
    assert reward.failures["brighter", "other causes"] == 400 - 256


@given(st.lists(st.tuples(st.integers(10, 16), st.integers(10, 16), st.booleans(), st.booleans()), min_size=1))
def test_signals_are_those_of_a_session_that_is_asked_every_time(rows) -> None:
    reward, plain = code_reward(), FakeSession([brightness(2), brightness(4)])
    for initial, level, *ask in rows:
        answers = plain.run(grey(initial), grey(level), np.array([ask]))
        expected = [
            np.nan if not asked else 1.0 if done == 1 else 0.0 if done == -2 else progress
            for asked, done, progress in zip(ask, answers.done[0], answers.progress[0], strict=True)
        ]
        got = reward.signals(grey(initial), grey(level), np.array([ask]))
        np.testing.assert_allclose(got, [expected])


def test_episodes_follow_the_names_and_share_nothing() -> None:
    reward = code_reward(shaping=Shaping("bonus"))
    first, second = reward.episode(), reward.episode()
    first.start(np.zeros(2))
    assert first.step(np.array([0.0, 1.0]), False, False) == 0.0
    assert first.step(np.array([1.0, 1.0]), False, False) == 1.0
    assert second.milestones.tolist() == [0.0, 0.0]


def test_an_order_that_cannot_be_is_refused() -> None:
    session = FakeSession([brightness(1)])
    with pytest.raises(BadBundle, match="'a' of lamp comes after 'b', which is not there"):
        CodeReward(session, [SubTask("a", ".", after=("b",))], "lamp")
    with pytest.raises(UserError, match="wait for each other"):
        CodeReward(session, [SubTask("a", ".", after=("a",))], "lamp")


def test_closing_ends_the_session_once_and_a_closed_reward_says_so() -> None:
    session = FakeSession([brightness(2), brightness(4)])
    reward = code_reward(session)
    reward.close()
    reward.close()
    assert session.ended == 1
    with pytest.raises(UserError, match="is closed"):
        ask_all(reward, grey(10), grey(10))


def test_a_copy_shares_the_session_which_ends_with_the_last() -> None:
    session = FakeSession([brightness(2), brightness(4)])
    reward = code_reward(session)
    twin = copy.deepcopy(reward)
    ask_all(reward, grey(10), grey(12))
    assert ask_all(twin, grey(10), grey(12)) == [[1.0, 0.5]]
    assert session.calls == 1
    twin.close()
    assert session.ended == 0
    reward.close()
    assert session.ended == 1


def test_a_copy_that_nobody_closed_does_not_keep_the_session() -> None:
    session = FakeSession([brightness(2), brightness(4)])
    reward = code_reward(session)
    twin = copy.deepcopy(reward)
    reward.close()
    del twin
    gc.collect()
    assert session.ended == 1


def test_it_cannot_be_sent_to_another_process() -> None:
    with pytest.raises(UserError, match="give the wrapper the bundle's path"):
        pickle.dumps(code_reward())


def test_equal_keys_share_one_session_until_the_last_lease_ends() -> None:
    started: list[FakeSession] = []

    def start() -> FakeSession:
        started.append(FakeSession([brightness(2)]))
        return started[-1]

    leases = [lease_shared("lamp", start) for _ in range(16)] + [lease_shared("candle", start)]
    assert len(started) == 2
    for lease in leases[:15]:
        lease.give_back()
    assert started[0].ended == 0
    leases[15].give_back()
    assert started[0].ended == 1
    lease_shared("lamp", start).give_back()
    assert len(started) == 3
    leases[16].give_back()


def test_real_checkers_in_the_real_sandbox() -> None:
    process = pytest.importorskip("car.sandbox.process")
    source = (
        "import numpy as np\n\n\n"
        "def identify(initial):\n    return int(initial[0, 0, 0])\n\n\n"
        "def check(found, current):\n    return bool(int(current[0, 0, 0]) - found >= {0})\n\n\n"
        "def progress(found, current):\n    return float(np.clip((int(current[0, 0, 0]) - found) / {0}, 0, 1))\n"
    )
    checkers = [Checker(each, source.format(step)) for each, step in zip(SUBTASKS, (2, 4), strict=True)]
    try:
        session = process.ProcessSandbox().open(checkers)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    reward = CodeReward(session, SUBTASKS, "lamp")
    try:
        got = ask_all(reward, grey(10, 10, 11, side=16), grey(11, 12, 15, side=16))
    finally:
        reward.close()
    np.testing.assert_allclose(got, [[0.5, 0.25], [1.0, 0.5], [1.0, 1.0]])
    assert not reward.failures
