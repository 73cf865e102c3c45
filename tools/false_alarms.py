"""`python -m tools.false_alarms`: does the verifier reject programs that are right?

For every built-in task with a goal to reach there are checkers that are right, written by hand
(`tests/planted/right.py`). Here they are judged on many independent sets of trajectories. Each set that they are not
accepted on is a false alarm.
"""

import argparse
import hashlib
import io
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

import car.verify
from car import milestones
from car.files import write_text
from car.record import RANDOM_SEEDS, record, record_expert
from car.refine import one_action, repeating
from car.sandbox import Session
from car.sandbox.process import ProcessSandbox
from car.tasks import find_task
from car.trajectory import Trajectory, merged
from car.verify import Observation, Probe, Verdict, verdict_on
from tests.planted.right import right_chain, tasks_with_a_chain

FORMAT = "car-false-alarms/1"
APART = 10_000
"""How far apart the first seeds of two sets are; the first set begins at this seed, which no shipped set reaches."""


@dataclass(frozen=True)
class Size:
    """How large a set is.

    Args:
        experts: successes of the expert.
        randoms: episodes of random actions.
        max_steps: cuts the random ones off; None leaves it to the environment.
    """

    experts: int
    randoms: int
    max_steps: int | None


@dataclass(frozen=True)
class Job:
    """The right checkers of a task, to be judged on one set.

    Args:
        task: the task's name.
        number: which set, from 0.
        size: how large it is.
        key: the hash of all that the result depends on, the verifier's source included.
    """

    task: str
    number: int
    size: Size
    key: str

    @property
    def seed(self) -> int:
        """The first seed of the set."""
        return APART * (self.number + 1)


@dataclass(frozen=True)
class Result:
    """What the verifier said.

    Args:
        key: the job's.
        task: the task's name.
        seed: the first seed of the set.
        decision: ``accepted``, ``rejected`` or ``undecided``.
        findings: what was found: rule, sub-task, message, trajectory and time each.
        needs: what an undecided verdict lacks, in sentences.
        experts: expert trajectories.
        randoms: random trajectories.
        random_successes: how many of them the environment calls a success.
        frames: frames in all.
        distinct: distinct frames within their episodes.
        record_seconds: how long the recording took.
        verify_seconds: how long the verification took.
    """

    key: str
    task: str
    seed: int
    decision: str
    findings: tuple[Mapping[str, Any], ...]
    needs: tuple[str, ...]
    experts: int
    randoms: int
    random_successes: int
    frames: int
    distinct: int
    record_seconds: float
    verify_seconds: float


def judged(task: str, trajectories: Sequence[Trajectory]) -> Verdict:
    """The verdict, as `car verify --quick` gives it; the only place that calls the verifier."""
    checkers = right_chain(task)

    def strict(session: Session, seen: Sequence[Observation]) -> list[Probe]:
        experts = [each for each in seen if each.trajectory.who == "expert"]
        return [one_action(find_task(task), experts, checkers, session)]

    # What --quick leaves out is only reported and cannot reject.
    return verdict_on(checkers, trajectories, ProcessSandbox(), reported=False, further=strict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judges the sets that are not judged yet, shows all, and returns the exit code: 1 if one was not accepted."""
    given = _parser().parse_args(arguments)
    size = Size(given.experts, given.randoms, given.max_steps or None)
    jobs = jobs_for(given.tasks, given.seeds, size)
    known = {each.key: each for each in load(given.out)}
    _judge_missing([job for job in jobs if job.key not in known], known, given)
    results = [known[job.key] for job in jobs]
    # A pipe has no width of its own, and a table for it should not be cut.
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table_of(results))
    for line in findings_of(results):
        console.print(line, markup=False, soft_wrap=True)
    return 0 if all(each.decision == "accepted" for each in results) else 1


def jobs_for(tasks: Sequence[str], sets: int, size: Size) -> list[Job]:
    """All sets of all tasks; the first sets of every task come first, so that an interrupted run has seen all tasks."""
    verifier = _verifier_sha256()
    return [Job(task, number, size, _key(verifier, task, number, size)) for number in range(sets) for task in tasks]


def tried(job: Job) -> Result:
    """Records the set and has the checkers judged on it.

    Raises:
        BadTrajectory: the expert fails too often.
        SandboxUnavailable: checkers cannot be run on this machine.
    """
    began = time.perf_counter()
    trajectories = recorded(job)
    recorded_at = time.perf_counter()
    verdict = judged(job.task, trajectories)
    return Result(
        key=job.key,
        task=job.task,
        seed=job.seed,
        decision=str(verdict.decision),
        findings=tuple({**asdict(each), "rule": str(each.rule)} for each in verdict.findings),
        needs=tuple(each.said for each in verdict.needs),
        experts=job.size.experts,
        randoms=job.size.randoms,
        random_successes=sum(bool(each.success) for each in trajectories if each.who == "random"),
        frames=verdict.frames,
        distinct=verdict.distinct,
        record_seconds=round(recorded_at - began, 2),
        verify_seconds=round(time.perf_counter() - recorded_at, 2),
    )


def recorded(job: Job) -> list[Trajectory]:
    """The set's trajectories: experts first; random ones at the seeds that `car record` would give them."""
    task, size = find_task(job.task), job.size
    first = RANDOM_SEEDS + job.seed
    # Some environments print what they reject while they make a layout.
    with redirect_stdout(io.StringIO()):
        experts = list(record_expert(task, size.experts, job.seed))
        randoms = record(task, "random", range(first, first + size.randoms), max_steps=size.max_steps)
        return merged([*experts, *randoms])


def load(path: Path) -> list[Result]:
    """The results so far, those of other verifiers and sizes included; empty if there is no such file."""
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("format") != FORMAT:
        raise SystemExit(f"{path} is not a file of results of this program ({FORMAT}).")
    return [
        Result(**{**each, "findings": tuple(each["findings"]), "needs": tuple(each["needs"])})
        for each in document["results"]
    ]


def save(path: Path, results: Sequence[Result]) -> None:
    """Writes all results, atomically."""
    document = {"format": FORMAT, "results": [asdict(each) for each in results]}
    write_text(path, json.dumps(document, indent=1) + "\n")


def table_of(results: Sequence[Result]) -> Table:
    """A line for each task: on how many sets its checkers were accepted, and what that took."""
    table = Table(header_style="dim", box=None, padding=(0, 2, 0, 0))
    for heading in (
        "task",
        "sets",
        "accepted",
        "rejected",
        "undecided",
        "random successes",
        "frames",
        "record",
        "verify",
    ):
        table.add_column(heading, justify="left" if heading == "task" else "right", no_wrap=True)
    for task in dict.fromkeys(each.task for each in results):
        table.add_row(*_row(task, [each for each in results if each.task == task]))
    table.add_row(*_row("all", results), style="bold")
    return table


def findings_of(results: Sequence[Result]) -> Iterator[str]:
    """Every finding of every set on which the checkers were not accepted, in a sentence."""
    for each in results:
        where = f"{each.task}, seed {each.seed}"
        for found in each.findings:
            yield f"{where}: {found['subtask'] or 'the chain'}: {found['rule']}. {found['message']}"
        for need in each.needs:
            yield f"{where}: undecided. {need}"


def _row(name: str, results: Sequence[Result]) -> list[str | Text]:
    counted = [sum(each.decision == said for each in results) for said in ("accepted", "rejected", "undecided")]
    record_seconds, verify_seconds = (
        sum(each.record_seconds for each in results),
        sum(each.verify_seconds for each in results),
    )
    return [
        name,
        str(len(results)),
        *(Text(str(count), style="red" if place and count else "") for place, count in enumerate(counted)),
        f"{sum(each.random_successes for each in results)}/{sum(each.randoms for each in results)}",
        f"{sum(each.frames for each in results):,}",
        f"{record_seconds:.1f} s",
        f"{verify_seconds:.1f} s",
    ]


def _judge_missing(jobs: Sequence[Job], known: dict[str, Result], given: argparse.Namespace) -> None:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=len(jobs))
        for result in _results(jobs, given.jobs):
            known[result.key] = result
            save(given.out, list(known.values()))
            progress.update(bar, advance=1, description=f"{result.task}, seed {result.seed}: {result.decision}")


def _results(jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    if workers == 1 or len(jobs) < 2:
        yield from map(tried, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(tried, jobs)


def _verifier_sha256() -> str:
    files = sorted(Path(car.verify.__file__).parent.rglob("*.py"))
    files += [Path(milestones.__file__), Path(repeating.__file__)]
    return hashlib.sha256(b"\0".join(each.read_bytes() for each in files)).hexdigest()


def _key(verifier: str, task: str, number: int, size: Size) -> str:
    chain = [each.sha256 for each in right_chain(task)]
    return hashlib.sha256(json.dumps([verifier, task, number, asdict(size), chain]).encode()).hexdigest()[:24]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tools.false_alarms", description=__doc__)
    add = parser.add_argument
    add("--seeds", type=int, default=20, help="how many sets for each task")
    known = tasks_with_a_chain()
    add("--tasks", nargs="+", choices=known, default=known, metavar="TASK", help="which tasks")
    add("--experts", type=int, default=20, help="expert episodes of a set")
    add("--randoms", type=int, default=100, help="random episodes of a set")
    add("--max-steps", type=int, default=120, help="cuts random episodes off; 0 plays them to their end")
    add("--jobs", type=int, choices=(1, 2), default=1, help="how many sets at the same time")
    add("--out", type=Path, default=Path("runs/false_alarms.json"), help="the results; those there are kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
