"""What the training agent sees of a MiniGrid environment."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from car.errors import BadTask
from car.task import Env

# The largest number in MiniGrid's symbolic encoding: the index of the object kind "agent".
_LARGEST = 10


class SymbolicView(gym.ObservationWrapper[NDArray[np.float32], Any, Any], RecordConstructorArgs):
    """MiniGrid's egocentric symbolic view as numbers in [0, 1], channels first; the mission text is left out.

    Args:
        env: an environment whose observation is MiniGrid's dictionary.

    Raises:
        BadTask: the observation has no symbolic ``image`` of shape (n, n, 3).
    """

    def __init__(self, env: Env) -> None:
        RecordConstructorArgs.__init__(self)
        gym.ObservationWrapper.__init__(self, env)
        side = _side(env.observation_space)
        self.observation_space = gym.spaces.Box(0.0, 1.0, (3, side, side), np.float32)

    def observation(self, observation: Any) -> NDArray[np.float32]:
        """The view, float32 in [0, 1] of shape (3, n, n): object kind, colour, state."""
        scaled: NDArray[np.float32] = observation["image"].transpose(2, 0, 1).astype(np.float32) / np.float32(_LARGEST)
        return scaled


def symbolic(env: Env) -> Env:
    """The environment with MiniGrid's egocentric symbolic view as its observation.

    Raises:
        BadTask: the environment's observation is not MiniGrid's.
    """
    return SymbolicView(env)


def _side(space: gym.Space[Any]) -> int:
    image = space.get("image") if isinstance(space, gym.spaces.Dict) else None
    shape = image.shape if image is not None else None
    if shape is None or len(shape) != 3 or shape[0] != shape[1] or shape[2] != 3:
        raise BadTask(f"The symbolic view needs MiniGrid's dictionary observation; this environment has {space}.")
    return int(shape[0])
