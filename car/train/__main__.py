"""One run in a process of its own; see `car.errands.child` for how it is told what to do and says how it goes."""

import sys
from collections.abc import Mapping
from typing import Any

from car.errands.child import Mouth, carry_out
from car.train.folder import RunFolder
from car.train.job import Job
from car.train.run import train
from car.train.settings import Progress


def _train(fields: Mapping[str, Any], mouth: Mouth) -> None:
    job = Job.told(fields)
    run = RunFolder(job.folder)
    kept = run.latest_checkpoint()

    def report(line: Progress) -> None:
        nonlocal kept
        before, kept = kept, run.latest_checkpoint()
        mouth.tell(progress=line.as_dict(), kept=kept != before)

    train(job.task, job.reward, job.settings, job.folder, report, job.resume, job.allow_unreviewed, job.isolation)


if __name__ == "__main__":
    sys.exit(carry_out(_train))
