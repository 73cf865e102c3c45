"""Several runs: the same task with several rewards and seeds, or jobs that have nothing in common."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from car.errands import HERE, run
from car.errors import CarError, UserError
from car.task import Task
from car.train.job import Job, OnRunProgress
from car.train.run import TrainResult, result_of
from car.train.settings import Progress, TrainSettings


def train_many(
    task: Task,
    rewards: Mapping[str, Path | str],
    settings: TrainSettings,
    seeds: Sequence[int],
    folder: Path,
    at_once: int = 1,
    on_progress: OnRunProgress | None = None,
    resume: bool = False,
    allow_unreviewed: bool = False,
    isolation: int | None = None,
    on: str = HERE,
) -> dict[str, list[TrainResult]]:
    """Trains with every reward and every seed; the run of a seed lies in ``folder/label/seed-N``.

    Args:
        task: what to learn.
        rewards: for each label the folder of a reward bundle, or ``sparse``.
        settings: of all runs, but for the seed.
        seeds: of the runs with each reward, all different.
        folder: where the runs are kept.
        at_once: how many processes train at a time.
        on_progress: called, in this thread, with every line of progress.
        resume: go on with runs that are there already; finished ones are not trained again.
        allow_unreviewed: also train on bundles that no person has approved.
        isolation: the lowest isolation level at which programs may run; by default 2.
        on: where the runs go on: ``here``, or ``ray`` for a Ray cluster.

    Returns:
        For each label the results in the order of the seeds.

    Raises:
        UserError: what `train` raises, or a folder that cannot be written; the other runs are stopped, after they
            saved a checkpoint.
        RewardChanged: a program of a bundle said something else of a known frame than before; the other runs are
            stopped too.
        CarError: a process ended in another way; holds the last lines that it said.
        KeyboardInterrupt: Ctrl-C, after every run saved a checkpoint.
    """
    if len(set(seeds)) != len(seeds) or not seeds:
        raise UserError(f"The seeds are {list(seeds)}; there must be at least one, and all must differ.")
    jobs = [
        Job(label, task, str(reward), dataclasses.replace(settings, seed=seed), folder / label / f"seed-{seed}",
            resume, allow_unreviewed, isolation)
        for label, reward in rewards.items()
        for seed in seeds
    ]  # fmt: skip
    run_jobs(jobs, at_once, on_progress, on)
    return {label: [result_of(job.folder) for job in jobs if job.label == label] for label in rewards}


def run_jobs(
    jobs: Sequence[Job],
    at_once: int = 1,
    on_progress: OnRunProgress | None = None,
    on: str = HERE,
    all_the_same: bool = False,
) -> None:
    """Runs jobs, which may differ in task, reward, settings and folder; `result_of` reads what came out.

    Args:
        jobs: what to run, in the order in which they begin; no two in the same folder.
        at_once: how many go on at a time.
        on_progress: called, in this thread, with every line of progress.
        on: where the runs go on: ``here``, or ``ray`` for a Ray cluster.
        all_the_same: a run that fails stops no other; what went wrong first is raised at the end.

    Raises:
        UnknownName: there is no such place.
        UserError: what `train` raises, or a folder that cannot be written; the other runs are stopped, after they
            saved a checkpoint.
        RewardChanged: a program of a bundle said something else of a known frame than before; the other runs are
            stopped too.
        CarError: a process ended in another way; holds the last lines that it said.
        KeyboardInterrupt: Ctrl-C, after every run saved a checkpoint.
    """
    listen = on_progress or _say_nothing

    def hear(index: int, fields: Mapping[str, Any]) -> None:
        listen(jobs[index], Progress.of(fields["progress"]))

    failed: list[CarError] = []

    def end(index: int, error: CarError | None) -> None:
        if error is not None and not all_the_same:
            raise error
        failed.extend([error] if error is not None else [])

    run([job.errand for job in jobs], at_once, hear, end, on)
    if failed:
        raise failed[0]


def _say_nothing(job: Job, line: Progress) -> None:
    pass
