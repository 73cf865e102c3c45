"""What is known of some checkers of a chain, so that another one can be judged beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from car.checker import Checker, SubTask
from car.verify import Bar, Observation, Probe, Verdict, judge


@dataclass(frozen=True)
class Evidence:
    """What k checkers said of the same trajectories.

    Args:
        checkers: in the chain's order.
        observations: what they said of each trajectory; empty if there is no checker yet.
        blank: what they said of blank frames, see `car.verify.blank`; bool, (experts, frames, k).
        audited: what they said of the counter-examples of an audit.
    """

    checkers: tuple[Checker, ...] = ()
    observations: tuple[Observation, ...] = ()
    blank: NDArray[np.bool_] | None = None
    audited: tuple[Observation, ...] = ()

    def beside(self, other: "Evidence") -> "Evidence":
        """The checkers of both, those of the other last."""
        if not self.checkers or self.blank is None or other.blank is None:
            return other
        return Evidence(
            (*self.checkers, *other.checkers),
            tuple(a.beside(b) for a, b in zip(self.observations, other.observations, strict=True)),
            np.concatenate([self.blank, other.blank], axis=2),
            tuple(a.beside(b) for a, b in zip(self.audited, other.audited, strict=True)),
        )

    @property
    def experts(self) -> list[Observation]:
        """What they said of experts."""
        return [each for each in self.observations if each.trajectory.who == "expert"]

    def verdict(self, bar: Bar, subtasks: Sequence[SubTask] | None = None, probes: Sequence[Probe] = ()) -> Verdict:
        """The verdict on these checkers as a chain."""
        return judge(self.checkers, self.observations, bar, subtasks, self.blank, probes)
