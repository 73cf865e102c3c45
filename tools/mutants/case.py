"""What the mutants of one bundle are judged on, and what the original programs say there."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from car.bundle import load_bundle
from car.checker import Checker, SubTask
from car.record import load_set, record_to
from car.sandbox import Sandbox
from car.trajectory import Trajectory
from car.verify import Observation, observe, twice
from car.verify.blank import asked_about_blank

FRESH_SEED = 500_000
"""Experts' episodes of the independent set have the seeds from here on, random ones those from 1,500,000 on."""
FRESH_EXPERTS, FRESH_RANDOMS = 60, 150


@dataclass(frozen=True)
class Case:
    """A chain of checkers, what it is judged on, and an independent set of trajectories.

    Args:
        name: of the bundle.
        checkers: the original programs, in the chain's order.
        subtasks: all that the chain must have.
        held_out: what the verdict is given on.
        fresh: what neither refinement nor verdict has seen.
        sandbox: where programs run.
    """

    name: str
    checkers: Sequence[Checker]
    subtasks: Sequence[SubTask]
    held_out: Sequence[Trajectory]
    fresh: Sequence[Trajectory]
    sandbox: Sandbox

    @cached_property
    def seen(self) -> list[Observation]:
        """What the original programs say of what the verdict is given on."""
        with twice(self.sandbox, self.checkers) as (first, second):
            return observe(first, self.held_out, second)

    @cached_property
    def blank(self) -> NDArray[np.bool_]:
        """What they say of blank frames, see `asked_about_blank`."""
        with self.sandbox.open(self.checkers) as session:
            return asked_about_blank(session, self.seen)

    @cached_property
    def seen_fresh(self) -> list[Observation]:
        """What they say of the independent set."""
        with self.sandbox.open(self.checkers) as session:
            return observe(session, self.fresh)

    @cached_property
    def first_frames(self) -> list[Trajectory]:
        """The different first frames of both sets, each as an episode without a step."""
        starts = {each.frame(0).tobytes(): each for each in (*self.held_out, *self.fresh)}
        return [Trajectory.of([each.frame(0)], each.who) for each in starts.values()]

    @cached_property
    def pairs(self) -> int:
        """How many different pairs of a first frame and a frame the independent set has."""
        pictures: dict[bytes, set[bytes]] = {}
        for each in self.fresh:
            distinct = {each.pictures[picture].tobytes() for picture in np.unique(each.order)}
            pictures.setdefault(each.frame(0).tobytes(), set()).update(distinct)
        return sum(map(len, pictures.values()))


@dataclass(frozen=True)
class SetSize:
    """How large the independent set of a bundle is.

    Args:
        bundle: the bundle's name.
        experts: its expert episodes.
        randoms: its random episodes.
        frames: the frames of all its episodes.
        pairs: the different pairs of a first frame and a frame.
    """

    bundle: str
    experts: int
    randoms: int
    frames: int
    pairs: int


def size_of(case: Case) -> SetSize:
    """How large its independent set is."""
    experts = sum(each.who == "expert" for each in case.fresh)
    return SetSize(case.name, experts, len(case.fresh) - experts, sum(map(len, case.fresh)), case.pairs)


def load_case(name: str, rewards: Path, trajectories: Path, cache: Path, sandbox: Sandbox) -> Case:
    """The case of a bundle that ships; the independent set is recorded into the cache, or found there."""
    bundle = load_bundle(rewards / name)
    experts, randoms = load_set(trajectories, bundle.task.name)
    held_out = [each for each in (*experts, *randoms) if each.sha256() not in bundle.refined_on]
    record_to(cache, bundle.task, FRESH_EXPERTS, FRESH_RANDOMS, FRESH_SEED)
    fresh = [each for kind in load_set(cache, bundle.task.name) for each in kind]
    return Case(name, bundle.checkers, bundle.subtasks, held_out, fresh, sandbox)
