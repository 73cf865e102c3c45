"""Gymnasium's continuous mountain car: its task as data, its camera, and an expert that pumps the swing."""

from typing import Any

import cv2
import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from car.errors import BadTask
from car.frames import Frame, as_frame
from car.task import Env, Policy, Task

# The environment's own limit is 999 steps; the expert needs 110 at the most, and each frame must be drawn.
_LONGEST = 300
_VELOCITY = 1

TASK = Task(
    name="mountaincar-continuous",
    env_id="MountainCarContinuous-v0",
    env_kwargs={"render_mode": "rgb_array", "max_episode_steps": _LONGEST},
    camera="car.tasks.mountain_car:QuarterCamera",
    expert="car.tasks.mountain_car:pump",
    success="reward",
    summary="Swing back and forth in the valley until the car is fast enough to reach the flag (continuous force).",
)


class QuarterCamera:
    """The rendered picture at a quarter of its size: 150 x 100 pixels are enough to tell where the car is."""

    def __call__(self, env: Env, observation: Any) -> Frame:
        """The frame, uint8 RGB of shape (100, 150, 3).

        Raises:
            BadFrame: the environment was made without ``render_mode="rgb_array"``.
        """
        picture = as_frame(env.render(), "rendered frame")
        quarter = (picture.shape[1] // 4, picture.shape[0] // 4)
        return as_frame(cv2.resize(picture, quarter, interpolation=cv2.INTER_AREA))


def pump(env: Env) -> Policy:
    """Pushes with full force the way the car moves, so that each swing goes higher than the one before.

    Raises:
        BadTask: the environment does not show position and velocity, or takes no force.
    """
    observed, acted = env.observation_space.shape, env.action_space
    if observed != (2,) or not isinstance(acted, gym.spaces.Box) or acted.shape != (1,):
        raise BadTask("This expert drives the continuous mountain car only: it needs position, velocity and a force.")
    return _push


def _push(observation: Any) -> NDArray[np.float32]:
    return np.array([1.0 if observation[_VELOCITY] >= 0 else -1.0], np.float32)
