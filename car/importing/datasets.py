"""Trajectories from Minari datasets on this machine, and to them."""

import re
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from car.errors import BadTrajectory, MissingExtra
from car.frames import Frames
from car.record.stage import Stage
from car.task import Policy, Task
from car.trajectory import Trajectory

_ID = re.compile(r"(?:[-_\w][-_\w/]*[-_\w]/)?[-_\w]+-v\d+")
_OURS = "code_as_reward_frames"
_SUCCESS = "code_as_reward_success"
_SMALLEST_PICTURE = 32
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AssertionError, RuntimeError, ImportError)


def looks_like_dataset_id(text: str) -> bool:
    """Whether it has the form of a Minari dataset's id, ``name-v0`` or ``namespace/name-v0``."""
    return _ID.fullmatch(text) is not None


def is_dataset(path: Path) -> bool:
    """Whether a folder is a Minari dataset, or the ``data`` folder of one."""
    return _data_folder(path) is not None


def _data_folder(path: Path) -> Path | None:
    return next((each for each in (path / "data", path) if (each / "metadata.json").is_file()), None)


def _minari() -> Any:
    try:
        import h5py  # noqa: F401
        import minari
    except ImportError as error:
        raise MissingExtra('Minari datasets need the package minari: pip install "code-as-reward[minari]".') from error
    return minari


def import_minari(dataset: str | Path, task: Task, who: str = "expert") -> list[Trajectory]:
    """The episodes of a Minari dataset on this machine; nothing is downloaded.

    The frames are the observations where the task's camera is ``observation`` or ``observation:KEY``, where
    `export_minari` wrote the dataset, or where the observations are pictures of 32 x 32 pixels or more. Otherwise the
    recorded actions are played again in the task's environment from the recorded seeds, and the rewards must come out
    the same.

    Args:
        dataset: id (``namespace/name-v0``) or folder.
        task: the task that it shows.
        who: who acted, ``expert`` or ``random``. An expert's episodes are taken as successes; where they are played
            again, they must be.

    Raises:
        MissingExtra: minari is not installed.
        BadTrajectory: no such dataset, damaged, without episodes, without what the frames need; or played again, the
            rewards or the success differ.
    """
    opened = _opened(dataset)
    label = f"The Minari dataset {opened.id!r}"
    if not len(opened):
        raise BadTrajectory(f"{label} has no episodes.")
    if _shows_frames(opened, task):
        return [_filmed(episode, about, task, who, label) for episode, about in _episodes(opened, label)]
    with Stage(task) as stage:
        return [_replayed(stage, episode, about, who, label) for episode, about in _episodes(opened, label)]


def _episodes(opened: Any, label: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each episode with what the dataset says about it, such as its seed; one at a time in memory."""
    try:
        about = list(opened.storage.get_episode_metadata(opened.episode_indices))
        yield from zip(opened.iterate_episodes(), about, strict=True)
    except _UNREADABLE as error:
        raise BadTrajectory(f"{label} is damaged: {error}.") from error


def _opened(dataset: str | Path) -> Any:
    minari = _minari()
    folder = _data_folder(Path(dataset))
    try:
        return minari.MinariDataset(str(folder)) if folder is not None else minari.load_dataset(str(dataset))
    except FileNotFoundError as error:
        there = ", ".join(minari.list_local_datasets()) or "none"
        raise BadTrajectory(
            f"There is no Minari dataset {str(dataset)!r} on this machine. There are: {there}."
        ) from error
    except _UNREADABLE as error:
        raise BadTrajectory(f"The Minari dataset {str(dataset)!r} cannot be read: {error}.") from error


def _shows_frames(opened: Any, task: Task) -> bool:
    if task.camera.partition(":")[0] == "observation" or opened.storage.metadata.get(_OURS):
        return True
    space = opened.observation_space
    picture = isinstance(space, gym.spaces.Box) and space.dtype == np.uint8 and len(space.shape) == 3
    return picture and space.shape[2] == 3 and min(space.shape[:2]) >= _SMALLEST_PICTURE


def _filmed(episode: Any, about: Mapping[str, Any], task: Task, who: str, label: str) -> Trajectory:
    where = f"Episode {episode.id} of {label[0].lower()}{label[1:]}"
    actions = episode.actions if isinstance(episode.actions, np.ndarray) else None
    try:
        return Trajectory.of(
            _observed_frames(episode.observations, task, where),
            who,
            actions=actions,
            rewards=np.asarray(episode.rewards, np.float64),
            seed=about.get("seed"),
            success=True if who == "expert" else _told(about.get(_SUCCESS)),
            terminated=_terminated(episode),
        )
    except BadTrajectory as error:
        raise BadTrajectory(f"{where} cannot be imported. {error}") from error


def _told(success: Any) -> bool | None:
    return None if success is None else bool(success)


def _terminated(episode: Any) -> bool | None:
    return bool(episode.terminations[-1]) if len(episode.terminations) else None


def _observed_frames(observations: Any, task: Task, where: str) -> Frames:
    kind, _, key = task.camera.partition(":")
    if kind == "observation" and key and isinstance(observations, Mapping):
        if key not in observations:
            raise BadTrajectory(f"{where} has no observation {key!r}; it has: {', '.join(observations)}.")
        observations = observations[key]
    if not isinstance(observations, np.ndarray):
        raise BadTrajectory(f"{where} has observations that are not pictures: {type(observations).__name__}.")
    frames: Frames = observations
    return frames


def _replayed(stage: Stage, episode: Any, about: Mapping[str, Any], who: str, label: str) -> Trajectory:
    where = f"Episode {episode.id} of {label[0].lower()}{label[1:]}"
    if about.get("seed") is None:
        raise BadTrajectory(
            f"{label} cannot be imported: its observations are not pictures, and episode {episode.id} has no seed from "
            "which it could be played again."
        )
    if not isinstance(episode.actions, np.ndarray):
        raise BadTrajectory(f"{where} cannot be played again: its actions are not one array.")
    again = _played_again(stage, episode.actions, about, who)
    rewards = np.asarray(episode.rewards, np.float64)
    if again.rewards is None or not _same(again.rewards, rewards):
        raise BadTrajectory(
            f"{where} gives other rewards when it is played again: the task's environment is not the one in which it "
            "was recorded."
        )
    if who == "expert" and not again.success:
        raise BadTrajectory(f"{where} is no success when it is played again, so it cannot serve as an expert's.")
    return again


def _same(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    # A dataset may hold its rewards as float32.
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-5, atol=1e-6))


def _played_again(stage: Stage, actions: NDArray[Any], about: Mapping[str, Any], who: str) -> Trajectory:
    given = iter(actions)

    def policy(observation: Any) -> Any:
        return next(given)

    def make_policy(env: gym.Env[Any, Any]) -> Policy:
        return policy

    options = about.get("options")
    return stage.play(make_policy, who, int(about["seed"]), max_steps=len(actions), options=options)


def export_minari(trajectories: Sequence[Trajectory], task: Task, dataset_id: str) -> Path:
    """Writes trajectories as a new Minari dataset, whose observations are the frames, without loss.

    Args:
        trajectories: with actions and rewards, and at least one step each.
        task: their task; its environment gives the action space.
        dataset_id: ``name-v0`` or ``namespace/name-v0``.

    Returns:
        The folder of the dataset.

    Raises:
        MissingExtra: minari is not installed.
        BadTrajectory: none, without actions or rewards, of several frame sizes, an id of another form, or one that
            exists.
        BadTask: the environment cannot be made.
        OSError: the disk is full or the folder cannot be written; what was begun is removed.
    """
    minari = _minari()
    from minari.storage.datasets_root_dir import get_dataset_path

    _check_exportable(trajectories, task)
    if not looks_like_dataset_id(dataset_id):
        raise BadTrajectory(f"The Minari dataset {dataset_id!r} must be called name-v0 or namespace/name-v0.")
    folder = Path(get_dataset_path(dataset_id))
    if folder.exists():
        raise BadTrajectory(f"There is a Minari dataset {dataset_id!r} at {folder} already; choose another version.")
    try:
        _write(minari, trajectories, task, dataset_id)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _check_exportable(trajectories: Sequence[Trajectory], task: Task) -> None:
    if not trajectories:
        raise BadTrajectory(f"There are no trajectories of the task {task.name!r} to export.")
    for each in trajectories:
        if each.actions is None or each.rewards is None or len(each) < 2:
            raise BadTrajectory(
                f"The trajectory {each.name!r} of task {task.name!r} has no actions and rewards; Minari needs both."
            )
    if len({each.size for each in trajectories}) > 1:
        raise BadTrajectory(f"The trajectories of task {task.name!r} have frames of several sizes; Minari needs one.")


def _write(minari: Any, trajectories: Sequence[Trajectory], task: Task, dataset_id: str) -> None:
    env = task.make_env()
    pictures = trajectories[0].pictures
    try:
        with warnings.catch_warnings():
            # Minari warns about each of author, licence link and the like that is not given.
            warnings.simplefilter("ignore", UserWarning)
            made = minari.create_dataset_from_buffers(
                dataset_id,
                # Minari goes through them once: one episode's frames are in memory at a time.
                (_buffer(each) for each in trajectories),
                env=env if _can_be_written(env) else None,
                action_space=env.action_space,
                observation_space=gym.spaces.Box(0, 255, pictures.shape[1:], np.uint8),
                description=f"Frames of the task {task.name}, recorded by Code as Reward.",
                jpeg_encoding=False,
            )
    finally:
        env.close()
    made.storage.update_metadata({_OURS: True})
    made.storage.update_episode_metadata(
        [{} if each.success is None else {_SUCCESS: each.success} for each in trajectories]
    )


def _can_be_written(env: gym.Env[Any, Any]) -> bool:
    """Whether the dataset can say how to make its environment; one registered with a class, not a name, cannot."""
    try:
        return env.spec is not None and bool(env.spec.to_json())
    except (TypeError, ValueError):
        return False


def _buffer(trajectory: Trajectory) -> Any:
    from minari.data_collector import EpisodeBuffer

    assert trajectory.rewards is not None  # noqa: S101 - checked by _check_exportable
    steps = len(trajectory) - 1
    last = np.arange(steps) == steps - 1
    never = np.zeros(steps, bool)
    terminated = trajectory.success if trajectory.terminated is None else trajectory.terminated
    return EpisodeBuffer(
        seed=trajectory.seed,
        observations=trajectory.frames,
        actions=trajectory.actions,
        rewards=trajectory.rewards,
        terminations=last if terminated else never,
        truncations=never if terminated else last,
    )
