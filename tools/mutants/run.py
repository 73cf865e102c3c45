"""Makes the mutants of the shipped bundles and has them judged, side by side if wanted."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from car.bundle import load_bundle
from car.errors import UserError
from car.sandbox.process import ProcessSandbox
from tools.mutants.case import Case, SetSize, load_case, size_of
from tools.mutants.judge_all import try_mutant
from tools.mutants.mutate import Mutant, mutants_of, swapped
from tools.mutants.results import Result, key_of, verifier_sha256


@dataclass(frozen=True)
class Folders:
    """Where things lie.

    Args:
        rewards: the bundles.
        trajectories: what they are judged on.
        cache: the independent set.
    """

    rewards: Path
    trajectories: Path
    cache: Path


@dataclass(frozen=True)
class Job:
    """One mutant to judge.

    Args:
        bundle: the bundle's name.
        place: of the checker in its chain.
        mutant: what takes its place.
        key: what the result is known by.
    """

    bundle: str
    place: int
    mutant: Mutant
    key: str


def jobs_for(names: Sequence[str], folders: Folders) -> list[Job]:
    """All mutants of the bundles."""
    made = []
    for name in names:
        bundle = load_bundle(folders.rewards / name)
        recorded = _sha256(folders.trajectories / bundle.task.name, folders.cache / bundle.task.name)
        for place, checker in enumerate(bundle.checkers):
            for mutant in (*mutants_of(checker.source), *swapped(bundle.checkers, place)):
                made.append(Job(name, place, mutant, key_of(bundle.checkers, place, mutant, recorded)))
    return made


def drawn(jobs: Sequence[Job], limit: int | None, seed: int = 0) -> list[Job]:
    """So many of the jobs, drawn evenly, in their order; with a higher limit the same ones and more of them."""
    order = list(range(len(jobs)))
    random.Random(seed).shuffle(order)  # noqa: S311
    return [jobs[at] for at in sorted(order[:limit])]


def _sha256(*folders: Path) -> str:
    files = [path for folder in folders for path in sorted(folder.glob("*.npz"))]
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()


def judge_jobs(jobs: Sequence[Job], folders: Folders, workers: int = 1) -> Iterator[Result]:
    """Judges the mutants, each as soon as a worker is free; the results come in the order of the jobs."""
    if workers == 1:
        yield from (_judge(job, folders) for job in jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_judge, jobs, [folders] * len(jobs))


def prepared(names: Sequence[str], folders: Folders) -> Iterator[SetSize]:
    """Records the independent set of each bundle, where it is not there yet; one after another."""
    for name in names:
        yield size_of(load_case(name, folders.rewards, folders.trajectories, folders.cache, ProcessSandbox()))


def _judge(job: Job, folders: Folders) -> Result:
    return try_mutant(_case(job.bundle, folders), job.place, job.mutant, job.key, verifier_sha256())


@lru_cache(maxsize=1)  # The jobs come bundle by bundle, and the frames of one fill some hundred megabytes.
def _case(name: str, folders: Folders) -> Case:
    """The case of a bundle.

    Raises:
        UserError: a program of the bundle fails or contradicts itself already.
    """
    case = load_case(name, folders.rewards, folders.trajectories, folders.cache, ProcessSandbox())
    if any(each.failures or each.disagreements for each in case.seen):
        raise UserError(f"The programs of the bundle {name} fail already; mutants of them say nothing.")
    return case
