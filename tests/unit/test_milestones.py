"""The crediting and the shaping, as properties over any sub-tasks and any signals."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from car.errors import UnknownName, UserError
from car.milestones import Milestones, Shaping

NAN = float("nan")
GAMMA = 0.9
POTENTIAL = Shaping("potential", gamma=GAMMA)
MONOTONE = Shaping("potential", gamma=GAMMA, monotone_progress=True)
BONUS = Shaping("bonus")

signal_values = st.one_of(
    st.sampled_from([0.0, 0.5, 1.0, NAN, -3.0, 7.0]), st.floats(0.0, 1.0, exclude_max=True, allow_nan=False)
)


@st.composite
def orders(draw: st.DrawFn) -> list[list[int]]:
    """For each sub-task, some of those before it."""
    count = draw(st.integers(1, 5))
    return [sorted(draw(st.sets(st.integers(0, index - 1)))) if index else [] for index in range(count)]


@st.composite
def episodes(draw: st.DrawFn) -> tuple[list[list[int]], list[np.ndarray]]:
    after = draw(orders())
    row = st.lists(signal_values, min_size=len(after), max_size=len(after)).map(np.array)
    return after, draw(st.lists(row, min_size=2, max_size=12))


def run(
    after: list[list[int]], frames: list[np.ndarray], shaping: Shaping, terminated: bool = False
) -> tuple[Milestones, list[float]]:
    milestones = Milestones(after, shaping)
    milestones.start(frames[0])
    last = len(frames) - 2
    return milestones, [
        milestones.step(frame, terminated and time == last, not terminated and time == last)
        for time, frame in enumerate(frames[1:])
    ]


def credited_over_time(after: list[list[int]], frames: list[np.ndarray]) -> list[np.ndarray]:
    milestones = Milestones(after, BONUS)
    milestones.start(frames[0])
    seen = [milestones.milestones]
    for frame in frames[1:]:
        milestones.step(frame, False, False)
        seen.append(milestones.milestones)
    return seen


@given(episodes())
def test_a_sub_task_is_credited_when_it_is_done_and_those_before_it_are_and_stays_so(episode) -> None:
    after, frames = episode
    expected = np.zeros(len(after))
    for frame, seen in zip(frames, credited_over_time(after, frames), strict=True):
        for index, before in enumerate(after):  # `after` is in topological order here
            if frame[index] >= 1 and all(expected[each] for each in before):
                expected[index] = 1
        assert seen.tolist() == expected.tolist()


@given(episodes())
def test_a_bonus_is_paid_once_for_each_sub_task_that_the_first_frame_did_not_show(episode) -> None:
    after, frames = episode
    seen = credited_over_time(after, frames)
    _, rewards = run(after, frames, Shaping("bonus", scale=3.0))
    newly = [float(new.sum() - old.sum()) for old, new in pairwise(seen)]
    assert rewards == pytest.approx([3.0 * each / len(after) for each in newly])
    assert sum(rewards) <= 3.0 + 1e-9


def phi(after: list[list[int]], credited: np.ndarray, frame: np.ndarray) -> float:
    """The potential, written down anew."""
    is_open = [not credited[index] and all(credited[each] for each in before) for index, before in enumerate(after)]
    progress = np.clip(np.nan_to_num(frame, nan=0.0), 0, 1) * is_open
    return float((credited.sum() + progress.sum()) / len(after))


@given(episodes(), st.booleans())
def test_the_potential_telescopes_and_is_zero_after_termination_but_not_after_truncation(episode, terminated) -> None:
    after, frames = episode
    _, rewards = run(after, frames, POTENTIAL, terminated)
    seen = credited_over_time(after, frames)
    first, last = phi(after, seen[0], frames[0]), phi(after, seen[-1], frames[-1])
    discounted = sum(GAMMA**time * each for time, each in enumerate(rewards))
    assert discounted == pytest.approx(GAMMA ** len(rewards) * (0.0 if terminated else last) - first)
    assert -1 - 1e-9 <= discounted <= 1 + 1e-9


@given(episodes(), st.sampled_from(["potential", "bonus"]), st.integers(2, 5))
def test_no_cycle_of_frames_pays(episode, kind, laps) -> None:
    after, frames = episode
    milestones = Milestones(after, Shaping(kind, gamma=GAMMA))
    milestones.start(frames[0])
    cycle = frames[1:] + frames[:1]
    lap_rewards, lap_credits = [], [milestones.milestones.sum()]
    for _ in range(laps * len(after)):
        lap_rewards.append(sum(milestones.step(frame, False, False) for frame in cycle))
        lap_credits.append(milestones.milestones.sum())
    for paid, (before, now) in zip(lap_rewards, pairwise(lap_credits), strict=True):
        if now == before:
            assert paid <= 1e-9
    assert sum(lap_rewards) <= 1 + 1e-9


@given(episodes(), st.randoms(use_true_random=False))
def test_asking_only_what_is_wanted_gives_what_asking_everything_gives(episode, random) -> None:
    after, frames = episode
    for shaping in (POTENTIAL, MONOTONE, BONUS):
        all_asked, lazily = Milestones(after, shaping), Milestones(after, shaping)
        for time, frame in enumerate(frames):
            known, asked, wanted = np.full(len(after), NAN), np.zeros(len(after), bool), lazily.wanted
            rounds = 0
            while wanted.any():
                known[wanted], asked, rounds = frame[wanted], asked | wanted, rounds + 1
                wanted = lazily.also_wanted(known) & ~asked
            assert rounds <= len(after)
            if time == 0:
                all_asked.start(frame)
                lazily.start(known)
            else:
                assert lazily.step(known, False, False) == all_asked.step(frame, False, False)
            assert lazily.milestones.tolist() == all_asked.milestones.tolist()


def test_a_chain_that_is_completed_on_one_frame_is_credited_whole() -> None:
    milestones = Milestones([[], [0], [1]], BONUS)
    milestones.start(np.zeros(3))
    assert milestones.wanted.tolist() == [True, False, False]
    assert milestones.also_wanted(np.array([1.0, NAN, NAN])).tolist() == [False, True, False]
    assert milestones.wanted.tolist() == [True, False, False]
    assert milestones.step(np.ones(3), True, False) == 1.0


def test_what_is_done_too_early_is_not_credited() -> None:
    milestones = Milestones([[], [0]], BONUS)
    milestones.start(np.zeros(2))
    assert milestones.step(np.array([0.0, 1.0]), False, False) == 0.0
    assert milestones.milestones.tolist() == [0.0, 0.0]
    assert milestones.step(np.array([1.0, 0.0]), False, False) == 0.5
    assert milestones.milestones.tolist() == [1.0, 0.0]


def test_the_goal_is_paid_once_and_not_if_the_episode_begins_there() -> None:
    shaping = Shaping("potential", gamma=1.0, goal=5.0)
    milestones = Milestones([[], [0]], shaping)
    milestones.start(np.zeros(2))
    rewards = [milestones.step(np.array(each), False, False) for each in ([1.0, 0.0], [0.0, 1.0], [0.0, 1.0])]
    assert rewards == [0.5, 5.5, 0.0]
    there = Milestones([[]], shaping)
    there.start(np.ones(1))
    assert there.step(np.ones(1), True, False) == -1.0


def test_monotone_progress_is_forgotten_where_the_sub_task_is_credited_also_at_the_end() -> None:
    milestones = Milestones([[], [0]], MONOTONE)
    milestones.start(np.array([0.5, 0.9]))
    assert milestones.milestones.tolist() == [0.5, 0.0]
    assert milestones.step(np.array([0.25, 0.9]), False, False) == pytest.approx((GAMMA - 1) * 0.25)
    assert milestones.step(np.array([1.0, 0.25]), False, False) == pytest.approx(GAMMA * 0.625 - 0.25)
    assert milestones.milestones.tolist() == [1.0, 0.25]
    assert milestones.step(np.array([0.0, 1.0]), True, False) == pytest.approx(-0.625)
    assert milestones.milestones.tolist() == [1.0, 1.0]


def test_the_arrays_it_gives_out_are_not_its_memory() -> None:
    milestones = Milestones([[]])
    milestones.start(np.zeros(1))
    milestones.milestones[:] = 1
    milestones.wanted[:] = False
    assert milestones.milestones.tolist() == [0.0]
    assert milestones.wanted.tolist() == [True]


def test_nothing_to_credit_pays_nothing() -> None:
    for shaping in (POTENTIAL, MONOTONE, BONUS, Shaping(goal=1.0)):
        milestones = Milestones([], shaping)
        milestones.start(np.zeros(0))
        assert milestones.step(np.zeros(0), True, False) == 0.0


@given(orders(), st.data())
def test_sub_tasks_that_wait_for_each_other_are_refused(after, data) -> None:
    assume(len(after) > 1)
    first = data.draw(st.integers(0, len(after) - 2))
    last = data.draw(st.integers(first + 1, len(after) - 1))
    circle = [set(each) for each in after]
    circle[last].add(first)
    circle[first].add(last)
    with pytest.raises(UserError, match="wait for each other"):
        Milestones(circle)


@pytest.mark.parametrize("after", [[[1]], [[-1]], [[], [2]]])
def test_an_index_that_does_not_exist_is_refused(after) -> None:
    with pytest.raises(UserError, match="does not exist"):
        Milestones(after)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UnknownName, match="potential, bonus"):
        Shaping("penalty")
    for field, value in [
        ("gamma", 0.0), ("gamma", 1.1), ("gamma", NAN), ("scale", 0.0), ("scale", math.inf), ("goal", -1.0)
    ]:  # fmt: skip
        with pytest.raises(UserError, match=f"{field} is"):
            Shaping(**{field: value})
    with pytest.raises(UserError, match="'bonus' pays nothing for progress"):
        Shaping("bonus", monotone_progress=True)
