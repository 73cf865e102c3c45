"""Repeating a run from its folder alone."""

from pathlib import Path
from typing import Any

from car.errors import UserError
from car.task import Task
from car.train.folder import RunFolder
from car.train.job import Job
from car.train.kept import reward_in
from car.train.settings import TrainSettings

_NUMBERS = ("steps", "episodes", "train_success", "train_length", "train_reward", "credited", "evaluation")


def task_and_settings(run: RunFolder) -> tuple[Task, TrainSettings]:
    """What a run learnt, and how.

    Raises:
        UserError: there is no run, or its settings are damaged or of another version.
    """
    about = run.read_settings()
    try:
        return Task(**about["task"]), TrainSettings(**about["settings"])
    except (KeyError, TypeError) as error:
        raise UserError(f"{run.settings} does not describe a run as this version knows it ({error}).") from error


def reward_of(run: RunFolder) -> Path | str:
    """The reward that a run was trained with, as `train` takes it.

    Raises:
        UserError: there is no run; the reward was a live object; or the bundle has gone or was changed.
    """
    return reward_in(run.read_settings()["reward"], run.reward)


def repetition(
    folder: Path, out: Path, resume: bool = False, allow_unreviewed: bool = False, isolation: int | None = None
) -> Job:
    """The job that repeats a run: the same task, reward, settings and seed.

    Args:
        folder: of the run; nothing else is needed but the package, and what the task or the reward name as
            ``module:attribute``.
        out: the new folder.
        resume: go on with the repetition that is there already.
        allow_unreviewed: also repeat a run whose bundle nobody had approved.
        isolation: the lowest isolation level at which programs may run; by default 2.

    Raises:
        UserError: there is no run, or it cannot be repeated; says why.
    """
    run = RunFolder(folder)
    task, settings = task_and_settings(run)
    return Job("again", task, str(reward_of(run)), settings, out, resume, allow_unreviewed, isolation)


def other_conditions(folder: Path, out: Path) -> list[str]:
    """What was otherwise than in the first run: versions, commit and machine, a few words for each."""
    before, now = ({**about["versions"], **_place(about)} for about in map(_about, (folder, out)))
    return [
        f"{name} {before.get(name) or 'unknown'}, now {now.get(name) or 'unknown'}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


def first_difference(folder: Path, out: Path) -> str | None:
    """The first number in which the progress of two runs differs; None if they went alike.

    Times are not compared, nor how often known frames were slipped in, which the programs must not foresee.
    """
    first, second = RunFolder(folder).lines(), RunFolder(out).lines()
    for one, other in zip(first, second, strict=False):
        for name in _NUMBERS:
            if getattr(one, name) != getattr(other, name):
                return f"{name} at {one.steps:,} steps: {getattr(one, name)}, now {getattr(other, name)}"
    if len(first) != len(second):
        return f"{len(first)} lines of progress, now {len(second)}"
    return None


def _about(folder: Path) -> dict[str, Any]:
    return RunFolder(folder).read_settings()


def _place(about: dict[str, Any]) -> dict[str, str]:
    commit = (about.get("git") or {}).get("car") or {}
    dirty = ", changed" if commit.get("dirty") else ""
    return {
        "platform": about["machine"]["platform"],
        "processors": str(about["machine"]["cpus"]),
        "commit": f"{commit['commit'][:12]}{dirty}" if commit else "",
    }
