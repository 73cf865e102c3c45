"""The folder of one training run: what was asked, how it went, and where to go on."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from car.errors import UserError
from car.files import write_text
from car.sandbox.isolation import Isolation
from car.train.checkout import checkouts
from car.train.settings import WINDOW, Progress, TrainSettings

FORMAT = "car-run/1"
KEPT_CHECKPOINTS = 3
_PACKAGES = (
    "code-as-reward", "stable-baselines3", "torch", "gymnasium", "minigrid", "numpy", "opencv-python", "transformers"
)  # fmt: skip


class RunFolder:
    """Where one run keeps its settings, progress, checkpoints and final policy.

    Args:
        path: the folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = path / "settings.json"
        self.progress = path / "progress.jsonl"
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"
        self.policy = path / "policy.zip"
        self.curve = path / "curve.png"
        self.reward = path / "reward"
        self.repeat = path / "repeat.txt"
        self.stopped = path / "stopped.txt"

    @property
    def finished(self) -> bool:
        """Whether the run has reached all of its steps; the policy is the last file that a run writes."""
        return self.policy.exists()

    def check(self, asked: Mapping[str, Any], resume: bool) -> None:
        """Checks that the folder is free, or that its run is the one that is asked for.

        Args:
            asked: the ``task``, ``reward`` and ``settings`` of the run, JSON-serialisable.
            resume: whether a run that is already there shall go on.

        Raises:
            UserError: there is a run and `resume` is off, or it was asked for something else; says which field. Also if
                the run was stopped because its reward changed.
        """
        if not self.settings.exists():
            return
        if not resume:
            raise UserError(f"{self.path} already holds a training run; resume it, or name another folder.")
        before = {**_DEFAULTS, **dict(_flat(self.read_settings()))}
        for field, value in _flat(asked):
            if before.get(field) != value:
                raise UserError(
                    f"The run in {self.path} has {field} = {before.get(field)!r}, not {value!r}; ask for the same, or "
                    "name another folder."
                )
        if (reason := self.why_stopped()) is not None:
            raise UserError(
                f"The run in {self.path} was stopped. {reason} Then train in another folder; to go on here all the "
                f"same, delete {self.stopped}."
            )

    def stop(self, reason: str) -> None:
        """Notes that the run shall not go on as it is."""
        write_text(self.stopped, reason + "\n")

    def why_stopped(self) -> str | None:
        """Why the run shall not go on; None if it may."""
        return self.stopped.read_text(encoding="utf-8").strip() if self.stopped.exists() else None

    def check_isolation(self, isolation: Isolation | None) -> None:
        """Checks that a run does not go on with its programs held less well than before.

        Raises:
            UserError: it would.
        """
        if not self.settings.exists():
            return
        before = (self.read_settings().get("isolation") or {}).get("level", 0)
        if isolation is not None and isolation.level < before:
            raise UserError(
                f"The run in {self.path} was begun at isolation level {before}, and here its programs would run at "
                f"{isolation} Go on with it where it was begun, or name another folder."
            )

    def describe(self, asked: Mapping[str, Any], isolation: Isolation | None = None) -> None:
        """Writes what is asked, with versions, commits, machine and how programs are isolated, unless it is there.

        Raises:
            UserError: the folder cannot be written.
        """
        if self.settings.exists():
            return
        about = {"format": FORMAT, **asked, "versions": _versions(), "machine": _machine()}
        about |= {"git": checkouts(), "isolation": isolation.as_dict() if isolation else None}
        try:
            write_text(self.settings, json.dumps(about, indent=2, sort_keys=True) + "\n")
        except OSError as error:
            raise UserError(f"The folder {self.path} cannot be written: {error.strerror}.") from error

    def read_settings(self) -> dict[str, Any]:
        """What the run was asked, with versions and machine.

        Raises:
            UserError: there is no run, or its settings are damaged or of another format.
        """
        try:
            about: dict[str, Any] = json.loads(self.settings.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"There is no training run in {self.path} ({error.strerror}: settings.json).") from error
        except ValueError as error:
            raise UserError(f"{self.settings} is damaged ({error}); start the run again in another folder.") from error
        if about.get("format") != FORMAT:
            raise UserError(f"{self.settings} has the format {about.get('format')!r}; this version reads {FORMAT!r}.")
        return about

    def lines(self) -> list[Progress]:
        """The run's progress so far; a last line that was cut off while it was written is left out.

        Raises:
            UserError: the file is damaged anywhere else.
        """
        if not self.progress.exists():
            return []
        raw = self.progress.read_text(encoding="utf-8").split("\n")
        try:
            return [Progress.of(json.loads(line)) for line in raw[:-1]]
        except (ValueError, TypeError) as error:
            raise UserError(f"{self.progress} is damaged ({error}); start the run again in another folder.") from error

    def append(self, line: Progress) -> None:
        """Adds one line of progress."""
        with self.progress.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line.as_dict()) + "\n")

    def cut(self, steps: int) -> list[Progress]:
        """Drops the progress after a number of steps, where a checkpoint lies, and gives what remains."""
        kept = [line for line in self.lines() if line.steps <= steps]
        write_text(self.progress, "".join(json.dumps(line.as_dict()) + "\n" for line in kept))
        return kept

    def checkpoint(self, steps: int) -> Path:
        """The file of the checkpoint at a number of steps."""
        return self.checkpoints / f"step-{steps}.zip"

    def latest_checkpoint(self) -> tuple[int, Path] | None:
        """The steps and the file of the last checkpoint; None before the first."""
        return max(self._by_steps(), default=None)

    def prune(self) -> None:
        """Deletes all checkpoints but the last few."""
        for _, path in sorted(self._by_steps())[:-KEPT_CHECKPOINTS]:
            path.unlink(missing_ok=True)

    def _by_steps(self) -> Iterator[tuple[int, Path]]:
        for path in self.checkpoints.glob("step-*.zip"):
            number = path.stem.removeprefix("step-")
            if number.isdecimal():
                yield int(number), path


def steps_to(folder: Path, share: float = 0.9) -> int | None:
    """The first number of steps at which the success over the last 100 training episodes reached a share.

    Args:
        folder: of a run.
        share: 0 to 1.

    Returns:
        The steps, to the precision of one progress line (a rollout); None if 100 episodes never reached the share.
    """
    for line in RunFolder(folder).lines():
        if line.episodes >= WINDOW and line.train_success is not None and line.train_success >= share:
            return line.steps
    return None


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its dotted name; where a reward's files lie does not matter, only what they are."""
    for name, value in json.loads(json.dumps(fields)).items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        elif f"{prefix}{name}" != "reward.path":
            yield f"{prefix}{name}", value


# A run that was begun before there was a setting went by its default.
_DEFAULTS = dict(_flat({"settings": TrainSettings().as_dict()}))


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _machine() -> dict[str, Any]:
    return {"cpus": os.cpu_count(), "platform": platform.platform()}
