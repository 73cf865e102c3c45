"""MuJoCo's humanoid, to be brought into a pose as in VLM-RM: the environment of the task files ``humanoid-*.toml``."""

import importlib
from typing import Any

import gymnasium as gym

from car.errors import BadTask
from car.task import Env
from car.tasks.cart_pole import Kept

LENGTH = 100
"""Steps of every episode."""

CAMERA = {"trackbodyid": 1, "distance": 3.5, "lookat": [0.0, 0.0, 1.0], "elevation": -10, "azimuth": 180}
"""Where VLM-RM looks from."""

gym.register("HumanoidPose-v0", "car.tasks.humanoid:humanoid_pose", max_episode_steps=LENGTH)


def humanoid_pose(standing: bool = False, render_mode: str | None = None) -> Env:
    """The humanoid, which may fall, seen by the camera of VLM-RM in pictures of 480 x 480.

    Args:
        standing: whether the task is to stand; see `Pose`.
        render_mode: ``rgb_array``, ``human`` or None.

    Raises:
        ImportError: MuJoCo is not installed.
    """
    try:
        importlib.import_module("mujoco")
    except ModuleNotFoundError as error:
        if error.name != "mujoco":
            raise
        raise ImportError('it needs the package mujoco: pip install "code-as-reward[mujoco]".') from error
    from gymnasium.envs.mujoco.humanoid_v5 import HumanoidEnv

    # Camera -1 is the free one; a camera that the model names would not look from where it is told to.
    seen: dict[str, Any] = {"camera_id": -1, "default_camera_config": CAMERA, "width": 480, "height": 480}
    return Pose(HumanoidEnv(terminate_when_unhealthy=False, render_mode=render_mode, **seen), standing)


class Pose(gym.Wrapper[Any, Any, Any, Any]):
    """Leaves Gymnasium's reward out, which is for running forward, and says what can be said about success.

    No state says whether the humanoid kneels or sits in the lotus position: in the paper a person looked at videos.
    So the reward is 0, and ``info`` has no ``success``. Standing is told by the height alone: the reward is 1 after
    each step that leaves the middle of the torso between 1 and 2 metres high (Gymnasium's "healthy"), and
    ``info["success"]`` is true at the last step alone, if that was so throughout the second half.

    Args:
        env: the humanoid.
        standing: whether the task is to stand.
    """

    def __init__(self, env: Env, standing: bool) -> None:
        super().__init__(env)
        self._standing = standing
        self._kept = Kept(LENGTH)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """The first observation, float64 of shape (348,)."""
        self._kept = Kept(LENGTH)
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """The observation, float64 of shape (348,), and what can be said about success; it never terminates."""
        observation, _, terminated, truncated, info = super().step(action)
        if not self._standing:
            return observation, 0.0, terminated, truncated, info
        high = bool(self.unwrapped.is_healthy)  # type: ignore[attr-defined]
        return observation, float(high), terminated, truncated, {**info, "success": self._kept.success(high)}

    def render(self) -> Any:
        """The picture, uint8 RGB of shape (480, 480, 3).

        Raises:
            BadTask: MuJoCo cannot draw on this machine.
        """
        try:
            return super().render()
        except Exception as error:  # each of MuJoCo's ways to draw fails in its own way
            raise BadTask(
                f"MuJoCo cannot draw here ({type(error).__name__}: {error}): without a screen, set MUJOCO_GL to egl or "
                "osmesa."
            ) from error
