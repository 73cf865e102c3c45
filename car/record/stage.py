"""Plays episodes of one task in one environment, and films them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, NamedTuple, Self

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from car.errors import BadTask, BadTrajectory
from car.frames import Frame
from car.task import Camera, Env, Policy, Task
from car.trajectory import Album, Trajectory

PolicyMaker = Callable[[Env], Policy]
"""Makes the policy for an episode of this environment that was just reset."""


class Acted(NamedTuple):
    """What one action led to.

    Args:
        observation: what the environment shows then.
        reward: the environment's own.
        terminated: the environment reached an end of its own.
        truncated: the episode was cut off.
        success: the environment's own success, at this step.
    """

    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    success: bool

    @property
    def ended(self) -> bool:
        """Whether the episode is over."""
        return self.terminated or self.truncated


class Stage(AbstractContextManager["Stage"]):
    """One environment of a task and the camera that films it; made at the first episode, closed at the end.

    `play` plays a whole episode; `begin`, `act` and `film` are its parts, for who plays an episode another way.

    Args:
        task: what to play.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._made: tuple[Env, Camera] | None = None
        self._size: tuple[int, int] | None = None

    def play(
        self,
        make_policy: PolicyMaker,
        who: str,
        seed: int,
        max_steps: int | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Trajectory:
        """Plays and films one episode, until the environment ends it or for `max_steps` steps.

        Raises:
            BadTask: the environment cannot be made or cannot give frames.
            BadFrame: what it gives is not uint8 RGB of shape (H, W, 3).
            BadTrajectory: frames of different sizes, or a reward that is not a finite number.
        """
        observation = self.begin(seed, options)
        policy = make_policy(self.env)
        album = Album()
        order = [album.add(self.film(observation))]
        actions: list[Any] = []
        rewards: list[float] = []
        ended = terminated = success = False
        while not ended and (max_steps is None or len(actions) < max_steps):
            action = policy(observation)
            acted = self.act(action)
            observation, terminated, ended = acted.observation, acted.terminated, acted.ended
            order.append(album.add(self.film(observation)))
            actions.append(action)
            rewards.append(acted.reward)
            success = success or acted.success
        played = Trajectory(
            pictures=album.pictures(),
            order=np.array(order, np.int64),
            actions=stacked(actions, self.env.action_space),
            rewards=np.array(rewards, np.float64),
            seed=int(seed),
            who=who,
            success=success,
            terminated=terminated,
        )
        return self._of_one_size(played)

    @property
    def env(self) -> Env:
        """The environment.

        Raises:
            BadTask: it cannot be made or cannot give frames.
        """
        return self._ready()[0]

    def begin(self, seed: int, options: Mapping[str, Any] | None = None) -> Any:
        """Resets the environment; the first observation of an episode.

        Raises:
            BadTask: as for `env`.
        """
        observation, _ = self.env.reset(seed=seed, options=None if options is None else dict(options))
        return observation

    def act(self, action: Any) -> Acted:
        """Does one action in the episode that was begun."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        success = self._task.succeeded(float(reward), terminated, info)
        return Acted(observation, float(reward), bool(terminated), bool(truncated), success)

    def film(self, observation: Any) -> Frame:
        """The frame that shows the environment as it is now, uint8 RGB of shape (H, W, 3).

        Args:
            observation: the one that belongs to this state.

        Raises:
            BadTask: the environment cannot give frames.
            BadFrame: what it gives is no frame.
        """
        env, camera = self._ready()
        try:
            return camera(env, observation)
        except NotImplementedError as error:
            raise BadTask(
                f"The environment {self._task.env_id!r} of task {self._task.name!r} has no render(); "
                "give the task a camera."
            ) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the environment, if one was made."""
        if self._made is not None:
            self._made[0].close()
            self._made = None

    def __enter__(self) -> Self:
        return self

    def _ready(self) -> tuple[Env, Camera]:
        if self._made is None:
            env = self._task.make_env()
            modes = list(env.metadata.get("render_modes", []))
            if self._task.camera == "render" and "rgb_array" not in modes:
                env.close()
                raise BadTask(
                    f"The environment {self._task.env_id!r} of task {self._task.name!r} cannot render 'rgb_array' "
                    f"(its render modes are: {', '.join(map(str, modes)) or 'none'}); give the task a camera."
                )
            self._made = (env, self._task.make_camera())
        return self._made

    def _of_one_size(self, played: Trajectory) -> Trajectory:
        self._size = self._size or played.size
        if played.size != self._size:
            raise BadTrajectory(two_sizes(self._task.name, self._size, played.size))
        return played


def two_sizes(task: str, one: tuple[int, int], other: tuple[int, int]) -> str:
    """The sentence for frames of two sizes, each (width, height)."""
    return (
        f"All frames of the task {task!r} must have one size, but some are {one[0]} x {one[1]} pixels and some are "
        f"{other[0]} x {other[1]}."
    )


def stacked(actions: list[Any], space: gym.Space[Any]) -> NDArray[Any] | None:
    """The actions as one array (T, ...); None where the action space is made of several (Dict, Tuple)."""
    if space.shape is None or space.dtype is None:
        return None
    return np.asarray(actions, space.dtype).reshape(len(actions), *space.shape)
