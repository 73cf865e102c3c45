"""`DenseReward`: a dense reward around one Gymnasium environment."""

from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from car.errors import UserError
from car.frames import Frame
from car.rewards import Reward
from car.task import Camera, Env
from car.wrapper.camera import FRAME, FrameTap, Shutter, checked_every, make_camera, snapshot_frame
from car.wrapper.observing import MilestoneView
from car.wrapper.scoring import Scored, Scorer, facts, opened, task_of


class DenseReward(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Adds the reward of a bundle to an environment's own, or puts it in its place.

    ::

        env = gymnasium.make("MiniGrid-DoorKey-6x6-v0", render_mode="rgb_array", highlight=False, tile_size=8)
        env = DenseReward(env, "generated_rewards/doorkey-6x6")

    `info` gets ``car/env_reward`` (the environment's own reward, untouched), ``car/shaped`` (what the reward paid),
    ``car/milestones`` (name of the sub-task -> whether it is credited) and ``car/credited`` (how many are).

    Frames come from the camera; without one, from ``info["car/frame"]`` if a `FrameTap` further inside leaves them
    there, so that wrappers of the observation can lie between the two.

    With ``gymnasium.make_vec(..., wrappers=[lambda env: DenseReward(env, PATH)])`` each environment wraps itself,
    inside of any autoreset, and all of them share the bundle's workers.

    Args:
        env: the environment.
        reward: a bundle's folder, a CLIP reward in one line (see `car.rewards.clip`), or a live `Reward`, some of which
            may end an episode. `gymnasium.make(env.spec)` builds the wrapped environment again:
            from the recorded path, or around the same live reward, in the same process only.
        shaping: ``potential`` or ``bonus``, see `Shaping`. A live reward brings its own; so do `gamma` and `scale`.
        env_reward: ``add`` or ``replace``. A potential ranks no policy above another, so where a bundle's replaces the
            environment's reward it also pays `scale` once, when the goal is credited.
        gamma: the learner's discount.
        scale: what the whole chain is worth.
        observe_milestones: also put the milestones into the observation, see `MilestoneView`. What is paid once is not
            Markov for a learner that cannot see whether it was paid.
        camera: takes the frames; a `Camera` for this environment or what `Task.camera` takes. None is the camera of the
            bundle's task, and `render()` for a reward that knows no task.
        allow_unreviewed: also run a bundle that no person has approved.
        isolation: the lowest isolation level at which the programs of a bundle may run, 0 to 3, by default 2.
        every: k; the reward looks at each k-th step of an episode and at its last one. In between nothing is rendered
            and the reward pays nothing. For environments in which a frame costs more than it tells; what `potential`
            pays then, see `Milestones`.
        monotone_progress: for ``potential``; count the largest progress so far, see `Shaping`. With
            `observe_milestones` the agent sees it where a milestone is still open.

    Raises:
        BadBundle: missing, damaged, changed, or not approved.
        SandboxUnavailable: this machine cannot isolate programs as well as is asked for.
        BadFrame: frames cannot be taken; at reset, also if they are of another size than those of the bundle.
        UnknownName: there is no such shaping or use of the environment's reward.
        UserError: milestones cannot be put into such observations, or k is not positive.
    """

    def __init__(
        self,
        env: Env,
        reward: Reward | str | Path,
        shaping: Literal["potential", "bonus"] = "bonus",
        env_reward: Literal["add", "replace"] = "add",
        gamma: float = 0.99,
        scale: float = 1.0,
        observe_milestones: bool = False,
        camera: Camera | str | None = None,
        allow_unreviewed: bool = False,
        isolation: int | None = None,
        every: int = 1,
        monotone_progress: bool = False,
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            # A live reward cannot be copied, and nothing else here needs to be.
            _disable_deepcopy=True,
            reward=str(reward) if isinstance(reward, Path) else reward,
            shaping=shaping,
            env_reward=env_reward,
            gamma=gamma,
            scale=scale,
            observe_milestones=observe_milestones,
            camera=camera,
            allow_unreviewed=allow_unreviewed,
            isolation=isolation,
            every=checked_every(every),
            monotone_progress=monotone_progress,
        )
        gym.Wrapper.__init__(self, env)
        self._owned = isinstance(reward, str | Path)
        self._reward = opened(
            reward, shaping, env_reward, gamma, scale, allow_unreviewed, isolation, monotone_progress, every
        )
        self._adds = env_reward == "add"
        self._scorer = Scorer(self._reward, 1)
        self._view: MilestoneView | None = None
        self._before: Frame | None = None
        self._tap = _tap_in(env) if camera is None else None
        if self._tap is None:
            self._shutter = Shutter(make_camera(camera, task_of(self._reward), env), every)
        elif every > 1:
            self._tap.look_every(every)
        if observe_milestones:
            self._view = MilestoneView(env.observation_space, len(self._reward.names))
            self.observation_space = self._view.space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode; what its first frame shows as done is credited and not paid."""
        observation, info = self.env.reset(seed=seed, options=options)
        first = self._tapped(info) if self._tap else self._shutter.first(self.env, observation)
        self._scorer.start([first])
        milestones = self._scorer.milestones()[0]
        return self._viewed(observation, milestones), {**_without_frame(info), **facts(self._reward.names, milestones)}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """The environment's step with the dense reward.

        Raises:
            UserError: `reset` was not called.
        """
        if not self._scorer.started:
            raise UserError("Call reset() before step().")
        observation, env_reward, terminated, truncated, info = self.env.step(action)
        ends = [(bool(terminated), bool(truncated))]
        (scored,) = self._scorer.step([self._frame_after(observation, info, ended=any(ends[0]))], ends, {})
        reward = scored.shaped + (float(env_reward) if self._adds else 0.0)
        terminated = terminated or scored.over
        observation = self._viewed(observation, scored.milestones)
        return observation, reward, terminated, truncated, self._told(info, env_reward, scored)

    def close(self) -> None:
        """Closes the environment, and the reward if it was opened here."""
        super().close()
        if self._owned:
            self._reward.close()

    def _frame_after(self, observation: Any, info: dict[str, Any], ended: bool) -> Frame | None:
        if self._tap is None:
            return self._shutter.after_step(self.env, observation, ended)
        return self._tapped(info) if FRAME in info else None

    def _tapped(self, info: dict[str, Any]) -> Frame:
        self._before = snapshot_frame(info[FRAME], self._before)
        return self._before

    def _viewed(self, observation: Any, milestones: NDArray[np.float32]) -> Any:
        return observation if self._view is None else self._view.add(observation, milestones)

    def _told(self, info: dict[str, Any], env_reward: Any, scored: Scored) -> dict[str, Any]:
        told = {"car/env_reward": float(env_reward), "car/shaped": scored.shaped}
        return {**_without_frame(info), **told, **facts(self._reward.names, scored.milestones)}


def _without_frame(info: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in info.items() if key != FRAME}


def _tap_in(env: Env) -> FrameTap | None:
    while isinstance(env, gym.Wrapper):
        if isinstance(env, FrameTap):
            return env
        env = env.env
    return None
