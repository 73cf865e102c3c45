"""No way to cheat: what an episode pays, over random programs, prerequisites, environments and policies.

A walk is what any policy may do in some environment: a sequence of states. The programs are a table of what they say
of each state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from broken_episodes import Forgetful, NeverPunished, PaidWhileItHolds, Unordered
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from small_mdps import MakeEpisode, phi, random_order, random_table, seeds

from car.milestones import Milestones, Shaping

SCALE, GOAL, GAMMA = 2.0, 3.0, 0.5
POTENTIAL = Shaping("potential", GAMMA, SCALE)
MONOTONE = Shaping("potential", GAMMA, SCALE, monotone_progress=True)
BONUS = Shaping("bonus", GAMMA, SCALE, GOAL)

few = settings(max_examples=100, deadline=None)
many = settings(max_examples=5000, deadline=None)


@dataclass(frozen=True)
class Walk:
    """States that follow each other.

    Args:
        table: what the k programs say of each state, (states, k).
        after: the prerequisites of the k sub-tasks.
        states: of the walk.
    """

    table: np.ndarray
    after: list[list[int]]
    states: list[int]


def random_walk(seed: int, counts: Sequence[int]) -> Walk:
    rng = np.random.default_rng(seed)
    states, count = int(rng.integers(2, 6)), int(rng.choice(counts))
    walk = rng.integers(0, states, rng.integers(2, 15)).tolist()
    return Walk(random_table(rng, states, count), random_order(rng, count), walk)


def walks(counts: Sequence[int] = (1, 2, 3, 4, 5)) -> st.SearchStrategy[Walk]:
    return seeds.map(partial(random_walk, counts=counts))


def followed(walk: Walk, make: MakeEpisode) -> tuple[list[float], list[list[float]]]:
    """What each step of an episode pays, and the milestones on each frame; the episode goes on after it."""
    episode = make(walk.after)
    episode.start(walk.table[walk.states[0]])
    paid, milestones = [], [episode.milestones.tolist()]
    for state in walk.states[1:]:
        paid.append(episode.step(walk.table[state], False, False))
        milestones.append(episode.milestones.tolist())
    return paid, milestones


def made(shaping: Shaping) -> MakeEpisode:
    return partial(Milestones, shaping=shaping)


def check_credit_is_given_once_and_in_order(walk: Walk, make: MakeEpisode) -> None:
    _, milestones = followed(walk, make)
    nothing = [0.0] * len(walk.after)
    for state, before, now in zip(walk.states, [nothing, *milestones], milestones, strict=False):
        for index, prerequisites in enumerate(walk.after):
            assert before[index] < 1 or now[index] >= 1
            if now[index] >= 1 > before[index]:
                assert walk.table[state, index] >= 1
                assert all(now[each] >= 1 for each in prerequisites)


def check_bonus_is_paid_once(walk: Walk, make: MakeEpisode) -> None:
    paid, milestones = followed(walk, make)
    for reward, before, now in zip(paid, milestones, milestones[1:], strict=False):
        newly, goal = sum(now) - sum(before), now[-1] > before[-1]
        assert reward == pytest.approx(SCALE * newly / len(now) + GOAL * goal)
    assert 0 <= sum(paid) <= SCALE + GOAL + 1e-9


def returns(walk: Walk, milestones: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """The stretches that begin and end in the same state with the same milestones."""
    keys = list(zip(walk.states, map(tuple, milestones), strict=True))
    return [(start, end) for end in range(len(keys)) for start in range(end) if keys[start] == keys[end]]


def check_no_cycle_pays(walk: Walk, make: MakeEpisode) -> None:
    paid, milestones = followed(walk, make)
    for start, end in returns(walk, milestones):
        assert sum(paid[start:end]) <= 0
        assert sum(GAMMA**time * each for time, each in enumerate(paid[start:end])) <= 0


shapings = st.sampled_from([POTENTIAL, MONOTONE, BONUS])


@few
@given(walks(), shapings)
def test_credit_is_given_once_and_only_after_the_prerequisites(walk, shaping) -> None:
    check_credit_is_given_once_and_in_order(walk, made(shaping))


@few
@given(walks())
def test_a_bonus_pays_for_each_sub_task_once_and_its_scale_in_all(walk) -> None:
    check_bonus_is_paid_once(walk, made(BONUS))


@few
@given(walks(counts=(1, 2, 4)), shapings)
def test_no_cycle_pays(walk, shaping) -> None:
    check_no_cycle_pays(walk, made(shaping))


@pytest.mark.slow
@many
@given(walks(counts=(1, 2, 4)), shapings)
def test_nothing_can_be_had_twice_in_many_more(walk, shaping) -> None:
    check_credit_is_given_once_and_in_order(walk, made(shaping))
    check_bonus_is_paid_once(walk, made(BONUS))
    check_no_cycle_pays(walk, made(shaping))


@few
@given(walks(counts=(1, 2, 4)), st.sampled_from([POTENTIAL, MONOTONE]))
def test_a_cycle_of_n_steps_costs_what_n_steps_of_standing_still_cost(walk, shaping) -> None:
    paid, milestones = followed(walk, made(shaping))
    monotone = shaping.monotone_progress
    worth = [
        SCALE * float(phi(walk.after, row, walk.table[state], monotone))
        for state, row in zip(walk.states, milestones, strict=True)
    ]
    for start, end in returns(walk, milestones):
        discounted = sum(GAMMA**time * each for time, each in enumerate(paid[start:end]))
        assert discounted == (GAMMA ** (end - start) - 1) * worth[start]
        assert sum(paid[start:end]) == (GAMMA - 1) * sum(worth[start:end])


@few
@given(walks(counts=(1, 2, 4)))
def test_a_bonus_pays_nothing_on_the_way_back_to_the_same_situation(walk) -> None:
    paid, milestones = followed(walk, made(BONUS))
    for start, end in returns(walk, milestones):
        assert paid[start:end] == [0.0] * (end - start)


@few
@given(walks())
def test_of_the_laps_of_a_bonus_at_most_k_pay_and_those_come_first(walk) -> None:
    """A lap can open what the next one credits, but a lap that credits nothing is followed by none that does."""
    count, length = len(walk.after), len(walk.states)
    laps = Walk(walk.table, walk.after, walk.states[:1] + (walk.states[1:] + walk.states[:1]) * (count + 2))
    paid, _ = followed(laps, made(BONUS))
    sums = [sum(paid[lap * length : (lap + 1) * length]) for lap in range(count + 2)]
    assert all(now == 0 or before > 0 for before, now in pairwise(sums))
    assert sums[count] == 0


@few
@given(walks(counts=(1, 2, 4)))
def test_with_monotone_progress_the_potential_never_falls_and_no_way_back_costs_more_than_standing_still(walk) -> None:
    paid, milestones = followed(walk, made(MONOTONE))
    for reward, before, now in zip(paid, milestones, milestones[1:], strict=False):
        worth = SCALE * sum(before) / len(before)
        assert sum(now) >= sum(before)
        if now == before:
            assert reward == (GAMMA - 1) * worth
        else:
            assert reward > (GAMMA - 1) * worth


@few
@given(walks(counts=(1, 2, 4)))
def test_the_largest_progress_counts_from_the_frame_on_which_the_sub_task_could_be_credited(walk) -> None:
    _, milestones = followed(walk, made(MONOTONE))
    best: dict[int, float] = {}
    for state, row in zip(walk.states, milestones, strict=True):
        for index, before in enumerate(walk.after):
            if row[index] < 1 and all(row[each] >= 1 for each in before):
                best[index] = max(best.get(index, 0.0), float(np.nan_to_num(walk.table[state, index], nan=0.0)))
                assert row[index] == best[index]
            else:
                assert row[index] in (0.0, 1.0)


def test_a_step_back_costs_more_than_standing_still_unless_progress_is_monotone() -> None:
    walk = Walk(np.array([[0.0], [0.75], [0.25]]), [[]], [0, 1, 2, 1, 1])
    assert followed(walk, made(POTENTIAL))[0] == [0.75, 0.25 - 1.5, 0.75 - 0.5, 0.75 - 1.5]
    assert followed(walk, made(MONOTONE))[0] == [0.75, 0.75 - 1.5, 0.75 - 1.5, 0.75 - 1.5]


@few
@given(walks(counts=(1, 2, 4)), st.sampled_from([POTENTIAL, MONOTONE]), st.data())
def test_looking_at_some_frames_only_gives_what_the_potential_there_says(walk, shaping, data) -> None:
    last = len(walk.states) - 1
    looks = [0, *sorted(data.draw(st.sets(st.integers(1, last))) | {last})]
    episode = Milestones(walk.after, shaping)
    worth, total = [], 0.0
    for before, now in pairwise([0, *looks]):
        signals = walk.table[walk.states[now]]
        if now == 0:
            episode.start(signals)
        else:
            total += GAMMA ** (now - 1) * episode.step(signals, False, False, now - before)
        worth.append(SCALE * float(phi(walk.after, episode.milestones.tolist(), signals, shaping.monotone_progress)))
    assert total == GAMMA**last * worth[-1] - worth[0]


def fails(check: Callable[[Walk], None], walk: Walk) -> bool:
    try:
        check(walk)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(
    ("check", "make"),
    [
        (check_credit_is_given_once_and_in_order, partial(Unordered, shaping=BONUS)),
        (check_credit_is_given_once_and_in_order, Forgetful),
        (check_bonus_is_paid_once, Forgetful),
        (check_bonus_is_paid_once, PaidWhileItHolds),
        (check_no_cycle_pays, Forgetful),
        (check_no_cycle_pays, PaidWhileItHolds),
        (check_no_cycle_pays, partial(NeverPunished, shaping=POTENTIAL)),
        (check_no_cycle_pays, partial(Milestones, shaping=Shaping("potential", gamma=1.0))),
    ],
)
def test_the_checks_find_what_can_be_had_twice(check, make) -> None:
    quick = settings(max_examples=500, phases=[Phase.generate], database=None, deadline=None)
    find(walks(), partial(fails, partial(check, make=make)), settings=quick, random=Random(0))
