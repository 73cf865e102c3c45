"""Where a wrapper gets its frames from."""

from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from car.errors import BadFrame
from car.frames import Frame, as_frame
from car.task import Camera, Env, Task

FRAME = "car/frame"
"""The key in `info` under which `FrameTap` leaves the frame."""


def make_camera(camera: Camera | str | None, task: Task | None, env: Env) -> Camera:
    """The camera for one environment.

    Args:
        camera: a camera, or what `Task.camera` takes; None is the task's own, or ``render`` without a task.
        task: the task that the reward was made for, if known.
        env: what the camera is for.

    Raises:
        BadFrame: frames would be rendered, but the environment was not made for that.
        BadTask: the text names no camera.
    """
    if camera is not None and not isinstance(camera, str):
        return camera
    source = camera or (task.camera if task else "render")
    if source == "render" and env.render_mode != "rgb_array":
        raise BadFrame(
            f"The environment has render_mode={env.render_mode!r}; make it with render_mode='rgb_array', "
            "so that frames can be taken of it."
        )
    return Task(name="any", env_id="any", camera=source).make_camera()


def take(camera: Camera, env: Env, observation: Any) -> Frame:
    """A frame of its own, which the environment cannot draw over.

    Raises:
        BadFrame: what the camera gave is not a frame.
    """
    return as_frame(camera(env, observation), "camera's picture").copy()


class FrameTap(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Leaves the frame of the present state in ``info["car/frame"]``, at reset and at each step.

    A vectorised environment resets an environment in the same step in which an episode ends. The frame is taken inside,
    so that it always belongs to its `info`. Wrappers that change the observation go around this one.

    Args:
        env: the environment.
        camera: a camera, or what `Task.camera` takes, e.g. ``render`` or ``observation:KEY``.

    Raises:
        BadFrame: frames would be rendered, but the environment was not made for that.
    """

    def __init__(self, env: Env, camera: Camera | str = "render") -> None:
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, camera=camera)
        gym.Wrapper.__init__(self, env)
        self._camera = make_camera(camera, None, env)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """The environment's own, with the first frame in `info`."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, {**info, FRAME: take(self._camera, self.env, observation)}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """The environment's own, with the frame after the step in `info`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated, truncated, {**info, FRAME: take(self._camera, self.env, observation)}
