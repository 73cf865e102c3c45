"""Gymnasium wrappers that say how an episode went by the environment's own account."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym

from car.task import Env, Task
from car.wrapper.camera import CUT


class EpisodeRecord(gym.Wrapper[Any, Any, Any, Any]):
    """Puts ``is_success`` and ``episode`` (``r`` the reward, ``l`` the length) into the info of an episode's last step.

    Success is the task's own: an episode succeeded if any of its steps did. The names are those that
    Stable-Baselines3 reads.
    """

    def __init__(self, env: Env, task: Task) -> None:
        super().__init__(env)
        self._task = task
        self._sum, self._length, self._succeeded, self._ended = 0.0, 0, False, True

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins a new episode; where one was cut off in its middle, the info has its account under ``car/cut``."""
        cut = {} if self._ended else {CUT: self._account()}
        self._sum, self._length, self._succeeded, self._ended = 0.0, 0, False, True
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, {**info, **cut}

    def _account(self) -> dict[str, Any]:
        return {"is_success": self._succeeded, "episode": {"r": self._sum, "l": self._length}}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Steps; the info of the last step gets the account of the episode."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._sum += float(reward)
        self._length += 1
        self._succeeded = self._succeeded or self._task.succeeded(float(reward), terminated, info)
        self._ended = bool(terminated or truncated)
        if self._ended:
            info |= self._account()
        else:
            # An environment may report its own is_success at every step; only the episode's account shall count.
            info.pop("is_success", None)
        return observation, reward, bool(terminated), bool(truncated), info


class SeededEpisodes(gym.Wrapper[Any, Any, Any, Any]):
    """Plays one episode for each seed and then stands still, so that an evaluation's episodes are always the same ones.

    Args:
        env: what to play in.
        seeds: the seed of each episode, at least one.
    """

    def __init__(self, env: Env, seeds: Sequence[int]) -> None:
        super().__init__(env)
        self._seeds = list(seeds)
        self._begun = 0
        self._still: tuple[Any, dict[str, Any]] = (None, {})

    def restart(self) -> None:
        """Makes the next reset begin with the first seed again."""
        self._begun = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins the episode of the next seed; after the last one, nothing moves any more."""
        if self._begun < len(self._seeds):
            self._still = self.env.reset(seed=self._seeds[self._begun], options=options)
        self._begun += 1
        observation, info = self._still
        return observation, dict(info)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Steps, or stands still when all episodes are over."""
        if self._begun > len(self._seeds):
            observation, info = self._still
            return observation, 0.0, False, False, dict(info)
        return self.env.step(action)
