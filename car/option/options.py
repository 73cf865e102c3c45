"""The sub-tasks of a bundle as options: where one may begin, when it is done, and what that pays."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from car.bundle import Bundle, load_bundle
from car.checker import SubTask
from car.errors import BadBundle, BadFrame, UnknownName
from car.frames import Frame, Frames, as_frame
from car.option.choice import PolicyOverOptions
from car.rewards import Reward
from car.rewards.code import open_reward


@dataclass(frozen=True)
class Option:
    """One sub-task as an option (Sutton, Precup and Singh, 1999): all of it but the policy, which is to be learnt.

    Its initiation set and its termination look at the history: at what was credited before, and at the first frame. So
    it is an option of the semi-Markov kind.

    Args:
        subtask: the sub-task.
        index: its place among the bundle's sub-tasks, from 0.
        options: the options that it is one of.
    """

    subtask: SubTask
    index: int
    options: "Options" = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The name of the sub-task."""
        return self.subtask.name

    @property
    def after(self) -> tuple[str, ...]:
        """The initiation set: the sub-tasks that must be credited before it may begin."""
        return self.subtask.after

    def available(self, credited: Collection[str]) -> bool:
        """Whether it may begin: all in `after` are credited, and it is not itself."""
        return self.name not in credited and set(self.after) <= set(credited)

    def terminates(self, initial: Frame, current: Frame) -> bool:
        """The termination condition beta: whether the sub-task is done, so that the option ends in this state.

        Args:
            initial: the first frame of the episode, uint8 (H, W, 3).
            current: the frame of the state, of the same shape.

        Raises:
            BadFrame: no frame, or one of another size than those that the programs were verified on.
            RewardChanged: the program said something else of a known frame than before.
        """
        return bool(self.terminations(initial, as_frame(current)[None])[0])

    def terminations(self, initial: Frame | Frames, frames: Frames) -> NDArray[np.bool_]:
        """`terminates` for n frames at once, shape (n,).

        Args:
            initial: the first frame of the episode, (H, W, 3), or of each row's episode, (n, H, W, 3).
            frames: the frames of the states, (n, H, W, 3).
        """
        return self.options.terminations(initial, frames, [self.name])[:, 0]

    def pseudo_reward(self, initial: Frame, current: Frame) -> float:
        """What the step into this state pays while the option runs: 1 if the option ends there, done, else 0.

        An option that ended runs no more, so one execution is paid 1 at most. An end that is not its own (of the
        episode, of time) pays 0.
        """
        return float(self.terminates(initial, current))

    def pseudo_rewards(self, initial: Frame | Frames, frames: Frames) -> NDArray[np.float64]:
        """`pseudo_reward` for n frames at once, shape (n,); the arguments are those of `terminations`."""
        return self.terminations(initial, frames).astype(np.float64)


class Options(Sequence[Option]):
    """The options of a bundle, in the order of its sub-tasks, the goal last; a context manager that ends the workers.

    The programs run in the sandbox, as they do behind `DenseReward`. A program that fails on a frame has not seen its
    sub-task done. Equal frames get equal answers.

    Args:
        subtasks: what the options are, k of them.
        reward: its signals say which sub-tasks are done; it is closed with this object.

    Attributes:
        reward: that reward. Wrappers take it for a live one.

    Raises:
        UserError: no sub-task could be credited first.
    """

    def __init__(self, subtasks: Sequence[SubTask], reward: Reward) -> None:
        self.reward = reward
        self._options = tuple(Option(each, index, self) for index, each in enumerate(subtasks))
        self._names = [each.name for each in subtasks]
        self._over = PolicyOverOptions(reward)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sub-tasks."""
        return tuple(self._names)

    def choose(self, credited: Collection[str], running: str | None = None) -> Option:
        """The option that a policy over options which follows the milestones runs next, see `PolicyOverOptions`.

        Args:
            credited: the sub-tasks that are credited; with each one all that it comes after.
            running: the option that ran until now; None at the beginning of an episode.

        Raises:
            UnknownName: there is no such sub-task.
        """
        done = [False] * len(self)
        for name in credited:
            done[self._index(name)] = True
        return self._options[self._over.choose(done, None if running is None else self._index(running))]

    def terminations(
        self, initial: Frame | Frames, frames: Frames, names: Sequence[str] | None = None
    ) -> NDArray[np.bool_]:
        """Which options end in the states of n frames, shape (n, number of names).

        Args:
            initial: the first frame of the episode, (H, W, 3), or of each row's episode, (n, H, W, 3).
            frames: the frames of the states, (n, H, W, 3).
            names: of the options; None is all of them.

        Raises:
            BadFrame: no frames, or some of another size than those that the programs were verified on.
            UnknownName: there is no such option.
            RewardChanged: a program said something else of a known frame than before.
        """
        asked = [self._index(name) for name in (self._names if names is None else names)]
        initials, frames = self._checked(initial, frames)
        ask = np.zeros((len(frames), len(self)), np.bool_)
        ask[:, asked] = True
        signals = self.reward.signals(initials, frames, ask) if len(frames) else np.zeros(ask.shape)
        return signals[:, asked] >= 1.0

    def _checked(self, initial: Frame | Frames, frames: Frames) -> tuple[Frames, Frames]:
        frames = np.stack([self._fitting(each) for each in frames]) if len(frames) else frames
        if initial.ndim == 3:
            return np.broadcast_to(self._fitting(initial), frames.shape), frames
        if len(initial) != len(frames):
            raise BadFrame(f"There are {len(initial)} first frames for {len(frames)} frames; give one, or one each.")
        return np.stack([self._fitting(each) for each in initial]) if len(initial) else initial, frames

    def _fitting(self, frame: Frame) -> Frame:
        frame, shape = as_frame(frame), self.reward.frame_shape
        if shape is not None and frame.shape != tuple(shape):
            raise BadFrame(
                f"The frame has shape {frame.shape}, but {self.reward.name!r} works on {tuple(shape)}; take frames "
                "with the camera of its task."
            )
        return frame

    def _index(self, name: str) -> int:
        if name not in self._names:
            raise UnknownName("option", name, self._names)
        return self._names.index(name)

    def __len__(self) -> int:
        return len(self._options)

    @overload
    def __getitem__(self, key: int | str) -> Option: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Option]: ...
    def __getitem__(self, key: int | str | slice) -> Option | Sequence[Option]:
        return self._options[self._index(key) if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[Option]:
        return iter(self._options)

    def close(self) -> None:
        """Ends the workers; a second time does nothing."""
        self.reward.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def options(bundle: Bundle | str | Path, allow_unreviewed: bool = False, isolation: int | None = None) -> Options:
    """The sub-tasks of a bundle as options; ``car.options`` is this function.

    Args:
        bundle: its folder, or the loaded bundle.
        allow_unreviewed: also run a bundle that no person has approved.
        isolation: the lowest isolation level at which programs may run, by default 2.

    Raises:
        BadBundle: missing, damaged, changed since it was loaded, not approved, or without a program for one of its
            sub-tasks.
        SandboxUnavailable: this machine cannot isolate programs as well as is asked for.
    """
    path = bundle.path if isinstance(bundle, Bundle) else Path(bundle)
    loaded = load_bundle(path)
    if isinstance(bundle, Bundle) and bundle.manifest_sha256 != loaded.manifest_sha256:
        raise BadBundle(f"The bundle {path} was changed since it was loaded; load it again.")
    reward = open_reward(path, allow_unreviewed=allow_unreviewed, isolation=isolation)
    return Options(loaded.subtasks, reward)
