"""What shaping does to the optimal policy, decided exactly on small random decision processes."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from random import Random

import numpy as np
import pytest
from broken_episodes import (
    DroppedAtTruncation,
    Forgetful,
    KeptAtTermination,
    NeverPunished,
    PaidForTheBest,
    PaidWhileItHolds,
)
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from small_mdps import (
    MakeEpisode,
    Mdp,
    Paid,
    Situation,
    backwards,
    best,
    choices_of,
    mdps,
    phi,
    solution,
    unrolled,
    values_of,
)

from car.milestones import Milestones, Shaping

HALF = Fraction(1, 2)
SCALE = 2
POTENTIAL = Shaping("potential", gamma=0.5, scale=SCALE)
MONOTONE = Shaping("potential", gamma=0.5, scale=SCALE, monotone_progress=True)
BONUS = Shaping("bonus", gamma=0.5, scale=SCALE)

few = settings(max_examples=30, deadline=None)
many = settings(max_examples=2000, deadline=None)
potentials = st.sampled_from([POTENTIAL, MONOTONE])


class EverySecond(Milestones):
    """What a wrapper with every=2 makes of an episode."""

    since = 0

    def step(self, signals: np.ndarray, terminated: bool, truncated: bool, steps: int = 1) -> float:
        self.since += 1
        if self.since < 2 and not (terminated or truncated):
            return 0.0
        steps, self.since = self.since, 0
        return super().step(signals, terminated, truncated, steps)


def made(shaping: Shaping) -> MakeEpisode:
    return partial(Milestones, shaping=shaping)


def shaped(here: Situation, each: Paid) -> Fraction:
    return each.reward + each.paid


def shaped_if_cut(here: Situation, each: Paid) -> Fraction:
    return each.reward + each.paid_if_cut


def shaped_at_the_end(here: Situation, each: Paid) -> Fraction:
    return each.reward + each.paid_at_the_end


def potential_of(mdp: Mdp, here: Situation, shaping: Shaping) -> Fraction:
    signals = mdp.signals[here.state]
    return SCALE * phi(mdp.after, here.milestones, signals, shaping.monotone_progress)


def check_optimal_actions_are_kept(mdp: Mdp, make: MakeEpisode) -> None:
    """Without a time limit, in every state and whatever was credited."""
    plain, situations = solution(mdp.choices(), HALF), unrolled(mdp, make)
    for here, values in zip(situations, solution(choices_of(situations, shaped), HALF), strict=True):
        assert best(values) == best(plain[here.state])


def check_optimal_actions_are_kept_within(mdp: Mdp, make: MakeEpisode, steps: int) -> None:
    """With a time limit where a learner bootstraps from its own value, as if the episode went on."""
    plain, situations = solution(mdp.choices(), HALF), unrolled(mdp, make)
    going, last = choices_of(situations, shaped), choices_of(situations, shaped_if_cut)
    learnt = [max(row) for row in solution(going, HALF)]
    for values in backwards(going, last, HALF, learnt, steps):
        for here, row in zip(situations, values, strict=True):
            assert best(row) == best(plain[here.state])


@few
@given(mdps(), potentials)
def test_a_potential_keeps_the_optimal_actions(mdp, shaping) -> None:
    check_optimal_actions_are_kept(mdp, made(shaping))


@few
@given(mdps(counts=(1, 2)))
def test_a_potential_that_looks_at_every_second_frame_keeps_the_optimal_actions(mdp) -> None:
    check_optimal_actions_are_kept(mdp, partial(EverySecond, shaping=POTENTIAL))


@pytest.mark.slow
@many
@given(mdps(), potentials)
def test_a_potential_keeps_the_optimal_actions_on_many_more(mdp, shaping) -> None:
    check_optimal_actions_are_kept(mdp, made(shaping))


@few
@given(mdps(), potentials)
def test_every_value_moves_by_the_potential_of_the_situation_whatever_the_action(mdp, shaping) -> None:
    plain, situations = solution(mdp.choices(), HALF), unrolled(mdp, made(shaping))
    for here, values in zip(situations, solution(choices_of(situations, shaped), HALF), strict=True):
        moved = potential_of(mdp, here, shaping)
        assert values == [value - moved for value in plain[here.state]]


@few
@given(mdps(), st.data())
def test_no_policy_is_ranked_anew_whether_it_looks_at_the_milestones_or_not(mdp, data) -> None:
    shaping = data.draw(potentials)
    situations = unrolled(mdp, made(shaping))
    policy = data.draw(st.lists(st.integers(0, 1), min_size=len(situations), max_size=len(situations)))
    plain = values_of(choices_of(situations, lambda here, each: each.reward), policy, HALF)
    now = values_of(choices_of(situations, shaped), policy, HALF)
    assert now == [value - potential_of(mdp, here, shaping) for here, value in zip(situations, plain, strict=True)]


@few
@given(mdps(), potentials)
def test_a_learner_that_sees_the_milestones_sees_all_that_the_pay_depends_on(mdp, shaping) -> None:
    situations = unrolled(mdp, made(shaping))
    seen = {(here.state, here.milestones) for here in situations}
    assert len(seen) == len(situations)


@few
@given(mdps(counts=(1, 2)), potentials)
def test_a_goal_that_is_paid_keeps_the_optimal_actions_of_paying_the_goal(mdp, shaping) -> None:
    with_goal = Shaping("potential", 0.5, SCALE, goal=3.0, monotone_progress=shaping.monotone_progress)
    situations = unrolled(mdp, made(with_goal))

    def goal(here: Situation, each: Paid) -> Fraction:
        return Fraction(3 if each.milestones[-1] >= 1 > here.milestones[-1] else 0)

    plain = solution(choices_of(situations, goal), HALF)
    replaced = solution(choices_of(situations, lambda here, each: each.paid), HALF)
    assert list(map(best, replaced)) == list(map(best, plain))


@few
@given(mdps(), potentials, st.integers(1, 4))
def test_a_time_limit_changes_nothing_for_a_learner_that_bootstraps_there(mdp, shaping, steps) -> None:
    check_optimal_actions_are_kept_within(mdp, made(shaping), steps)


@pytest.mark.slow
@many
@given(mdps(), potentials, st.integers(1, 6))
def test_a_time_limit_changes_nothing_for_a_learner_that_bootstraps_there_on_many_more(mdp, shaping, steps) -> None:
    check_optimal_actions_are_kept_within(mdp, made(shaping), steps)


@few
@given(mdps(), potentials, st.lists(st.integers(-3, 3), min_size=5, max_size=5))
def test_what_a_learner_bootstraps_from_at_the_limit_moves_by_the_potential(mdp, shaping, guesses) -> None:
    """With the time in the state: any value at the end, less the potential there, keeps the optimal actions."""
    situations = unrolled(mdp, made(shaping))
    moved = [potential_of(mdp, here, shaping) for here in situations]
    ends = [Fraction(each) for each in guesses[: len(mdp.outcomes)]]
    ends_moved = [ends[here.state] - move for here, move in zip(situations, moved, strict=True)]
    going, last = choices_of(situations, shaped), choices_of(situations, shaped_if_cut)
    plain = backwards(mdp.choices(), mdp.choices(), HALF, ends, 4)
    for before, now in zip(plain, backwards(going, last, HALF, ends_moved, 4), strict=True):
        for here, row, move in zip(situations, now, moved, strict=True):
            assert row == [value - move for value in before[here.state]]


@few
@given(mdps(), potentials)
def test_a_time_limit_that_belongs_to_the_task_and_terminates_keeps_the_optimal_actions(mdp, shaping) -> None:
    situations = unrolled(mdp, made(shaping))
    going, last = choices_of(situations, shaped), choices_of(situations, shaped_at_the_end)
    over, plain_over = [Fraction(0)] * len(situations), [Fraction(0)] * len(mdp.outcomes)
    plain = backwards(mdp.choices(), mdp.choices(), HALF, plain_over, 4)
    for before, now in zip(plain, backwards(going, last, HALF, over, 4), strict=True):
        for here, row in zip(situations, now, strict=True):
            assert best(row) == best(before[here.state])


@few
@given(mdps())
def test_a_bonus_costs_at_most_what_is_left_of_it(mdp) -> None:
    plain, situations = solution(mdp.choices(), HALF), unrolled(mdp, made(BONUS))
    values = solution(choices_of(situations, shaped), HALF)
    policy = [row.index(max(row)) for row in values]
    worth = values_of(choices_of(situations, lambda here, each: each.reward), policy, HALF)
    for here, value in zip(situations, worth, strict=True):
        left = SCALE * Fraction(here.milestones.count(0.0), len(here.milestones))
        assert max(plain[here.state]) - left <= value <= max(plain[here.state])


NOTHING, HERE, DONE = [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]
CHAIN = [[], [0]]


def first_choice(mdp: Mdp, shaping: Shaping) -> tuple[set[int], set[int]]:
    """The optimal actions in state 0, without and with the shaping."""
    situations = unrolled(mdp, made(shaping))
    assert situations[0].state == 0
    return best(solution(mdp.choices(), HALF)[0]), best(solution(choices_of(situations, shaped), HALF)[0])


def test_a_bonus_buys_a_detour_over_a_sub_task_that_the_best_way_does_not_need() -> None:
    """From 0 either to the end at once, or over 1, where the sub-task is done."""
    outcomes = [[[(2, 2)], [(0, 1)]], [[(2, 2)], [(2, 2)]], [[(0, 2)], [(0, 2)]]]
    mdp = Mdp(outcomes, frozenset({2}), np.array([NOTHING, HERE, DONE]), CHAIN)
    assert first_choice(mdp, BONUS) == ({0}, {1})
    assert first_choice(mdp, POTENTIAL) == ({0}, {0})


def test_a_bonus_is_taken_early_though_the_end_comes_later_where_all_ways_need_the_sub_task() -> None:
    """0 1 2 3 to the end, with the sub-task done in 1; or 0 4 5 to the end, with the sub-task done in 5."""
    ways = {1: 2, 2: 3, 4: 5}
    outcomes = [[[(0, 1)], [(0, 4)]]]
    outcomes += [[[(0, ways[state])]] * 2 if state in ways else [[(2, 6)]] * 2 for state in range(1, 7)]
    signals = np.array([NOTHING, HERE, NOTHING, NOTHING, NOTHING, HERE, DONE])
    mdp = Mdp(outcomes, frozenset({6}), signals, CHAIN)
    assert first_choice(mdp, BONUS) == ({1}, {0})
    assert first_choice(mdp, POTENTIAL) == ({1}, {1})


def test_a_learner_that_takes_a_time_limit_for_the_end_is_paid_for_having_got_far() -> None:
    """One step is left: 1 for staying in 0, or nothing for the way to 1, where the sub-task is done."""
    mdp = Mdp([[[(1, 0)], [(0, 1)]]] * 2, frozenset(), np.array([[0.0], [1.0]]), [[]])
    situations = unrolled(mdp, made(Shaping("potential", gamma=0.5, scale=4)))
    last, over = choices_of(situations, shaped_if_cut), [Fraction(0)] * len(situations)
    (plain,) = backwards(mdp.choices(), mdp.choices(), HALF, over, 1)
    (now,) = backwards(last, last, HALF, over, 1)
    assert (best(plain[0]), best(now[0])) == ({0}, {1})


def found(check: Callable[[Mdp], None]) -> Mdp:
    """A process on which the check fails; NoSuchExample is raised if none turns up."""

    def fails(mdp: Mdp) -> bool:
        try:
            check(mdp)
        except AssertionError:
            return True
        return False

    quick = settings(max_examples=500, phases=[Phase.generate], database=None, deadline=None)
    return find(mdps(counts=(1, 2)), fails, settings=quick, random=Random(0))


@pytest.mark.parametrize(
    "make",
    [
        partial(KeptAtTermination, shaping=POTENTIAL),
        partial(KeptAtTermination, shaping=MONOTONE),
        partial(NeverPunished, shaping=POTENTIAL),
        partial(Milestones, shaping=Shaping("potential", gamma=1.0)),
        partial(PaidForTheBest, shaping=MONOTONE),
        Forgetful,
        PaidWhileItHolds,
        made(BONUS),
    ],
    ids=["kept", "kept-monotone", "never-punished", "other-gamma", "best", "forgetful", "while-it-holds", "bonus"],
)
def test_the_check_finds_a_shaping_that_moves_the_optimal_actions(make) -> None:
    found(partial(check_optimal_actions_are_kept, make=make))


def test_the_check_with_a_time_limit_finds_a_potential_that_is_dropped_there() -> None:
    make = partial(DroppedAtTruncation, shaping=POTENTIAL)
    check_optimal_actions_are_kept(found(partial(check_optimal_actions_are_kept_within, make=make, steps=3)), make)
