"""The milestones as a part of the observation, so that a reward that is paid once stays Markov."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from car.errors import UserError

KEY = "milestones"


class MilestoneView:
    """Puts k milestones into the observations of a space.

    A Dict gets the entry ``milestones``, float32 (k,). A one-dimensional Box gets k more numbers, 1 or 0. A
    three-dimensional Box, a picture, gets one more channel, which holds the credited share in all its pixels, from the
    lowest value of the box to its highest. The channels are the last axis if that has at most 4 entries, else the
    first. A box without bounds counts as one from 0 to 1 for this. With monotone progress a milestone that is not
    credited is its largest progress so far, and the channel is the potential; boxes of integers round it.

    Args:
        space: of the observations as they are.
        count: k.

    Raises:
        UserError: a space of another kind, or a Dict that has such an entry.
    """

    def __init__(self, space: spaces.Space[Any], count: int) -> None:
        self._count = count
        self._axis = 0
        self.space = self._extended(space)

    def _extended(self, space: spaces.Space[Any]) -> spaces.Space[Any]:
        if isinstance(space, spaces.Dict):
            if KEY in space.spaces:
                raise UserError(f"The observation already has an entry {KEY!r}; rename it, or do without the option.")
            return spaces.Dict({**space.spaces, KEY: spaces.Box(0.0, 1.0, (self._count,), np.float32)})
        if isinstance(space, spaces.Box) and len(space.shape) == 1:
            return _longer(space, np.zeros(self._count), np.ones(self._count), 0)
        if isinstance(space, spaces.Box) and len(space.shape) == 3:
            self._axis = 2 if space.shape[2] <= 4 else 0
            self._low, self._high = _range(space)
            plane = np.ones([1 if axis == self._axis else side for axis, side in enumerate(space.shape)])
            return _longer(space, plane * self._low, plane * self._high, self._axis)
        raise UserError(
            f"Milestones cannot be added to observations of the space {space}; it must be a Dict, or a Box with one "
            "axis or three."
        )

    def add(self, observation: Any, milestones: NDArray[np.float32]) -> Any:
        """One observation with its milestones, (k,)."""
        if isinstance(self.space, spaces.Dict):
            return {**observation, KEY: milestones}
        batch: NDArray[Any] = self.add_batch(np.asarray(observation)[None], milestones[None])
        return batch[0]

    def add_batch(self, observations: Any, milestones: NDArray[np.float32]) -> Any:
        """n observations, stacked, with their milestones, (n, k)."""
        if isinstance(self.space, spaces.Dict):
            return {**observations, KEY: milestones}
        if observations.ndim == 2:
            return np.concatenate([observations, milestones.astype(observations.dtype)], axis=1)
        return np.concatenate([observations, self._planes(observations, milestones)], axis=self._axis + 1)

    def _planes(self, observations: NDArray[Any], milestones: NDArray[np.float32]) -> NDArray[Any]:
        values = self._low + milestones.mean(axis=1) * (self._high - self._low)
        if np.issubdtype(observations.dtype, np.integer):
            values = np.rint(values)
        shape = [1 if axis == self._axis + 1 else side for axis, side in enumerate(observations.shape)]
        return np.broadcast_to(values.astype(observations.dtype).reshape(-1, 1, 1, 1), shape)


def _longer(space: spaces.Box, low: NDArray[Any], high: NDArray[Any], axis: int) -> spaces.Box:
    kind: Any = space.dtype
    return spaces.Box(
        np.concatenate([space.low, low.astype(kind)], axis=axis),
        np.concatenate([space.high, high.astype(kind)], axis=axis),
        dtype=kind,
    )


def _range(space: spaces.Box) -> tuple[float, float]:
    low, high = float(space.low.min()), float(space.high.max())
    return (low, high) if np.isfinite([low, high]).all() else (0.0, 1.0)
