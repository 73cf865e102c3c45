"""Small random decision processes with reward programs over their states, and their exact solution.

All numbers are fractions of a power of two and all sums are short, so that `Milestones` computes in floats without
rounding; what is made of its pay is computed in rational numbers. Equal means equal.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from car.rewards import Episode

ZERO = Fraction(0)
NODES = 48
"""A problem with more situations than this is left out; exact solutions of larger ones take long."""

SIGNALS = (-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, float("nan"))

seeds = st.integers(0, 2**32 - 1)
"""Numbers drawn one by one would be equal, small and 0 most of the time, and hardly a chain would be credited."""

MakeEpisode = Callable[[Sequence[Sequence[int]]], Episode]
"""Makes the episode over the sub-tasks with these prerequisites."""


class Step(NamedTuple):
    """What may come of an action: its probability, what it pays, and where it leads; None is the end."""

    probability: Fraction
    reward: Fraction
    where: int | None


Choices = list[list[list[Step]]]
"""For each situation and each action, what may come of it."""

Values = list[list[Fraction]]
"""For each situation, the value of each action."""


@dataclass(frozen=True)
class Mdp:
    """A process of n states, some of them terminal, and what the programs say of each state.

    Args:
        outcomes: for each state and action, equally likely pairs of the environment's reward and the next state.
        terminal: where an episode ends.
        signals: (n, k).
        after: the prerequisites of each of the k sub-tasks.
    """

    outcomes: list[list[list[tuple[int, int]]]]
    terminal: frozenset[int]
    signals: np.ndarray
    after: list[list[int]]

    def choices(self) -> Choices:
        """The process without any shaping."""
        return [
            [
                [
                    Step(Fraction(1, len(action)), Fraction(reward), None if state in self.terminal else state)
                    for reward, state in action
                ]
                for action in actions
            ]
            for actions in self.outcomes
        ]


def random_order(rng: np.random.Generator, count: int) -> list[list[int]]:
    """For each of k sub-tasks, some of those before it."""
    return [np.flatnonzero(rng.random(index) < 0.5).tolist() for index in range(count)]


def random_table(rng: np.random.Generator, states: int, count: int) -> np.ndarray:
    """What k programs say of each state, (states, k)."""
    return rng.choice(SIGNALS, (states, count))


def random_mdp(rng: np.random.Generator, counts: Sequence[int]) -> Mdp:
    """Three to five states and two actions; nothing ends in state 0."""
    states, count = int(rng.integers(3, 6)), int(rng.choice(counts))
    outcomes = [[_random_action(rng, states) for _ in range(2)] for _ in range(states)]
    terminal = frozenset((1 + np.flatnonzero(rng.random(states - 1) < 0.3)).tolist())
    return Mdp(outcomes, terminal, random_table(rng, states, count), random_order(rng, count))


def _random_action(rng: np.random.Generator, states: int) -> list[tuple[int, int]]:
    count = int(rng.integers(1, 3))
    return list(zip(rng.integers(-1, 3, count).tolist(), rng.integers(0, states, count).tolist(), strict=True))


def mdps(counts: Sequence[int] = (1, 2, 4)) -> st.SearchStrategy[Mdp]:
    """Processes in which an episode may begin in each state that is not terminal."""
    return seeds.map(lambda seed: random_mdp(np.random.default_rng(seed), counts))


class Paid(NamedTuple):
    """An outcome in the process that knows its milestones.

    Args:
        probability: of it.
        reward: the environment's.
        paid: the shaped reward.
        paid_if_cut: the shaped reward if the time is up.
        paid_at_the_end: the shaped reward if the environment itself ends the episode here.
        milestones: afterwards.
        where: it leads; None is the end.
    """

    probability: Fraction
    reward: Fraction
    paid: Fraction
    paid_if_cut: Fraction
    paid_at_the_end: Fraction
    milestones: tuple[float, ...]
    where: int | None


@dataclass(frozen=True)
class Situation:
    """A state, all that the episode remembers, and what may come of each action.

    Args:
        state: of the environment.
        milestones: as a learner sees them.
        actions: their outcomes.
    """

    state: int
    milestones: tuple[float, ...]
    actions: list[list[Paid]]


def unrolled(mdp: Mdp, make: MakeEpisode) -> list[Situation]:
    """Every situation that can be reached from a fresh episode in any state; as many as there are memories."""
    situations: list[Situation] = []
    waiting: list[tuple[Situation, Episode]] = []
    known: dict[tuple[int, str], int] = {}

    def place(state: int, episode: Episode) -> int:
        key = state, repr(vars(episode))
        if key not in known:
            known[key] = len(situations)
            situations.append(Situation(state, tuple(episode.milestones.tolist()), []))
            waiting.append((situations[-1], episode))
        if len(situations) > NODES:
            reject()
        return known[key]

    for state in sorted(set(range(len(mdp.outcomes))) - mdp.terminal):
        episode = make(mdp.after)
        episode.start(mdp.signals[state])
        place(state, episode)
    while waiting:
        situation, episode = waiting.pop()
        for action in mdp.outcomes[situation.state]:
            share = Fraction(1, len(action))
            situation.actions.append([_paid(mdp, episode, share, *outcome, place) for outcome in action])
    return situations


def _paid(
    mdp: Mdp, episode: Episode, share: Fraction, reward: int, state: int, place: Callable[[int, Episode], int]
) -> Paid:
    ends, signals = state in mdp.terminal, mdp.signals[state]
    going, cut, ended = (copy.deepcopy(episode) for _ in range(3))
    return Paid(
        probability=share,
        reward=Fraction(reward),
        paid=Fraction(going.step(signals, ends, False)),
        paid_if_cut=Fraction(cut.step(signals, ends, not ends)),
        paid_at_the_end=Fraction(ended.step(signals, True, False)),
        milestones=tuple(going.milestones.tolist()),
        where=None if ends else place(state, going),
    )


def choices_of(situations: Sequence[Situation], reward: Callable[[Situation, Paid], Fraction]) -> Choices:
    """The process that knows its milestones, with this reward."""
    return [
        [[Step(each.probability, reward(here, each), each.where) for each in action] for action in here.actions]
        for here in situations
    ]


def phi(after: Sequence[Sequence[int]], milestones: Sequence[float], signals: np.ndarray, monotone: bool) -> Fraction:
    """The potential, written down anew."""
    credited = [each >= 1 for each in milestones]
    total = sum(map(Fraction, milestones)) if monotone else Fraction(sum(credited))
    for index, before in enumerate(after):
        if not (monotone or credited[index]) and all(credited[each] for each in before):
            total += Fraction(min(max(float(np.nan_to_num(signals[index], nan=0.0)), 0.0), 1.0))
    return total / len(after)


def solution(choices: Choices, gamma: Fraction) -> Values:
    """The optimal values without a time limit, by policy iteration."""
    policy = [0] * len(choices)
    while True:
        values = backup(choices, gamma, values_of(choices, policy, gamma))
        better = [old if row[old] == max(row) else row.index(max(row)) for old, row in zip(policy, values, strict=True)]
        if better == policy:
            return values
        policy = better


def values_of(choices: Choices, policy: Sequence[int], gamma: Fraction) -> list[Fraction]:
    """What a policy is worth in each situation: Gaussian elimination on the rows that are not zero."""
    rows: list[dict[int, Fraction]] = []
    totals: list[Fraction] = []
    for here, actions in enumerate(choices):
        row, total = {here: Fraction(1)}, ZERO
        for step in actions[policy[here]]:
            total += step.probability * step.reward
            if step.where is not None:
                row[step.where] = row.get(step.where, ZERO) - gamma * step.probability
        rows.append(row)
        totals.append(total)
    for here in reversed(range(len(rows))):
        for row in range(here):
            if factor := rows[row].pop(here, ZERO) / rows[here][here]:
                totals[row] -= factor * totals[here]
                for column, value in rows[here].items():
                    if column != here:
                        rows[row][column] = rows[row].get(column, ZERO) - factor * value
    values: list[Fraction] = []
    for here, row in enumerate(rows):
        rest = sum((value * values[column] for column, value in row.items() if column < here), ZERO)
        values.append((totals[here] - rest) / row[here])
    return values


def backup(choices: Choices, gamma: Fraction, after: Sequence[Fraction]) -> Values:
    """The value of each action, if what comes after it is worth so much."""
    return [
        [
            sum((each.probability * (each.reward + gamma * _worth(each.where, after)) for each in action), ZERO)
            for action in actions
        ]
        for actions in choices
    ]


def _worth(where: int | None, after: Sequence[Fraction]) -> Fraction:
    return ZERO if where is None else after[where]


def backwards(going: Choices, last: Choices, gamma: Fraction, end: Sequence[Fraction], steps: int) -> Iterator[Values]:
    """The optimal values with 1, 2, ... steps left, by backward induction.

    Args:
        going: the process before the last step.
        last: the process in its last step.
        gamma: the discount.
        end: what each situation is worth when the time is up.
        steps: how many.
    """
    after = end
    for left in range(steps):
        values = backup(going if left else last, gamma, after)
        yield values
        after = [max(row) for row in values]


def best(row: Sequence[Fraction]) -> set[int]:
    """The optimal actions."""
    return {action for action, value in enumerate(row) if value == max(row)}
