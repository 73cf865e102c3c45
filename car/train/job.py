"""One run of several: what is handed to the process, or to the machine, that trains it."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from car.errands import Errand
from car.rewards import is_made
from car.task import Task
from car.train.run import SPARSE
from car.train.settings import Progress, TrainSettings


@dataclass(frozen=True)
class Job:
    """One run of several.

    Args:
        label: what to call the runs that differ in their seed alone.
        task: what to learn.
        reward: the folder of a reward bundle, ``module:attribute`` of a `RewardMaker`, or ``sparse``.
        settings: of the run, the seed included.
        folder: where the run is kept.
        resume: go on with the run in the folder, if there is one.
        allow_unreviewed: also train on a bundle that no person has approved.
        isolation: the lowest isolation level at which programs may run; by default 2.
    """

    label: str
    task: Task
    reward: str
    settings: TrainSettings
    folder: Path
    resume: bool = False
    allow_unreviewed: bool = False
    isolation: int | None = None

    @property
    def errand(self) -> Errand:
        """The job for a process of its own; `Job.told` makes it again there."""
        fields = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        fields |= {"task": self.task.as_dict(), "settings": self.settings.as_dict()}
        # These are paths, and told apart.
        del fields["folder"], fields["reward"]
        reads = {}
        if self.reward != SPARSE and not is_made(self.reward) and Path(self.reward).is_dir():
            reads["reward"] = Path(self.reward)
        else:
            fields["reward"] = self.reward
        title = f"The training run in {self.folder}"
        return Errand(title, "car.train", fields, self.folder, reads=reads, again={"resume": True})

    @classmethod
    def told(cls, fields: Mapping[str, Any]) -> Self:
        """The job that a process is told to do."""
        made = {
            "task": Task(**fields["task"]),
            "settings": TrainSettings(**fields["settings"]),
            "folder": Path(fields["folder"]),
        }
        return cls(**{**fields, **made})


OnRunProgress = Callable[[Job, Progress], None]
"""Called with a job and a line of progress of its run."""
