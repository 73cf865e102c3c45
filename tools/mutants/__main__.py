"""`python -m tools.mutants`: how many wrong programs does the verifier let through?"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tools.mutants.page import write_page
from tools.mutants.report import GOAL, kill_rate, tables
from tools.mutants.results import Outcome, append, load, verifier_sha256
from tools.mutants.run import Folders, Job, drawn, jobs_for, judge_jobs, prepared

BUNDLES = ("doorkey-8x8", "unlock", "unlockpickup", "taxi")


def main(arguments: Sequence[str] | None = None) -> int:
    """Judges what is not judged yet, shows the figures, and returns the exit code: 1 below the goal."""
    given = _parser().parse_args(arguments)
    folders = Folders(given.rewards, given.trajectories, given.cache)
    notes = Console(stderr=True)
    with notes.status("recording the independent trajectories"):
        sizes = list(prepared(given.bundle, folders))
    with notes.status("making the mutants"):
        every = jobs_for(given.bundle, folders)
        jobs = drawn(every, given.limit, given.seed)
    known = load(given.out, verifier_sha256())
    _judge([job for job in jobs if job.key not in known], folders, given, notes)
    judged = load(given.out, verifier_sha256())
    results = [judged[job.key] for job in jobs]
    for table in tables(results):
        Console().print(table)
    if given.write_docs:
        write_page(given.docs, results, sizes, len(every))
    return 0 if kill_rate(results) >= GOAL else 1


def _judge(jobs: Sequence[Job], folders: Folders, given: argparse.Namespace, notes: Console) -> None:
    counted: Counter[Outcome] = Counter()
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=notes) as progress:
        bar = progress.add_task("", total=len(jobs))
        for result in judge_jobs(jobs, folders, given.jobs):
            append(given.out, result)
            counted[result.outcome] += 1
            progress.update(bar, advance=1, description=", ".join(f"{n} {each}" for each, n in counted.items()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tools.mutants", description=__doc__)
    add = parser.add_argument
    add("--bundle", nargs="+", choices=BUNDLES, default=BUNDLES, help="whose checkers are changed")
    add("--jobs", type=int, default=1, help="how many mutants are judged at the same time")
    add("--limit", type=int, help="so many mutants, drawn evenly from all")
    add("--seed", type=int, default=0, help="for drawing them")
    add("--out", type=Path, default=Path(".mutants/results.jsonl"), help="the results; those there are kept")
    add("--cache", type=Path, default=Path(".mutants"), help="for the independent trajectories")
    add("--rewards", type=Path, default=Path("generated_rewards"), help="the bundles")
    add("--trajectories", type=Path, default=Path("trajectories"), help="what the verdicts are given on")
    add("--write-docs", action="store_true", help="write the page about the results")
    add("--docs", type=Path, default=Path("docs/mutants.md"), help="where that page lies")
    return parser


if __name__ == "__main__":
    sys.exit(main())
