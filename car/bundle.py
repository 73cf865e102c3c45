"""The reward bundle: a folder with the checkers, the verdict, every attempt and the approval.

::

    generated_rewards/<task>/
        manifest.json       format, task, sub-tasks, VLM, hashes of trajectories, versions, sha256 of every file below
        verdict.json        what verification found on the held-out trajectories; rehearsal.json on the others
        checkers/01-<sub-task>.py ...
        attempts/01-<stage>-<sub-task>-<attempt>/prompt.md, reply.md, outcome.json
        frames/<sha256>.png every picture that was shown to the VLM, in its original size
        approval.json       a person's decision; binds to the manifest's sha256, not part of it
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from car.checker import Checker, SubTask
from car.errors import BadBundle, CarError, UnknownName
from car.files import write_text
from car.frames import Frame, digest, read_picture, to_png
from car.refine import Attempt, Draft
from car.task import Task
from car.trajectory import Trajectory
from car.verify import Verdict
from car.verify.verdict import verdict_from
from car.vlm import Picture, Request

FORMAT = "car-bundle/1"
_VERSIONS = ("code-as-reward", "numpy", "opencv-python", "gymnasium", "minigrid")


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
    def approved(self) -> bool:
        """Whether a person approved just this content."""
        return self.approval is not None and self.approval.decision == "approved"


def save_bundle(
    folder: Path, task: Task, draft: Draft, provenance: Provenance, trajectories: Sequence[Trajectory]
) -> Path:
    """Writes a bundle to `<folder>/<task>` so that it is whole or not there; one that was there is replaced.

    Raises:
        OSError: the disk is full or the folder cannot be written; a bundle that was there is untouched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / task.name
    made = Path(tempfile.mkdtemp(dir=folder, prefix=f".{task.name}."))
    try:
        made.chmod(0o755)
        _write(made, task, draft, provenance, trajectories)
        _swap(made, target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def _swap(made: Path, target: Path) -> None:
    """Puts the new folder in the old one's place; a crash in between leaves the old one beside it."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    made.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _write(made: Path, task: Task, draft: Draft, provenance: Provenance, trajectories: Sequence[Trajectory]) -> None:
    shown: dict[str, Frame] = {digest(frame): frame for frame in (draft.scene.first, draft.scene.goal)}
    for number, attempt in enumerate(draft.attempts, 1):
        _write_attempt(made / "attempts", number, attempt, shown)
    names = [_checker_file(number, checker) for number, checker in enumerate(draft.checkers, 1)]
    for name, checker in zip(names, draft.checkers, strict=True):
        write_text(made / name, checker.source)
    for sha, frame in shown.items():
        (made / "frames").mkdir(exist_ok=True)
        (made / "frames" / f"{sha}.png").write_bytes(to_png(frame))
    write_text(made / "verdict.json", _json(draft.verdict.as_dict()))
    write_text(made / "rehearsal.json", _json(draft.rehearsal.as_dict()))
    manifest = {
        "format": FORMAT,
        "task": task.as_dict(),
        "goal": draft.decomposition.goal,
        "subtasks": [asdict(each) for each in draft.decomposition.subtasks],
        "checkers": [{"subtask": c.subtask.name, "file": n} for n, c in zip(names, draft.checkers, strict=True)],
        "first_frame": digest(draft.scene.first),
        "goal_frame": digest(draft.scene.goal),
        "provenance": asdict(provenance),
        "requests": [each.request.sha256 for each in draft.attempts],
        "usage": asdict(draft.usage),
        "trajectories": trajectories_digest(trajectories),
        "versions": {name: version(name) for name in _VERSIONS},
        "files": {str(path.relative_to(made)): _sha256(path) for path in sorted(made.rglob("*")) if path.is_file()},
    }
    write_text(made / "manifest.json", _json(manifest))


def _write_attempt(folder: Path, number: int, attempt: Attempt, shown: dict[str, Frame]) -> None:
    request = attempt.request
    subject = f"-{request.subject}" if request.subject else ""
    where = folder / f"{number:02d}-{request.stage}{subject}-{request.attempt}"
    write_text(where / "prompt.md", _prompt_page(request, shown))
    write_text(where / "reply.md", attempt.reply.text)
    outcome = {
        "request_sha256": request.sha256,
        "finish": attempt.reply.finish,
        "model": attempt.reply.model,
        "note": attempt.reply.note,
        "usage": asdict(attempt.reply.usage),
        "used": not attempt.complaints,
        "rules": attempt.rules,
        "complaints": attempt.complaints,
    }
    write_text(where / "outcome.json", _json(outcome))


def _prompt_page(request: Request, shown: dict[str, Frame]) -> str:
    lines = [request.system]
    for part in request.parts:
        if isinstance(part, Picture):
            frame = part.frame if part.original is None else part.original
            shown.setdefault(digest(frame), frame)
            lines.append(f"![{part.caption}](../../frames/{digest(frame)}.png)")
        else:
            lines.append(part)
    return "\n\n".join(lines) + "\n"


def _checker_file(number: int, checker: Checker) -> str:
    return f"checkers/{number:02d}-{checker.subtask.name}.py"


def trajectories_digest(trajectories: Sequence[Trajectory]) -> str:
    """One hash over the contents of all trajectories, whatever their order."""
    return hashlib.sha256("\n".join(sorted(each.sha256() for each in trajectories)).encode()).hexdigest()


def load_bundle(path: Path | str) -> Bundle:
    """The bundle in a folder.

    Raises:
        BadBundle: no such folder, damaged, of another format, or a file that does not match the manifest.
    """
    path = Path(path)
    manifest = _read_manifest(path)
    _check_files(path, manifest)
    try:
        return _built(path, manifest)
    except (KeyError, TypeError, ValueError, IndexError, CarError) as error:
        raise BadBundle(f"The bundle {path} is damaged: {type(error).__name__}: {error}.") from error


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise BadBundle(f"There is no reward bundle at {path}; make one with `car generate`.") from error
    except ValueError as error:
        raise BadBundle(f"{path / 'manifest.json'} is not JSON: {error}.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadBundle(f"{path / 'manifest.json'} does not have the format {FORMAT!r} that this version reads.")
    return manifest


def _check_files(path: Path, manifest: dict[str, Any]) -> None:
    listed = manifest.get("files")
    if not isinstance(listed, dict):
        raise BadBundle(f"{path / 'manifest.json'} lists no files.")
    there = {str(each.relative_to(path)) for each in path.rglob("*") if each.is_file()}
    there -= {"manifest.json", "approval.json", "review.html"}
    wrong = [f"{name} is missing" for name in sorted(set(listed) - there)]
    wrong += [f"{name} is not in the manifest" for name in sorted(there - set(listed)) if "__pycache__" not in name]
    wrong += [f"{name} was changed" for name in sorted(there & set(listed)) if _sha256(path / name) != listed[name]]
    if wrong:
        raise BadBundle(
            f"The bundle {path} does not match its manifest: {'; '.join(wrong[:5])}. Restore it, or generate it again."
        )


def _built(path: Path, manifest: dict[str, Any]) -> Bundle:
    subtasks = {
        each["name"]: SubTask(each["name"], each["description"], tuple(each["after"]), each["goal"])
        for each in manifest["subtasks"]
    }
    checkers = tuple(
        Checker(subtasks[each["subtask"]], (path / each["file"]).read_text(encoding="utf-8"))
        for each in manifest["checkers"]
    )
    frames = {each.stem: read_picture(each) for each in sorted((path / "frames").glob("*.png"))}
    frames |= {"first": frames[manifest["first_frame"]], "goal": frames[manifest["goal_frame"]]}
    given = manifest["provenance"]
    sha256 = _sha256(path / "manifest.json")
    height, width, channels = frames["first"].shape
    return Bundle(
        path=path,
        task=Task(**manifest["task"]),
        goal=manifest["goal"],
        checkers=checkers,
        verdict=verdict_from(_load(path / "verdict.json")),
        rehearsal=verdict_from(_load(path / "rehearsal.json")),
        provenance=Provenance(given["vlm"], tuple(given["models"]), given["made"]),
        frame_shape=(height, width, channels),
        frames=frames,
        manifest=manifest,
        manifest_sha256=sha256,
        approval=_approval(path, sha256),
    )


def _approval(path: Path, manifest_sha256: str) -> Approval | None:
    if not (path / "approval.json").exists():
        return None
    given = Approval(**_load(path / "approval.json"))
    return given if given.manifest_sha256 == manifest_sha256 else None


def decide(bundle: Bundle, decision: str, why: str = "") -> Approval:
    """Records a person's decision, ``approved`` or ``rejected``, on just this content of the bundle."""
    approval = Approval(decision, why, bundle.manifest_sha256)
    write_text(bundle.path / "approval.json", _json(asdict(approval)))
    return approval


def list_bundles(folder: Path) -> list[Path]:
    """The folders below `folder` that hold a bundle, by name."""
    return sorted(each.parent for each in folder.glob("*/manifest.json"))


def find_bundle(name: str, folder: Path) -> Path:
    """The folder of a bundle, from its path or from the name of its task.

    Raises:
        UnknownName: there is none; the message lists those that there are.
    """
    for path in (Path(name), folder / name):
        if (path / "manifest.json").exists():
            return path
    raise UnknownName("reward bundle", name, [str(each) for each in list_bundles(folder)])


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
