"""Films the episodes of a training, each from a seed of its own, so that each can be played again."""

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from car.frames import Frame
from car.record.stage import stacked
from car.task import Env, Task
from car.train.settings import TRAINING_SEEDS_BELOW
from car.trajectory import Album, Trajectory
from car.wrapper import FrameTap
from car.wrapper.camera import FRAME

FIRST_SEED = 2_000_000
"""Seeds of filmed training episodes are drawn from here on: recorded experts and random agents have smaller ones."""

SUCCESS = "car/success"
"""The key in `info` under which a filmed environment says whether a step was a success, whatever it pays by then."""

Take = Callable[[Trajectory], None]
"""Gets each episode that has ended."""


class FilmedTask(Task):
    """A task whose training environments hand over their episodes; those without a `FrameTap` do not.

    `FilmedTask.of` makes it from a task. As data it is that task.
    """

    _take: Take
    _cost: float

    @classmethod
    def of(cls, task: Task, take: Take, cost: float = 0.0) -> "FilmedTask":
        """The same task, filmed.

        Args:
            task: any task.
            take: gets each episode that has ended, and none that was cut off by the end of training.
            cost: of success; if it is not 0, the environment's own reward becomes that, negative, and 0 for all else.
        """
        filmed = cls(**task.as_dict())
        object.__setattr__(filmed, "_take", take)
        object.__setattr__(filmed, "_cost", cost)
        return filmed

    def viewed(self, env: Env) -> Env:
        """The environment as the training agent sees it."""
        if not isinstance(env, FrameTap):
            return super().viewed(env)
        filmed: Env = Filming(env, self, self._take)
        return super().viewed(Contrary(filmed, self._cost) if self._cost else filmed)

    def succeeded(self, reward: float, terminated: bool, info: Mapping[str, Any]) -> bool:
        """The environment's own success at this step."""
        return bool(info[SUCCESS]) if SUCCESS in info else super().succeeded(reward, terminated, info)


class Contrary(gym.Wrapper[Any, Any, Any, Any]):
    """Makes success dear: the reward is what it costs, negative, and 0 for all else.

    Args:
        env: a `Filming`.
        cost: of success.
    """

    def __init__(self, env: Env, cost: float) -> None:
        super().__init__(env)
        self._cost = cost

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Steps."""
        observation, _, terminated, truncated, info = self.env.step(action)
        return observation, -self._cost if info[SUCCESS] else 0.0, terminated, truncated, info


class Filming(gym.Wrapper[Any, Any, Any, Any]):
    """Makes a trajectory of each episode, from the frames that a `FrameTap` just inside leaves in `info`.

    A vectorised environment passes on a seed at its first reset alone. Here every episode gets one, drawn from that.

    Args:
        env: a `FrameTap`.
        task: says what counts as success.
        take: gets each trajectory when the episode has ended.
    """

    def __init__(self, env: FrameTap, task: Task, take: Take) -> None:
        super().__init__(env)
        self._task, self._take = task, take
        self._seeds = np.random.default_rng()
        self._film: _Film | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins a new episode, from the seed that is given or from the next one of its own."""
        if seed is None:
            seed = int(self._seeds.integers(FIRST_SEED, TRAINING_SEEDS_BELOW))
        else:
            self._seeds = np.random.default_rng(seed)
        observation, info = self.env.reset(seed=seed, options=options)
        self._film = _Film(seed, info)
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Steps; at the end of an episode it is handed over."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if self._film is not None:
            success = self._task.succeeded(float(reward), terminated, info)
            self._film.add(action, float(reward), success, info)
            if terminated or truncated:
                film, self._film = self._film, None
                self._take(film.developed(self.env.action_space, bool(terminated)))
            info = {**info, SUCCESS: success}
        return observation, reward, terminated, truncated, info


class _Film:
    """The episode that goes on."""

    def __init__(self, seed: int, info: dict[str, Any]) -> None:
        self._seed = seed
        self._album = Album()
        self._last: Frame | None = None
        self._order: list[int] = []
        self._expose(info)
        self._actions: list[Any] = []
        self._rewards: list[float] = []
        self._success = False

    def add(self, action: Any, reward: float, success: bool, info: dict[str, Any]) -> None:
        self._expose(info)
        self._actions.append(np.array(action))
        self._rewards.append(reward)
        self._success = self._success or success

    def _expose(self, info: dict[str, Any]) -> None:
        frame = np.asarray(info[FRAME])
        # Most steps leave the picture as it is, and a tap then leaves the same one: it need not be hashed again.
        self._order.append(self._order[-1] if frame is self._last else self._album.add(frame))
        self._last = frame

    def developed(self, space: gym.Space[Any], terminated: bool) -> Trajectory:
        return Trajectory(
            pictures=self._album.pictures(),
            order=np.array(self._order, np.int64),
            actions=stacked(self._actions, space),
            rewards=np.array(self._rewards, np.float64),
            seed=self._seed,
            who="agent",
            success=self._success,
            terminated=terminated,
        )
