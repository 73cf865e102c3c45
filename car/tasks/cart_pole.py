"""Gymnasium's cart and pole as VLM-RM has it: the pole may fall, and what counts is that it stays upright.

Its task as data, its environment, and an expert that balances.
"""

import math
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from numpy.typing import NDArray

from car.errors import BadTask
from car.task import Env, Policy, Task

LENGTH = 200
"""Steps of every episode."""

TASK = Task(
    name="cartpole-upright",
    env_id="car.tasks.cart_pole:CartPoleUpright-v0",
    env_kwargs={"render_mode": "rgb_array"},
    camera="car.tasks.mountain_car:QuarterCamera",
    expert="car.tasks.cart_pole:balance",
    success="info:success",
    summary="Keep the pole on the cart upright; an episode goes on for 200 steps even if the pole falls.",
    goal_prompt="pole vertically upright on top of the cart",
    baseline_prompt="pole and cart",
)

# The end is one of time and not of the state, so it is a truncation, and a learner still counts what would follow.
# VLM-RM's own code calls it a termination.
gym.register("CartPoleUpright-v0", "car.tasks.cart_pole:CartPoleUpright", max_episode_steps=LENGTH)

_STARTS = {"upright": (0.0, 0.05), "hanging": (math.pi, 0.05), "anywhere": (0.0, math.pi)}
"""The pole's first angle in radians: in the middle, and at most so far from it."""

# Those of a linear-quadratic regulator, rounded; only the sign of the sum matters, as the force has one size.
_GAINS = np.array([1.0, 2.0, 30.0, 8.0])


class Kept:
    """Whether a state was kept throughout the second half of an episode; so a good start alone is no success.

    Args:
        length: steps of an episode.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._steps = 0
        self._lost = False

    def success(self, holds: bool) -> bool:
        """Counts one step after which the state holds or does not; true only at the last one of a success."""
        self._steps += 1
        self._lost |= self._steps > self._length // 2 and not holds
        return self._steps == self._length and not self._lost


class CartPoleUpright(CartPoleEnv):
    """The cart and pole without an end: the cart stops at the track's ends and the pole may turn right round.

    The reward is 1 after each step that leaves the pole within 12 degrees and the cart inside the track, else 0.
    ``info["success"]`` is true at the last step alone, if that was so throughout the second half.

    At an end of the track, half of the cart is outside the picture, and a pole that leans outwards is outside it
    altogether. The lowest tenth of a pole that hangs straight down is below it.

    Args:
        start: the pole's first angle: ``upright`` (within 0.05 radians, as in Gymnasium), ``hanging`` (as near to
            straight down) or ``anywhere``.
        render_mode: ``rgb_array``, ``human`` or None.

    Raises:
        ValueError: there is no such start.
    """

    state: Any
    """Position, velocity, angle and angular velocity, float64 of shape (4,)."""

    def __init__(self, start: str = "upright", render_mode: str | None = None) -> None:
        if start not in _STARTS:
            raise ValueError(f"start = {start!r} must be one of {', '.join(_STARTS)}.")
        super().__init__(render_mode=render_mode)
        self._start = start
        self._kept = Kept(LENGTH)
        high = np.array([self.x_threshold, np.inf, math.pi, np.inf], np.float32)
        self.observation_space = gym.spaces.Box(-high, high, dtype=np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """The first observation: position, velocity, angle and angular velocity, float32 of shape (4,)."""
        _, info = super().reset(seed=seed, options=options)
        self._kept = Kept(LENGTH)
        if self._start != "upright":
            middle, furthest = _STARTS[self._start]
            self._put(middle + self.np_random.uniform(-furthest, furthest))
        return self._observed(), info

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """The observation, float32 of shape (4,), and whether all is well with the pole; it never terminates."""
        _, _, _, truncated, info = super().step(action)  # type: ignore[no-untyped-call]
        self.steps_beyond_terminated = None  # Else it warns of steps after the end.
        self._put(self.state[2])
        upright = self.upright
        return self._observed(), float(upright), False, truncated, {**info, "success": self._kept.success(upright)}

    @property
    def upright(self) -> bool:
        """Whether Gymnasium's CartPole would go on: the pole is within 12 degrees, and the cart inside the track."""
        position, angle = self.state[0], self.state[2]
        # At the ends, the cart was stopped from leaving.
        return bool(abs(position) < self.x_threshold and abs(angle) <= self.theta_threshold_radians)

    def _put(self, angle: float) -> None:
        """Sets the angle, wrapped to [-pi, pi), and stops the cart at the ends. As in the paper, velocities stay."""
        position, velocity, _, turning = self.state
        inside = np.clip(position, -self.x_threshold, self.x_threshold)
        self.state = np.array([inside, velocity, (angle + math.pi) % (2 * math.pi) - math.pi, turning])

    def _observed(self) -> NDArray[np.float32]:
        return np.array(self.state, np.float32)


def balance(env: Env) -> Policy:
    """Pushes the cart under the pole, and gently back to the middle of the track.

    Raises:
        BadTask: not a cart with a pole that is pushed left or right.
    """
    if not isinstance(env.unwrapped, CartPoleEnv):
        raise BadTask("This expert balances the pole of CartPole only: it needs the cart's and the pole's state.")
    return _push


def _push(observation: Any) -> int:
    return int(observation @ _GAINS > 0)
