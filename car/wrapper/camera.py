"""Where a wrapper gets its frames from."""

from typing import Any, Self

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import DTypeLike, NDArray

from car.errors import BadFrame, UserError
from car.frames import Frame, as_frame
from car.task import Camera, Env, Task

FRAME = "car/frame"
"""The key in `info` under which `FrameTap` leaves the frame, as a `Snapshot`."""

CUT = "car/cut"
"""The key in the `info` of a reset under which the account of an episode is left that had not ended before it."""


NO_TAP = "An environment gives no frames: wrap each one in FrameTap before it goes into the vector of environments."


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


class Snapshot:
    """A frame on its way through `info`; `numpy.asarray` gives the picture.

    Vectorised environments copy what is in `info`. Nobody draws over this frame, so that a copy of a snapshot is the
    snapshot, and the same frame stays the same object.

    Args:
        frame: a frame that `settled` gave.
    """

    __slots__ = ("frame",)

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """The frame, or a copy of it where that is asked for."""
        return np.array(self.frame, dtype, copy=copy)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def settled(picture: object, before: Frame | None) -> Frame:
    """The picture as a frame that nobody draws over: read-only, and its own.

    Args:
        picture: what a camera gave. A read-only array that is no view is taken as it is, by the promise that it stays
            so.
        before: the frame before it. Where the picture looks the same, this object comes back, so that "unchanged" can
            be told by identity.

    Raises:
        BadFrame: the picture is not a frame.
    """
    if picture is before and before is not None:
        return before
    frame = as_frame(picture, "camera's picture")
    if _is_still(frame):
        return frame
    if before is not None and np.array_equal(frame, before):
        return before
    frame = frame.copy()
    frame.setflags(write=False)
    return frame


class Shutter:
    """Takes the first frame of each episode, that of every k-th step, and that of the last step.

    Args:
        camera: for one environment.
        every: k. In between, the camera is not called.

    Raises:
        UserError: k is not positive.
    """

    def __init__(self, camera: Camera, every: int = 1) -> None:
        self._camera = camera
        self._every = checked_every(every)
        self._steps = 0
        self._before: Frame | None = None

    def first(self, env: Env, observation: Any) -> Frame:
        """The frame after a reset.

        Raises:
            BadFrame: what the camera gave is not a frame.
        """
        self._steps = 0
        return self._take(env, observation)

    def after_step(self, env: Env, observation: Any, ended: bool) -> Frame | None:
        """The frame after a step; None if this step is not looked at.

        Raises:
            BadFrame: what the camera gave is not a frame.
        """
        self._steps += 1
        return self._take(env, observation) if ended or self._steps % self._every == 0 else None

    def look_every(self, every: int) -> None:
        """Changes k.

        Raises:
            UserError: k is not positive.
        """
        self._every = checked_every(every)

    def _take(self, env: Env, observation: Any) -> Frame:
        self._before = settled(self._camera(env, observation), self._before)
        return self._before


def checked_every(every: int) -> int:
    """k, as it is.

    Raises:
        UserError: it is not positive.
    """
    if every < 1:
        raise UserError(f"every is {every}; it must be at least 1, which looks at each step.")
    return every


class FrameTap(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Leaves the frame of the present state in ``info["car/frame"]``, at reset and at each step.

    A vectorised environment resets an environment in the same step in which an episode ends. The frame is taken inside,
    so that it always belongs to its `info`. Wrappers that change the observation go around this one; one that ends
    episodes, such as a time limit, goes into it. The frame is a `Snapshot`, of which `numpy.asarray` makes an array.

    Args:
        env: the environment.
        camera: a camera, or what `Task.camera` takes, e.g. ``render`` or ``observation:KEY``.
        every: k; only the frames of each k-th step of an episode and of its last step are taken, and nothing is
            rendered in between. A reward around it that is made with `every` sets this.

    Raises:
        BadFrame: frames would be rendered, but the environment was not made for that.
        UserError: k is not positive.
    """

    def __init__(self, env: Env, camera: Camera | str = "render", every: int = 1) -> None:
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, camera=camera, every=every)
        gym.Wrapper.__init__(self, env)
        self._shutter = Shutter(make_camera(camera, None, env), every)
        self._snapshot: Snapshot | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """The environment's own, with the first frame in `info`."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, self._with(info, self._shutter.first(self.env, observation))

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """The environment's own, with the frame after the step in `info`, if it was taken."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        frame = self._shutter.after_step(self.env, observation, bool(terminated or truncated))
        return observation, reward, terminated, truncated, info if frame is None else self._with(info, frame)

    def look_every(self, every: int) -> None:
        """Changes which frames are taken, see `every`.

        Raises:
            UserError: it is not positive.
        """
        self._shutter.look_every(every)

    def _with(self, info: dict[str, Any], frame: Frame) -> dict[str, Any]:
        if self._snapshot is None or self._snapshot.frame is not frame:
            self._snapshot = Snapshot(frame)
        return {**info, FRAME: self._snapshot}


def snapshot_frame(snapshot: Any, before: Frame | None) -> Frame:
    """The frame that a tap left, which may have come from another process.

    Args:
        snapshot: a `Snapshot`, or a picture that somebody else left in its place.
        before: the frame before it, see `settled`.

    Raises:
        BadFrame: it is not a frame.
    """
    if not isinstance(snapshot, Snapshot):
        return settled(snapshot, before)
    # In another process than the one that took it, a frame is an array like any other.
    return snapshot.frame if _is_still(snapshot.frame) else settled(snapshot.frame, before)


def _is_still(frame: Frame) -> bool:
    return not frame.flags.writeable and frame.base is None
