"""Which option runs: a policy over options that follows the milestones."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from car.errors import UserError
from car.rewards import Reward


class PolicyOverOptions:
    """Runs the first option, in order, that may begin, and keeps it until it is done: call-and-return execution.

    An option may begin where its sub-task is not credited and all that it comes after are. What else is credited
    while it runs does not interrupt it. Where every sub-task is credited and the episode goes on, the last option runs.

    The choice depends on what is credited and on the option that runs, and on nothing else. It serves any number of
    environments.

    Args:
        reward: the reward whose sub-tasks are meant; only its `Episode` is asked, never a program.

    Raises:
        UserError: the reward has no sub-task that could be credited first.
    """

    def __init__(self, reward: Reward) -> None:
        self.names = reward.names
        self._reward = reward
        self._known: dict[tuple[bool, ...], NDArray[np.bool_]] = {}
        if not self.available([False] * len(self.names)).any():
            raise UserError(f"The reward {reward.name!r} has no sub-task that could be credited first, so no options.")

    def available(self, credited: Sequence[bool]) -> NDArray[np.bool_]:
        """Which options may begin, shape (k,).

        Args:
            credited: which sub-tasks are, k of them; with each one all that it comes after.
        """
        key = tuple(bool(each) for each in credited)
        if key not in self._known:
            done = np.array(key, np.bool_)
            signals = np.where(done, 1.0, np.nan)
            self._known[key] = self._reward.episode().also_wanted(signals) & ~done
        return self._known[key].copy()

    def choose(self, credited: Sequence[bool], running: int | None = None) -> int:
        """The index of the option that runs next.

        Args:
            credited: which sub-tasks are, k of them.
            running: the option that ran until now; None at the beginning of an episode.
        """
        if running is not None and not credited[running]:
            return running
        possible = np.flatnonzero(self.available(credited))
        return int(possible[0]) if len(possible) else len(self.names) - 1
