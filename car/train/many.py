"""Several runs at a time, each in a process of its own."""

import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from car.errors import CarError, RewardChanged, UserError
from car.task import Task
from car.train.run import TrainResult, result_of
from car.train.settings import Progress, TrainSettings

OnRunProgress = Callable[[str, int, Progress], None]
"""Called with the label, the seed and the line of progress of a run."""

_KINDS: Mapping[str, type[CarError]] = {each.__name__: each for each in (UserError, RewardChanged, CarError)}
_LAST_LINES = 15
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Job:
    """One run of several.

    Args:
        label: what to call the runs that differ in their seed alone.
        task: what to learn.
        reward: the folder of a reward bundle, or ``sparse``.
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

    def to_json(self) -> str:
        """The job as text; `Job.from_json` makes it again."""
        plain = {
            "task": self.task.as_dict(),
            "settings": self.settings.as_dict(),
            "folder": str(self.folder),
        }
        return json.dumps({**{name: getattr(self, name) for name in _PLAIN}, **plain})

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """The job in a text."""
        fields = json.loads(text)
        made = {
            "task": Task(**fields["task"]),
            "settings": TrainSettings(**fields["settings"]),
            "folder": Path(fields["folder"]),
        }
        return cls(**{**fields, **made})


_PLAIN = ("label", "reward", "resume", "allow_unreviewed", "isolation")


def kind_of(error: CarError) -> str:
    """The kind of an error, as a process that trains tells it to the one that started it."""
    return next(name for name, kind in _KINDS.items() if isinstance(error, kind))


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
    if at_once < 1:
        raise UserError(f"at_once = {at_once}; at least one run must go on at a time.")
    jobs = [
        Job(label, task, str(reward), dataclasses.replace(settings, seed=seed), folder / label / f"seed-{seed}",
            resume, allow_unreviewed, isolation)
        for label, reward in rewards.items()
        for seed in seeds
    ]  # fmt: skip
    _run_all(jobs, at_once, on_progress or _say_nothing)
    return {label: [result_of(job.folder) for job in jobs if job.label == label] for label in rewards}


def _run_all(jobs: Sequence[Job], at_once: int, on_progress: OnRunProgress) -> None:
    waiting, said = list(jobs), queue.Queue[tuple["_Child", str | None]]()
    running: list[_Child] = []
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.append(_Child(waiting.pop(0), said))
            child, line = said.get()
            if line is None:
                running.remove(child)
                child.end()
            else:
                child.hear(line, on_progress)
    finally:
        _stop(running)


class _Child:
    """A process that trains, and the thread that listens to it.

    It gets a session of its own: a Ctrl-C in the terminal would else reach it beside the signal that we send.
    """

    def __init__(self, job: Job, said: "queue.Queue[tuple[_Child, str | None]]") -> None:
        self.job = job
        self._error: dict[str, Any] | None = None
        self._log = job.folder / "log.txt"
        with _opened(self._log) as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "car.train"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )
        self._ear = threading.Thread(target=self._listen, args=(said,), daemon=True)
        self._ear.start()
        _tell(cast(IO[str], self.process.stdin), job.to_json())

    def _listen(self, said: "queue.Queue[tuple[_Child, str | None]]") -> None:
        with cast(IO[str], self.process.stdout) as stdout:
            for line in stdout:
                said.put((self, line))
        said.put((self, None))

    def hear(self, line: str, on_progress: OnRunProgress) -> None:
        """Passes a line of progress on; keeps an error for the end."""
        fields = json.loads(line)
        if "error" in fields:
            self._error = fields
        else:
            on_progress(self.job.label, self.job.settings.seed, Progress.of(fields["progress"]))

    def end(self) -> None:
        """Waits for the process, which has said all.

        Raises:
            UserError, RewardChanged: it said so.
            CarError: it failed in another way.
        """
        code = self.process.wait()
        self._ear.join()
        if self._error is not None:
            raise _KINDS[self._error["kind"]](self._error["error"])
        if code != 0:
            last = "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            raise CarError(f"The training run in {self.job.folder} {how}. Its last lines:\n{last}")

    def interrupt(self) -> None:
        """Asks the process to save a checkpoint and end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """Ends the process and whatever it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _opened(log: Path) -> IO[bytes]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("wb")
    except OSError as error:
        raise UserError(f"The folder {log.parent} cannot be written: {error.strerror}.") from error


def _tell(stdin: IO[str], text: str) -> None:
    try:
        with stdin:
            stdin.write(text)
    except BrokenPipeError:
        # The process died before it read; its exit code and its last lines say why.
        return


def _stop(running: Sequence[_Child]) -> None:
    """Interrupts the runs that still go on, and kills those that do not end within a while."""
    for child in running:
        child.interrupt()
    for child in running:
        try:
            child.process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.process.wait()


def _say_nothing(label: str, seed: int, line: Progress) -> None:
    pass
