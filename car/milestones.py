"""Which sub-tasks an episode has been credited with, and what that pays."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from car.errors import UnknownName, UserError

KINDS = ("potential", "bonus")

_BELOW_DONE = np.nextafter(np.float32(1), np.float32(0))


@dataclass(frozen=True)
class Shaping:
    """How milestones turn into reward.

    Args:
        kind: ``potential`` pays ``scale * (gamma * Phi(s') - Phi(s))`` (Ng, Harada and Russell, 1999), ``bonus`` pays
            ``scale / k`` for each sub-task once.
        gamma: the learner's own discount, in (0, 1]; with another one, ``potential`` moves the optimal policy.
        scale: what the whole chain is worth, positive.
        goal: paid once, on top, when the last sub-task is credited. Shaping by a potential ranks no policy above
            another, so a learner that does not get the environment's own reward needs this one in its place.
        monotone_progress: for ``potential``, which then counts the largest progress of a sub-task that the episode has
            shown since it could be credited, in place of that on the present frame. ``bonus`` pays no progress.

    Raises:
        UnknownName: there is no such kind.
        UserError: a number out of its range, or monotone progress with ``bonus``.
    """

    kind: str = "potential"
    gamma: float = 0.99
    scale: float = 1.0
    goal: float = 0.0
    monotone_progress: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownName("shaping", self.kind, list(KINDS))
        if not 0.0 < self.gamma <= 1.0:
            raise UserError(f"gamma is {self.gamma}; it must be above 0 and at most 1.")
        if not (self.scale > 0.0 and math.isfinite(self.scale)):
            raise UserError(f"scale is {self.scale}; it must be a positive number.")
        if not (self.goal >= 0.0 and math.isfinite(self.goal)):
            raise UserError(f"goal is {self.goal}; it must be 0 or a positive number.")
        if self.monotone_progress and self.kind == "bonus":
            raise UserError("monotone_progress goes with the shaping 'potential'; 'bonus' pays nothing for progress.")


class Milestones:
    """The memory of one episode over k sub-tasks, and the only memory that a reward has.

    Each sub-task is credited once, when it is done on a frame and all that it comes after are credited; these may be
    credited on the same frame. What is done on the first frame already is credited and not paid.

    Which signals a frame needs is exact: those not credited whose prerequisites are. When one of them is done, those
    behind it are asked about the same frame, in another round; a frame takes k rounds at most, and nearly always one.

    The potential Phi is the credited share plus, for each sub-task that could be credited next, its progress on the
    present frame within its own share of 1/k; so it is in [0, 1] and depends only on the frame and what is credited.
    With monotone progress it is the largest that was seen in place of the present one; so Phi never falls, a step that
    reaches nothing new pays the same wherever it goes, and Phi depends on the largest progress too, not on the frame.
    Where an episode terminates Phi is 0, so that it pays ``-Phi(s_0)`` in all and the optimal policy stays the same.
    Where it is only truncated Phi is kept: learners bootstrap from the last observation there, and taking the
    potential away would be a penalty for having got far. Either way the discounted sum telescopes to
    ``scale * (gamma ** T * Phi(s_T) - Phi(s_0))``, and no cycle pays: n steps that lead back to the same frame, with
    nothing new credited or remembered, make ``scale * (gamma ** n - 1) * Phi``. See docs/design/shaping.md.

    Where only some frames are looked at, those of the steps t_1 < t_2 < ... up to the last one, nothing is paid in
    between, and ``scale * (gamma * Phi(s_t_i) - gamma ** (1 - n) * Phi(s_t_(i-1)))`` at t_i, with n = t_i - t_(i-1). A
    learner that discounts by gamma for each step gets the same sum as above: this is the potential that on the steps in
    between grows by 1 / gamma, which is what makes those pay nothing. Phi then depends on the last frame looked at and
    how long ago that was. What is done only between two looks is not seen.

    Args:
        after: for each sub-task, the indices of those that must be credited before it.
        shaping: what milestones pay.

    Raises:
        UserError: an index that does not exist, or sub-tasks that wait for each other.
    """

    def __init__(self, after: Sequence[Iterable[int]], shaping: Shaping = Shaping()) -> None:
        self._after = tuple(tuple(each) for each in after)
        known = range(len(self._after))
        if any(index not in known for each in self._after for index in each):
            raise UserError(f"A sub-task comes after one that does not exist; there are {len(known)}, counted from 0.")
        self._shaping = shaping
        self._credited = [False] * len(self._after)
        self._open = self._possible(self._credited)
        self._wanted = self._mask(self._open)
        self._reached = np.zeros(len(self._after), np.float32)
        self._progress: dict[int, float] = {}
        self._phi = 0.0
        self._check_order()

    def _check_order(self) -> None:
        reached = self._with([1.0] * len(self._after))
        if not all(reached):
            stuck = ", ".join(str(index) for index, done in enumerate(reached) if not done)
            raise UserError(f"The sub-tasks {stuck} (counted from 0) can never be credited: they wait for each other.")

    @property
    def wanted(self) -> NDArray[np.bool_]:
        """Which sub-tasks could be credited next, shape (k,)."""
        return self._wanted.copy()

    @property
    def milestones(self) -> NDArray[np.float32]:
        """1 for each sub-task that is credited, shape (k,).

        Else 0, or with monotone progress the largest one since the sub-task could be credited, which stays below 1.
        """
        milestones = self._reached.copy()
        if self._shaping.monotone_progress:
            milestones[list(self._progress)] = np.minimum(list(self._progress.values()), _BELOW_DONE)
        return milestones

    def also_wanted(self, signals: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which sub-tasks could be credited next if this frame's signals are taken, shape (k,)."""
        credited = self._with(signals.tolist())
        return self._wanted.copy() if credited is self._credited else self._mask(self._possible(credited))

    def start(self, signals: NDArray[np.float64]) -> None:
        """Credits, unpaid, what is done on the first frame; NaN counts as not done and no progress."""
        values = signals.tolist()
        self._credit(values)
        self._phi = self._look(values)

    def step(self, signals: NDArray[np.float64], terminated: bool, truncated: bool, steps: int = 1) -> float:
        """Credits what is done on the frame after a step and pays for it; NaN counts as not done and no progress.

        Args:
            signals: shape (k,); 1 or more is done, less is progress.
            terminated: the environment reached an end of its own.
            truncated: the episode was cut; changes nothing here, see the class.
            steps: how many steps lie between the last frame that was looked at and this one.
        """
        values = signals.tolist()
        before, phi_before = self._credited, self._phi
        self._credit(values)
        if self._credited is before and self._shaping.kind == "bonus":
            # Most steps; what follows would come to the same.
            return 0.0
        phi = self._look(values)
        self._phi = 0.0 if terminated else phi
        goal = self._shaping.goal if sum(self._credited[-1:]) > sum(before[-1:]) else 0.0
        return goal + self._shaping.scale * self._earned(sum(self._credited) - sum(before), phi_before, steps)

    def _earned(self, newly: int, phi_before: float, steps: int) -> float:
        if self._shaping.kind == "bonus":
            return newly / len(self._after) if newly else 0.0
        gamma = self._shaping.gamma
        return gamma * self._phi - gamma ** (1 - steps) * phi_before

    def _credit(self, values: Sequence[float]) -> None:
        credited = self._with(values)
        if credited is not self._credited:
            self._credited, self._open = credited, self._possible(credited)
            self._wanted = self._mask(self._open)
            self._reached = np.array(credited, np.float32)

    def _with(self, values: Sequence[float]) -> list[bool]:
        """What is credited once these signals are taken; the same list if that is nothing new."""
        credited, newly = self._credited, [index for index in self._open if values[index] >= 1.0]
        while newly:
            credited = [done or index in newly for index, done in enumerate(credited)]
            newly = [index for index in self._possible(credited) if values[index] >= 1.0]
        return credited

    def _possible(self, credited: Sequence[bool]) -> list[int]:
        """Those that are not credited, but all that they come after are."""
        return [
            index
            for index, after in enumerate(self._after)
            if not credited[index] and all(credited[before] for before in after)
        ]

    def _look(self, values: Sequence[float]) -> float:
        """Takes the progress of those that could be credited next, and gives the potential."""
        if not values or self._shaping.kind == "bonus":
            return 0.0
        before = self._progress if self._shaping.monotone_progress else {}
        self._progress = {index: max(_clipped(values[index]), before.get(index, 0.0)) for index in self._open}
        return (sum(self._credited) + sum(self._progress.values())) / len(values)

    def _mask(self, indices: Sequence[int]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self._after), np.bool_)
        mask[indices] = True
        return mask


def _clipped(progress: float) -> float:
    return 0.0 if math.isnan(progress) else min(max(progress, 0.0), 1.0)
