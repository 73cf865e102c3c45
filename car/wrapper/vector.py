"""`DenseVectorReward`: a dense reward around a vector of Gymnasium's environments."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from car.errors import UserError
from car.frames import Frame
from car.rewards import Reward
from car.wrapper.camera import FRAME, NO_TAP, checked_every, snapshot_frame
from car.wrapper.observing import MilestoneView
from car.wrapper.scoring import Scored, Scorer, ends_episodes, opened

Infos = dict[str, Any]
Mask = NDArray[np.bool_]


class DenseVectorReward(VectorWrapper[Any, Any, Any, Any, Any]):
    """`DenseReward` for a vector of n environments: the reward scores all of them in one call.

    ::

        envs = gymnasium.vector.SyncVectorEnv([lambda: FrameTap(task.make_env(), task.make_camera())] * 16)
        envs = DenseVectorReward(envs, "generated_rewards/doorkey-8x8")

    It works in every autoreset mode of Gymnasium. ``NEXT_STEP``: the step after an episode's end begins the next one
    and pays nothing. ``SAME_STEP``: the last frame, which `FrameTap` left in ``final_info``, is scored for the episode
    that ends, and ``final_obs`` gets its milestones; the first frame, in the infos, begins the new one. ``DISABLED``:
    environments whose episode has ended are reset with ``options={"reset_mask": mask}`` before the next step.

    Infos are laid out as Gymnasium does it for `DenseReward` in each environment: an array for each key, with a mask
    under the key with ``_`` before it. Frames are taken out.

    Args:
        env: environments that each have a `FrameTap` in them.
        reward, shaping, env_reward, gamma, scale, observe_milestones, allow_unreviewed, isolation, every,
            monotone_progress: as in `DenseReward`; the taps are told `every`.

    Raises:
        BadBundle: missing, damaged, changed, or not approved.
        UnknownName: there is no such shaping or use of the environment's reward.
        UserError: the environments do not say how they are reset; milestones cannot be put into such observations; k is
            not positive; at reset, or where `every` is given, an environment without a `FrameTap`.
        BadFrame: at reset, frames of another size than those of the bundle.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
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
        super().__init__(env)
        self._mode = _mode_of(env)
        if checked_every(every) > 1:
            _tell_taps(env, every)
        self._owned = isinstance(reward, str | Path)
        self._reward = opened(
            reward, shaping, env_reward, gamma, scale, allow_unreviewed, isolation, monotone_progress, every
        )
        if ends_episodes(self._reward) and self._mode != AutoresetMode.DISABLED:
            raise UserError(
                "This reward may end an episode, which environments that reset themselves do not learn of; make them "
                "with autoreset_mode=DISABLED, or use DenseReward in each environment."
            )
        self._adds = env_reward == "add"
        self._scorer = Scorer(self._reward, env.num_envs)
        self._before: list[Frame | None] = [None] * env.num_envs
        self._ended = np.zeros(env.num_envs, np.bool_)
        self._view: MilestoneView | None = None
        if observe_milestones:
            self._view = MilestoneView(env.single_observation_space, len(self._reward.names))
            self.single_observation_space = self._view.space
            self.observation_space = batch_space(self._view.space, env.num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, Infos]:
        """Begins an episode in every environment, or in those of ``options["reset_mask"]``, bool (n,).

        Raises:
            UserError: the first reset leaves an environment out, or there is one without a `FrameTap`.
        """
        mask = np.ones(self.num_envs, np.bool_)
        if options is not None and "reset_mask" in options:
            # Gymnasium takes it out of the options.
            mask = np.asarray(options["reset_mask"])
        if not (mask.all() or self._scorer.started):
            raise UserError("Call reset() for all environments before it is called for some of them.")
        observations, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        fresh = self._first_frames(infos, mask)
        if len(fresh) == self.num_envs:
            self._scorer.start(list(fresh.values()))
        else:
            self._scorer.restart(fresh)
        self._ended &= ~mask
        milestones = self._scorer.milestones()
        return self._viewed(observations, milestones), {**_without_frame(infos), **self._facts(milestones, mask)}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, Infos]:
        """The step of all environments with the dense reward.

        Raises:
            UserError: `reset` was not called, or, where nobody else resets, not for an environment that has ended.
        """
        if not self._scorer.started:
            raise UserError("Call reset() before step().")
        if self._mode is AutoresetMode.DISABLED and self._ended.any():
            raise UserError(
                f"The episode of environment {np.flatnonzero(self._ended)[0]} has ended: reset it before the next "
                "step, with options={'reset_mask': mask}."
            )
        begun = self._ended if self._mode is AutoresetMode.NEXT_STEP else np.zeros_like(self._ended)
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        ended = np.logical_or(terminated, truncated)
        if self._mode is AutoresetMode.SAME_STEP:
            final, begun = infos.get("final_info", {}), ended
            frames = self._frames(infos, ~ended, self._frames(final, ended))
        else:
            frames = self._frames(infos, ~begun)
        fresh = self._first_frames(infos, begun)
        ends = list(zip(np.asarray(terminated).tolist(), np.asarray(truncated).tolist(), strict=True))
        scored = self._scorer.step(frames, ends, fresh)
        over = np.array([each.over for each in scored])
        terminated, self._ended = np.logical_or(terminated, over), np.logical_or(ended, over)
        shaped = np.array([each.shaped for each in scored])
        told = self._told(infos, rewards, shaped, scored, begun)
        total = rewards + shaped if self._adds else shaped
        return self._viewed(observations, self._scorer.milestones()), total, terminated, truncated, told

    def close(self, **kwargs: Any) -> None:
        """Closes the environments, and the reward if it was opened here."""
        super().close(**kwargs)
        if self._owned:
            self._reward.close()

    def _frames(self, infos: Infos, which: Mask, others: list[Frame | None] | None = None) -> list[Frame | None]:
        """The frames of some environments, as far as there are any; else None, or those that are known already."""
        frames: list[Frame | None] = others or [None] * self.num_envs
        for index in np.flatnonzero(which & infos.get(f"_{FRAME}", False)).tolist():
            frames[index] = self._before[index] = snapshot_frame(infos[FRAME][index], self._before[index])
        return frames

    def _first_frames(self, infos: Infos, which: Mask) -> dict[int, Frame]:
        frames = self._frames(infos, which)
        fresh = {index: frames[index] for index in np.flatnonzero(which).tolist()}
        if any(frame is None for frame in fresh.values()):
            raise UserError(NO_TAP)
        return {index: frame for index, frame in fresh.items() if frame is not None}

    def _viewed(self, observations: Any, milestones: NDArray[np.float32]) -> Any:
        return observations if self._view is None else self._view.add_batch(observations, milestones)

    def _facts(self, milestones: NDArray[np.float32], which: Mask) -> Infos:
        """What infos say of the milestones of some environments."""
        reached: NDArray[np.bool_] = (milestones >= 1) & which[:, None]
        told = _entries({name: reached[:, k] for k, name in enumerate(self._reward.names)}, which)
        return _entries({"car/milestones": told, "car/credited": reached.sum(axis=1)}, which)

    def _told(
        self,
        infos: Infos,
        env_rewards: NDArray[Any],
        shaped: NDArray[np.float64],
        scored: list[Scored],
        begun: Mask,
    ) -> Infos:
        milestones = np.stack([each.milestones for each in scored])
        told = _without_frame(infos)
        same_step = self._mode is AutoresetMode.SAME_STEP
        if same_step and begun.any():
            told["final_info"] = _without_frame(told["final_info"]) | self._paid(env_rewards, shaped, milestones, begun)
            told["final_obs"] = self._final(told["final_obs"], milestones, begun)
        told |= self._paid(env_rewards, shaped, milestones, ~begun)
        if not begun.any():
            return told
        return told | self._facts(np.where(begun[:, None], self._scorer.milestones(), milestones), np.ones_like(begun))

    def _paid(
        self, env_rewards: NDArray[Any], shaped: NDArray[np.float64], milestones: NDArray[np.float32], which: Mask
    ) -> Infos:
        paid = {"car/env_reward": np.where(which, env_rewards, 0.0), "car/shaped": np.where(which, shaped, 0.0)}
        return _entries(paid, which) | self._facts(milestones, which)

    def _final(self, final: NDArray[np.object_], milestones: NDArray[np.float32], which: Mask) -> NDArray[np.object_]:
        if self._view is None:
            return final
        viewed = final.copy()
        for index in np.flatnonzero(which).tolist():
            viewed[index] = self._view.add(final[index], milestones[index])
        return viewed


def _mode_of(env: VectorEnv[Any, Any, Any]) -> AutoresetMode:
    mode = env.metadata.get("autoreset_mode")
    if not isinstance(mode, AutoresetMode):
        raise UserError(
            f"{env} does not say when it resets its environments: metadata['autoreset_mode'] must be an AutoresetMode."
        )
    return mode


def _tell_taps(env: VectorEnv[Any, Any, Any], every: int) -> None:
    call = getattr(env.unwrapped, "call", None)
    try:
        if call is None:
            raise AttributeError("call")
        call("look_every", every)
    except AttributeError as error:
        raise UserError(NO_TAP) from error


def _entries(values: Mapping[str, Any], which: Mask) -> Infos:
    """The entries of infos for these keys, each with its mask."""
    infos: Infos = {}
    for key, value in values.items():
        infos[key], infos[f"_{key}"] = value, which.copy()
    return infos


def _without_frame(infos: Infos) -> Infos:
    return {key: value for key, value in infos.items() if key not in (FRAME, f"_{FRAME}")}
