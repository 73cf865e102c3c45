"""The film of a training run."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from car.errors import CarError, SandboxUnavailable, UnknownName, UserError
from car.film.encode import FORMATS, write_film
from car.film.pictures import Pictures
from car.film.playing import FILM_SEED, Episode, play
from car.rewards import Reward
from car.task import Task
from car.train import SPARSE, TrainSettings, load_policy
from car.train.folder import RunFolder
from car.train.repeat import reward_of, task_and_settings
from car.train.run import live_reward

EPISODES = 3
_HIGHEST_SEED = 2**63


@dataclass(frozen=True)
class Film:
    """A film that was made.

    Args:
        paths: of its files.
        episodes: what they show.
        lacking: why it shows no milestones although the run had a reward; None if it does.
    """

    paths: tuple[Path, ...]
    episodes: tuple[Episode, ...]
    lacking: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """What is in it, JSON-serialisable."""
        return {
            "files": [str(path) for path in self.paths],
            "episodes": [
                {
                    "seed": each.seed,
                    "steps": each.last.step,
                    "success": each.last.success,
                    "credited": dict(zip(each.names, each.last.credited, strict=True)),
                    "reward": round(each.last.own, 6),
                    "shaped": None if each.last.shaped is None else round(each.last.shaped, 6),
                }
                for each in self.episodes
            ],
            "lacking": self.lacking,
        }


def film_run(
    folder: Path,
    paths: Sequence[Path] = (),
    episodes: int = EPISODES,
    seed: int = FILM_SEED,
    isolation: int | None = None,
) -> Film:
    """Makes the film of a finished run; one that is there already is replaced.

    Args:
        folder: of the run. Its policy holds pickles, so film only runs that you trust.
        paths: of the files, each in ``.gif`` or ``.mp4``; by default ``film.gif`` in the folder of the run.
        episodes: how many are shown.
        seed: of the first one; the others follow it.
        isolation: the lowest isolation level at which programs may run; by default 2.

    Raises:
        UserError: there is no finished run, a number out of range, or the policy observes milestones and its reward
            has gone.
        UnknownName: a file in another format.
        BadTask: the environment cannot be made.
        BadFrame: its camera gives no frames, or the reward works on others.
    """
    paths = tuple(paths) or (default_path(folder),)
    for path in paths:
        if path.suffix[1:] not in FORMATS:
            raise UnknownName("film format", path.suffix[1:], list(FORMATS))
    if episodes < 1 or seed < 0 or seed + episodes > _HIGHEST_SEED:
        raise UserError(
            f"A film has at least 1 episode and a seed from 0 to {_HIGHEST_SEED - 1}, not {episodes} and {seed}."
        )
    run = RunFolder(folder)
    task, settings = task_and_settings(run)
    policy = load_policy(folder)
    with _crediting(run, task, settings, isolation) as (reward, lacking):
        played = tuple(play(policy, task, reward, settings, seed + number) for number in range(episodes))
    pictures = Pictures(task.name, _called(run), played)
    for path in paths:
        write_film(pictures, pictures.lasts, path)
    return Film(paths, played, lacking)


def film_finished(folder: Path, paths: Sequence[Path], isolation: int | None = None) -> tuple[bool, str | None]:
    """`film_run` where the training is what counts: nothing that goes wrong is raised.

    Args:
        folder: of a finished run.
        paths: of the files; where all are there already, nothing is done.
        isolation: the lowest isolation level at which programs may run; by default 2.

    Returns:
        Whether the files are there, and what there is to say of it, or None.
    """
    if all(path.exists() for path in paths):
        return True, None
    try:
        made = film_run(folder, paths, isolation=isolation)
    except CarError as error:
        return False, f"There is no film of {folder}. {error}"
    except Exception as error:  # the environment is foreign code, and may raise anything
        return False, f"There is no film of {folder}. {type(error).__name__}: {error}"
    return True, f"The film of {folder} shows no milestones. {made.lacking}" if made.lacking else None


def default_path(folder: Path, format_: str = FORMATS[0]) -> Path:
    """Where a run's film lies."""
    return folder / f"film.{format_}"


@contextmanager
def _crediting(
    run: RunFolder, task: Task, settings: TrainSettings, isolation: int | None
) -> Iterator[tuple[Reward | None, str | None]]:
    """The run's own reward, or None and why."""
    with ExitStack() as stack:
        try:
            # Approval is for training with a reward. To look on, programs run as they do while they are verified.
            opened = live_reward(reward_of(run), task, settings, allow_unreviewed=True, isolation=isolation)
            reward, lacking = stack.enter_context(opened), None
        except SandboxUnavailable:
            raise
        except CarError as error:
            reward, lacking = None, str(error)
        if lacking and (settings.observe_milestones or settings.hierarchical):
            raise UserError(f"The policy of this run acts by its milestones, and nobody can tell them. {lacking}")
        yield reward, lacking


def _called(run: RunFolder) -> str:
    """What kind of reward the run had."""
    kind = run.read_settings()["reward"]["kind"]
    return {"bundle": "generated reward", SPARSE: "sparse reward"}.get(kind, "reward of its own")
