"""One training run, from its settings to its folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from car.errors import RewardChanged, UserError
from car.rewards import Reward, is_made, made_reward
from car.rewards.clip.reference import read_reference
from car.rewards.clip_kinds import is_clip
from car.task import Task
from car.train.evaluate import Actor, Exam
from car.train.folder import RunFolder, steps_to
from car.train.kept import keep, sha256_of
from car.train.settings import EVALUATION_SEED, Evaluation, OnProgress, Progress, TrainSettings

SPARSE = "sparse"
"""The name of having no reward but the environment's own."""

NO_SUBTASKS = (
    "The sparse reward has no sub-tasks, so no policy for each; train with it in a run that is not hierarchical."
)


@dataclass(frozen=True)
class TrainResult:
    """How a finished run ended.

    Args:
        folder: of the run.
        steps: environment steps taken.
        train_success: over the last 100 training episodes; None if no episode ended.
        evaluation: the last one, of the final policy.
        solved_at: the steps at which the training success first reached 90 %; None if never.
        wall_seconds: time spent training, evaluation included.
        cpu_seconds: processor time of the training process, without the checkers' processes.
    """

    folder: Path
    steps: int
    train_success: float | None
    evaluation: Evaluation | None
    solved_at: int | None
    wall_seconds: float
    cpu_seconds: float


def train(
    task: Task,
    reward: Reward | Path | str,
    settings: TrainSettings,
    folder: Path,
    on_progress: OnProgress | None = None,
    resume: bool = False,
    allow_unreviewed: bool = False,
    isolation: int | None = None,
) -> TrainResult:
    """Trains an agent, or goes on with a run that was interrupted; a finished run is not trained again.

    Args:
        task: what to learn.
        reward: the folder of a reward bundle, a live reward (which shapes in its own way and is left open),
            ``module:attribute`` of a `RewardMaker`, or ``sparse``.
        settings: of the run.
        folder: where the run is kept; see docs/training.md for its files.
        on_progress: called with every line of progress as it is written.
        resume: go on with the run in the folder, if there is one, from its last checkpoint.
        allow_unreviewed: also train on a bundle that no person has approved.
        isolation: the lowest isolation level at which programs may run; by default 2.

    Raises:
        UserError: the folder holds a run and `resume` is off, or a run that was asked for something else; the
            algorithm cannot act in the task; a policy for each sub-task of a reward without any; the run was begun at
            a higher isolation level than there is now.
        BadBundle: the reward bundle cannot be used.
        BadTask: the environment cannot be made.
        RewardChanged: a program said something else of a known frame than before; a checkpoint was saved, and
            ``stopped.txt`` says why.
        KeyboardInterrupt: Ctrl-C, after a checkpoint was saved.
    """
    run = RunFolder(folder)
    asked = _asked(task, reward, settings)
    run.check(asked, resume)
    if not run.finished:
        try:
            with live_reward(reward, task, settings, allow_unreviewed, isolation) as live:
                _learn(run, asked, task, live, settings, on_progress or _say_nothing)
        except RewardChanged as changed:
            _draw(run, task.name, _label(reward))
            raise RewardChanged(f"{changed} The run was stopped; what it had learnt is in {folder}.") from changed
        _draw(run, task.name, _label(reward))
    elif not run.curve.exists():
        _draw(run, task.name, _label(reward))
    return result_of(folder)


def check_run(task: Task, reward: Reward | Path | str, settings: TrainSettings, folder: Path) -> None:
    """Checks that a folder is free, or holds the run that is asked for; the arguments are those of `train`.

    Raises:
        UserError: it holds a run that was asked for something else, or was stopped because its reward changed.
        BadBundle: the reward bundle cannot be used.
    """
    RunFolder(folder).check(_asked(task, reward, settings), resume=True)


def _asked(task: Task, reward: Reward | Path | str, settings: TrainSettings) -> dict[str, Any]:
    return {"task": task.as_dict(), "reward": _identity(reward), "settings": settings.as_dict()}


def _learn(
    run: RunFolder,
    asked: Mapping[str, Any],
    task: Task,
    live: Reward | None,
    settings: TrainSettings,
    on_progress: OnProgress,
) -> None:
    from car.rewards.clip import GatedReward
    from car.rewards.code import CodeReward
    from car.train.sb3 import Training

    examiner = live if settings.observe_milestones or settings.hierarchical else None
    with (
        Exam(task, settings.eval_episodes, EVALUATION_SEED, settings.eval_deterministic, examiner, settings) as exam,
        Training(run, task, live, settings) as training,
    ):
        isolation = live.isolation if isinstance(live, CodeReward | GatedReward) else None
        run.check_isolation(isolation)
        # Not before all is known to work: a folder without a run can be used for another one.
        keep(run, asked["reward"], isolation)
        run.describe(asked, isolation)
        training.learn(exam, on_progress)


def _draw(run: RunFolder, task: str, label: str) -> None:
    from car.train.curve import success_curve

    success_curve({label: [run.path]}, run.curve, f"{task}: success in evaluation")


def result_of(folder: Path) -> TrainResult:
    """How the run in a folder ended.

    Raises:
        UserError: there is no finished run; if it was stopped because its reward changed, says so.
    """
    run = RunFolder(folder)
    lines = run.lines()
    if not run.finished and (reason := run.why_stopped()) is not None:
        raise UserError(f"The training run in {folder} was stopped. {reason}")
    if not run.finished or not lines:
        raise UserError(f"There is no finished training run in {folder}; start or resume it with `car train`.")
    evaluations = [line.evaluation for line in lines if line.evaluation is not None]
    return TrainResult(
        folder=folder,
        steps=lines[-1].steps,
        train_success=lines[-1].train_success,
        evaluation=evaluations[-1] if evaluations else None,
        solved_at=steps_to(folder),
        wall_seconds=lines[-1].wall_seconds,
        cpu_seconds=lines[-1].cpu_seconds,
    )


def load_policy(folder: Path) -> Actor:
    """The final policy of a finished run; its file holds pickles, so load only runs that you trust.

    Raises:
        UserError: there is no finished run, or the policy is damaged.
    """
    from car.train.sb3 import load_actor

    run = RunFolder(folder)
    about = run.read_settings()
    if not run.finished:
        raise UserError(f"The run in {folder} is not finished; resume it with `car train --resume`.")
    return load_actor(run.policy, TrainSettings(**about["settings"]))


def _identity(reward: Reward | Path | str) -> dict[str, Any]:
    """What the reward is, for settings.json; a bundle's manifest names the hash of every file in it."""
    if reward == SPARSE:
        return {"kind": SPARSE}
    if not isinstance(reward, str | Path):
        return {"kind": "live", "name": reward.name}
    if is_clip(reward):
        from car.rewards.clip.loading import weights_sha256

        settings = read_reference(str(reward))
        known = {"kind": settings.kind, "maker": str(reward), "weights": weights_sha256(settings.model)}
        return known | ({"gate": sha256_of(Path(settings.gate))} if settings.gate else {})
    if is_made(reward):
        return {"kind": "made", "maker": str(reward)}
    return {"kind": "bundle", "path": str(reward), "sha256": sha256_of(Path(reward))}


def _label(reward: Reward | Path | str) -> str:
    if isinstance(reward, str | Path):
        return "sparse reward" if reward == SPARSE else f"dense reward ({_last(str(reward))})"
    return f"dense reward ({reward.name})"


@contextmanager
def live_reward(
    reward: Reward | Path | str, task: Task, settings: TrainSettings, allow_unreviewed: bool, isolation: int | None
) -> Iterator[Reward | None]:
    """The reward of a run while it is open, None for the sparse one; the arguments are those of `train`.

    Raises:
        UserError: a policy for each sub-task of a reward without any.
        BadBundle: the reward bundle cannot be used.
        BadTask: there is no such maker of a reward.
        SandboxUnavailable: this machine cannot isolate programs as well as is asked for.
    """
    if reward == SPARSE:
        if settings.hierarchical:
            raise UserError(NO_SUBTASKS)
        yield None
        return
    from car.rewards.clip import open_clip_reward
    from car.wrapper.scoring import opened, shaping_for

    shaping = settings.shaping, settings.env_reward, settings.gamma, settings.scale
    if is_clip(reward):
        told = shaping_for(*shaping, settings.monotone_progress)
        live: Reward = open_clip_reward(str(reward), task, told, allow_unreviewed, isolation)
    elif is_made(reward):
        live = made_reward(str(reward), task, shaping_for(*shaping, settings.monotone_progress))
    else:
        live = opened(reward, *shaping, allow_unreviewed, isolation, settings.monotone_progress)
    try:
        yield live
    finally:
        if live is not reward:
            live.close()


def _say_nothing(line: Progress) -> None:
    pass


def _last(reference: str) -> str:
    """A folder's name, a maker's, or the kind of a CLIP reward."""
    if is_clip(reference):
        return read_reference(reference).kind
    return Path(reference.rpartition(":")[2]).name
