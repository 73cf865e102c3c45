"""The wrapper of a file that stands alone: programs run in this process, and nothing isolates them.

`car.export` takes this module and what it uses of others into the file. So what is used here may import only the
standard library, numpy, cv2 and gymnasium, besides modules of this package for which the same holds.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from car.errors import BadFrame, UserError
from car.frames import Frame
from car.milestones import Milestones
from car.sandbox.returned import share, truth
from car.task import Camera, Env
from car.wrapper.camera import Shutter
from car.wrapper.observing import MilestoneView
from car.wrapper.scoring import facts, shaping_for

Failures = Counter[tuple[str, str]]


class Program(NamedTuple):
    """The program of one sub-task.

    Args:
        name: the sub-task.
        after: the sub-tasks that must be credited before it.
        check: ``(found, current) -> bool``: whether it is done.
        identify: ``(initial) -> found``, asked once an episode; without it, `found` is the first frame.
        progress: ``(found, current) -> float`` in [0, 1], where there is one.
    """

    name: str
    after: tuple[str, ...]
    check: Callable[[Any, Any], object]
    identify: Callable[[Any], Any] | None = None
    progress: Callable[[Any, Any], object] | None = None


PROGRAMS: tuple[Program, ...] = ()
FRAME_SHAPE: tuple[int, int, int] = (0, 0, 0)
CAMERA: Callable[[], Camera] | None = None


class DenseReward(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Adds the reward of the programs to an environment's own, or puts it in its place.

    `info` gets ``car/env_reward`` (the environment's own reward, untouched), ``car/shaped`` (what the programs paid),
    ``car/milestones`` (name of the sub-task -> whether it is credited) and ``car/credited`` (how many are).

    Args:
        env: the environment.
        shaping: ``bonus`` pays 1/k for each of the k sub-tasks once; ``potential``: see `Shaping`.
        env_reward: ``add`` or ``replace``. A potential ranks no policy above another, so where it replaces the
            environment's reward it also pays `scale` once, when the goal is credited.
        gamma: the learner's discount.
        scale: what the whole chain is worth.
        observe_milestones: also put the milestones into the observation, see `MilestoneView`.
        camera: takes the frames, ``(env, observation) -> frame``, for this environment alone; None is the task's own.
        every: k; only each k-th step of an episode and its last one are looked at, and nothing is paid in between.
        monotone_progress: for ``potential``; count the largest progress so far, see `Shaping`.

    Attributes:
        failures: how often a program failed, by (sub-task, error). A program that fails has not seen its sub-task done.

    Raises:
        UnknownName: there is no such shaping or use of the environment's reward.
        UserError: a number out of its range; milestones cannot be put into such observations; no camera is known.
        BadFrame: at reset and step; what the camera took is no frame, or one of another size.
    """

    def __init__(
        self,
        env: Env,
        shaping: Literal["potential", "bonus"] = "bonus",
        env_reward: Literal["add", "replace"] = "add",
        gamma: float = 0.99,
        scale: float = 1.0,
        observe_milestones: bool = False,
        camera: Camera | None = None,
        every: int = 1,
        monotone_progress: bool = False,
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            _disable_deepcopy=True,
            shaping=shaping,
            env_reward=env_reward,
            gamma=gamma,
            scale=scale,
            observe_milestones=observe_milestones,
            camera=camera,
            every=every,
            monotone_progress=monotone_progress,
        )
        gym.Wrapper.__init__(self, env)
        self.failures: Failures = Counter()
        self._names = tuple(each.name for each in PROGRAMS)
        self._after = [[self._names.index(before) for before in each.after] for each in PROGRAMS]
        self._shaping = shaping_for(shaping, env_reward, gamma, scale, monotone_progress)
        self._adds = env_reward == "add"
        self._shutter = Shutter(_own_camera() if camera is None else camera, every)
        self._milestones: Milestones | None = None
        self._since = 0
        self._view: MilestoneView | None = None
        if observe_milestones:
            self._view = MilestoneView(env.observation_space, len(PROGRAMS))
            self.observation_space = self._view.space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode; what its first frame shows as done is credited and not paid."""
        observation, info = self.env.reset(seed=seed, options=options)
        first = _checked(self._shutter.first(self.env, observation))
        self._judges = [_Judge(each, first, self.failures) for each in PROGRAMS]
        self._milestones, self._since = Milestones(self._after, self._shaping), 0
        self._milestones.start(self._signals(self._milestones, first))
        return self._viewed(observation), {**info, **facts(self._names, self._milestones.milestones)}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """The environment's step with the dense reward.

        Raises:
            UserError: `reset` was not called.
        """
        if self._milestones is None:
            raise UserError("Call reset() before step().")
        observation, env_reward, terminated, truncated, info = self.env.step(action)
        frame = self._shutter.after_step(self.env, observation, bool(terminated or truncated))
        self._since += 1
        shaped = 0.0
        if frame is not None:
            signals = self._signals(self._milestones, _checked(frame))
            shaped = self._milestones.step(signals, bool(terminated), bool(truncated), self._since)
            self._since = 0
        # A whole number here makes a vector of environments cut the rewards of all to whole numbers.
        told = {**info, "car/env_reward": float(env_reward), "car/shaped": shaped}
        told |= facts(self._names, self._milestones.milestones)
        reward = shaped + (float(env_reward) if self._adds else 0.0)
        return self._viewed(observation), reward, terminated, truncated, told

    def _signals(self, milestones: Milestones, frame: Frame) -> NDArray[np.float64]:
        """What the programs say that the milestones need of this frame, (k,); NaN where not asked."""
        wanted = milestones.wanted
        signals, asked = np.full(wanted.shape, np.nan), np.zeros_like(wanted)
        while wanted.any():
            for index in np.flatnonzero(wanted).tolist():
                signals[index] = self._judges[index].signal(frame)
            asked |= wanted
            wanted = milestones.also_wanted(signals) & ~asked
        return signals

    def _viewed(self, observation: Any) -> Any:
        if self._view is None or self._milestones is None:
            return observation
        return self._view.add(observation, self._milestones.milestones)


class _Judge:
    """One program in one episode; asks nothing again about a frame that has not changed."""

    def __init__(self, program: Program, initial: Frame, failures: Failures) -> None:
        self._program, self._initial, self._failures = program, initial, failures
        self._looked = False
        self._found: Any = None
        self._before: Frame | None = None
        self._said = 0.0

    def signal(self, frame: Frame) -> float:
        """1 if the sub-task is done, else its progress below 1, 0 where the program fails."""
        if frame is not self._before:
            self._before, self._said = frame, self._asked(frame)
        return self._said

    def _asked(self, frame: Frame) -> float:
        try:
            if not self._looked:
                identify = self._program.identify
                self._found = self._initial if identify is None else identify(self._initial)
                self._looked = True
            if truth(self._program.check(self._found, frame)):
                return 1.0
            progress = self._program.progress
            return 0.0 if progress is None else min(share(progress(self._found, frame)), _ALMOST)
        except Exception as error:  # a program may raise anything
            self._failures[self._program.name, type(error).__name__] += 1
            return 0.0


_ALMOST = float(np.nextafter(1.0, 0.0))


def _own_camera() -> Camera:
    if CAMERA is None:
        raise UserError(
            "This file has no camera for the task: pass camera=, a function of the environment and the observation "
            "that returns the frame."
        )
    return CAMERA()


def _checked(frame: Frame) -> Frame:
    if frame.shape != FRAME_SHAPE:
        raise BadFrame(
            f"The frame is {frame.shape[1]} x {frame.shape[0]} pixels, but the programs work on frames of "
            f"{FRAME_SHAPE[1]} x {FRAME_SHAPE[0]} pixels; take them in the same way."
        )
    return frame
