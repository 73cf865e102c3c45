"""`DenseVecReward`: a dense reward around a vectorised environment of Stable-Baselines3."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvObs, VecEnvStepReturn, VecEnvWrapper

from car.errors import UserError
from car.frames import Frame
from car.rewards import Reward
from car.wrapper.camera import CUT, FRAME, NO_TAP, checked_every, snapshot_frame
from car.wrapper.late import Move
from car.wrapper.observing import MilestoneView
from car.wrapper.scoring import Scored, Scorer, ends_episodes, facts, opened

_GOES_ON = (False, False)


class DenseVecReward(VecEnvWrapper):
    """`DenseReward` for n environments at once: the reward scores all of them in one call.

    ::

        venv = DummyVecEnv([lambda: FrameTap(task.make_env(), task.make_camera()) for _ in range(16)])
        venv = VecMonitor(DenseVecReward(venv, "generated_rewards/doorkey-6x6"))

    When an episode ends, Stable-Baselines3 resets its environment in the same step: the last frame, which `FrameTap`
    left in `info`, is scored for the episode that ends, and the first one of the next, which it left in `reset_infos`,
    begins the new one. ``terminal_observation`` gets the milestones of the ended episode, the observation those of the
    new one. `infos` get what `DenseReward` puts into `info`; frames are taken out of them.

    Args:
        venv: environments that each have a `FrameTap` in them.
        reward, shaping, env_reward, gamma, scale, observe_milestones, allow_unreviewed, isolation, every,
            monotone_progress: as in `DenseReward`; the taps are told `every`.

    Raises:
        BadBundle: missing, damaged, changed, or not approved.
        UnknownName: there is no such shaping or use of the environment's reward.
        UserError: milestones cannot be put into such observations, or k is not positive; at reset, or where `every`
            is given, an environment without a `FrameTap`.
        BadFrame: at reset, frames of another size than those of the bundle.
    """

    def __init__(
        self,
        venv: VecEnv,
        reward: Reward | str | Path,
        shaping: Literal["potential", "bonus"] = "bonus",
        env_reward: Literal["add", "replace"] = "add",
        gamma: float = 0.99,
        scale: float = 1.0,
        observe_milestones: bool = False,
        allow_unreviewed: bool = False,
        isolation: int | None = None,
        every: int = 1,
        monotone_progress: bool = False,
    ) -> None:
        if checked_every(every) > 1:
            _tell_taps(venv, every)
        self._owned = isinstance(reward, str | Path)
        self._reward = opened(
            reward, shaping, env_reward, gamma, scale, allow_unreviewed, isolation, monotone_progress, every
        )
        if ends_episodes(self._reward) and venv is not venv.unwrapped:
            raise UserError(
                "This reward may end an episode, so it must be the first wrapper around the environments; put the "
                "others around it."
            )
        self._adds = env_reward == "add"
        self._scorer = Scorer(self._reward, venv.num_envs)
        self._view = MilestoneView(venv.observation_space, len(self._reward.names)) if observe_milestones else None
        self._before: list[Frame | None] = [None] * venv.num_envs
        super().__init__(venv, observation_space=self._view.space if self._view else None)

    def reset(self) -> VecEnvObs:
        """Begins an episode in every environment."""
        observations = self.venv.reset()
        self._scorer.start([self._first_frame(index) for index in range(self.num_envs)])
        milestones = self._scorer.milestones()
        for index in range(self.num_envs):
            self._tell_reset(index, milestones[index])
        return self._viewed(observations)

    def step_wait(self) -> VecEnvStepReturn:
        """The step of all environments with the dense reward."""
        observations, env_rewards, dones, infos = self.venv.step_wait()
        infos = [dict(info) for info in infos]
        move = self._move(dones, infos)
        scored = self._scorer.step(*move)
        fresh = move.fresh.keys() | self._ended_early(scored, observations, dones, infos)
        for info, env_reward, each in zip(infos, env_rewards.tolist(), scored, strict=True):
            self._tell(info, env_reward, each)
        if fresh:
            milestones = self._scorer.milestones()
            for index in fresh:
                self._tell_reset(index, milestones[index])
        shaped = np.array([each.shaped for each in scored], np.float32)
        return self._viewed(observations), env_rewards + shaped if self._adds else shaped, dones, infos

    def _ended_early(
        self, scored: Sequence[Scored], observations: Any, dones: NDArray[np.bool_], infos: Sequence[dict[str, Any]]
    ) -> set[int]:
        """Resets the environments whose episodes the reward ends, and says so in what the step gave."""
        for info, each in zip(infos, scored, strict=True):
            if each.over:
                # Also where time is up in the same step: nothing comes after it.
                info["TimeLimit.truncated"] = False
        over = {index for index, each in enumerate(scored) if each.over and not dones[index]}
        begun: dict[int, Frame] = {}
        for index in sorted(over):
            ((first, info),) = self.venv.env_method("reset", indices=[index])
            infos[index]["terminal_observation"] = _taken(observations, index)
            infos[index] |= info.pop(CUT, {})
            # Around processes it is a tuple.
            self.venv.unwrapped.reset_infos = [*self.venv.unwrapped.reset_infos]
            self.venv.unwrapped.reset_infos[index] = info
            _put(observations, index, first)
            dones[index] = True
            begun[index] = self._first_frame(index)
        if begun:
            self._scorer.restart(begun)
        return over

    def _move(self, dones: NDArray[np.bool_], infos: Sequence[dict[str, Any]]) -> Move:
        """What is to be scored of a step; takes the frames out of the infos."""
        frames = [self._frame(index, info) for index, info in enumerate(infos)]
        fresh = {index: self._first_frame(index) for index in np.flatnonzero(dones).tolist()}
        ends = [_ends(info) if done else _GOES_ON for done, info in zip(dones.tolist(), infos, strict=True)]
        return Move(frames, ends, fresh)

    def close(self) -> None:
        """Closes the environments, and the reward if it was opened here."""
        super().close()
        if self._owned:
            self._reward.close()

    def _first_frame(self, index: int) -> Frame:
        # Wrappers in between do not pass `reset_infos` on.
        reset_infos: Sequence[dict[str, Any]] = self.venv.unwrapped.reset_infos
        frame = self._frame(index, dict(reset_infos[index]))
        if frame is None:
            raise UserError(NO_TAP)
        return frame

    def _frame(self, index: int, info: dict[str, Any]) -> Frame | None:
        """Takes the frame out of the info, if it is there."""
        if FRAME not in info:
            return None
        frame = self._before[index] = snapshot_frame(info.pop(FRAME), self._before[index])
        return frame

    def _viewed(self, observations: VecEnvObs) -> VecEnvObs:
        if self._view is None:
            return observations
        extended: VecEnvObs = self._view.add_batch(observations, self._scorer.milestones())
        return extended

    def _tell(self, info: dict[str, Any], env_reward: float, scored: Scored) -> None:
        info["car/env_reward"], info["car/shaped"] = env_reward, scored.shaped
        info |= facts(self._reward.names, scored.milestones)
        if self._view is not None and "terminal_observation" in info:
            info["terminal_observation"] = self._view.add(info["terminal_observation"], scored.milestones)

    def _tell_reset(self, index: int, milestones: NDArray[np.float32]) -> None:
        info = {key: value for key, value in self.venv.unwrapped.reset_infos[index].items() if key != FRAME}
        self.reset_infos[index] = {**info, **facts(self._reward.names, milestones)}


def _taken(observations: VecEnvObs, index: int) -> Any:
    """A copy of one environment's observation."""
    if isinstance(observations, dict):
        return {key: value[index].copy() for key, value in observations.items()}
    if isinstance(observations, tuple):
        return tuple(value[index].copy() for value in observations)
    return observations[index].copy()


def _put(observations: VecEnvObs, index: int, first: Any) -> None:
    if isinstance(observations, dict):
        for key, value in observations.items():
            value[index] = first[key]
    elif isinstance(observations, tuple):
        for value, part in zip(observations, first, strict=True):
            value[index] = part
    else:
        observations[index] = first


def _tell_taps(venv: VecEnv, every: int) -> None:
    try:
        venv.env_method("look_every", every)
    # A process that has no such method dies of it.
    except (AttributeError, EOFError, ConnectionError) as error:
        raise UserError(NO_TAP) from error


def _ends(info: dict[str, Any]) -> tuple[bool, bool]:
    """Whether the last step terminated, and whether it only truncated, the episode."""
    truncated = bool(info.get("TimeLimit.truncated", False))
    return not truncated, truncated
