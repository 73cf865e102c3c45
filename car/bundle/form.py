"""What a bundle is, in memory."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from car.checker import Checker, SubTask
from car.frames import Frame
from car.task import Task
from car.verify import Verdict

FORMAT = "car-bundle/1"

MEASURED = "measured.json"
"""The file with what the programs cost, on the machine that verified them; no part of the content."""


@dataclass(frozen=True)
class Provenance:
    """Where the programs came from.

    Args:
        vlm: provider and model, as `VLM.name` gives it.
        models: the models that answered, as the provider names them.
        made: how a recorded session was made, in its own words; "" for a live one.
    """

    vlm: str
    models: tuple[str, ...]
    made: str = ""


@dataclass(frozen=True)
class Approval:
    """A person's decision on a bundle.

    Args:
        decision: ``approved`` or ``rejected``.
        why: the reason; may be empty for an approval.
        manifest_sha256: what was decided on; the decision is void for any other content.
    """

    decision: str
    why: str
    manifest_sha256: str


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle whose files all match its manifest.

    Args:
        path: its folder.
        task: the task that the checkers are for.
        goal: the final goal in one sentence.
        checkers: in the chain's order, the goal last.
        verdict: from the held-out trajectories.
        rehearsal: from the trajectories that refinement saw.
        provenance: where the programs came from.
        frame_shape: (H, W, 3) of the frames that they were verified on.
        frames: the picture by its sha256, the first and the goal frame under ``first`` and ``goal``.
        manifest: the manifest as it stands in the file.
        manifest_sha256: its hash; names the content of the whole bundle.
        approval: a person's decision on just this content, or None.
    """

    path: Path
    task: Task
    goal: str
    checkers: tuple[Checker, ...]
    verdict: Verdict
    rehearsal: Verdict
    provenance: Provenance
    frame_shape: tuple[int, int, int]
    frames: dict[str, Frame]
    manifest: dict[str, Any]
    manifest_sha256: str
    approval: Approval | None

    @property
    def subtasks(self) -> tuple[SubTask, ...]:
        """All sub-tasks that were named, in order; one for which no program was found has no checker."""
        return tuple(
            SubTask(each["name"], each["description"], tuple(each["after"]), each["goal"])
            for each in self.manifest["subtasks"]
        )

    @property
    def refined_on(self) -> frozenset[str]:
        """The hashes of the trajectories that refinement saw; a verdict on them proves nothing."""
        return frozenset(self.manifest["trajectories"]["refine"])

    @property
    def approved(self) -> bool:
        """Whether a person approved just this content."""
        return self.approval is not None and self.approval.decision == "approved"


def as_json(value: Any) -> str:
    """The value as a bundle's files hold it."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes, as hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
