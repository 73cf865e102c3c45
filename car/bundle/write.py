"""Writes a bundle, whole or not at all."""

import json
import shutil
import tempfile
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from car.bundle.form import FORMAT, MEASURED, Provenance, as_json, sha256_of
from car.checker import Checker, program_in
from car.files import write_text
from car.frames import Frame, digest, to_png
from car.refine import Attempt, Draft, decomposition_in
from car.task import Task
from car.vlm import Measured, Picture, Request

_VERSIONS = ("code-as-reward", "numpy", "opencv-python", "gymnasium", "minigrid")


def save_bundle(folder: Path, task: Task, draft: Draft, provenance: Provenance) -> Path:
    """Writes a bundle to `<folder>/<task>` so that it is whole or not there; one that was there is replaced.

    A decision on just the same content is carried over. A bundle with other content on which a person has decided is
    not lost: it is kept beside the new one, under the first letters of its hash.

    Raises:
        OSError: the disk is full or the folder cannot be written; a bundle that was there is untouched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / task.name
    made = Path(tempfile.mkdtemp(dir=folder, prefix=f".{task.name}."))
    try:
        made.chmod(0o755)
        _write(made, task, draft, provenance)
        _swap(made, target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def take_in(made: Path, folder: Path) -> Path:
    """Puts a bundle that `save_bundle` wrote elsewhere on the same disk into a folder, as if it had been written there.

    Raises:
        OSError: it cannot be moved; a bundle that was there is untouched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _swap(made, folder / made.name)
    return folder / made.name


def _swap(made: Path, target: Path) -> None:
    """Puts the new folder in the old one's place; a crash in between leaves the old one beside it."""
    old = target.with_name(f".{target.name}.old")
    if old.exists() and not target.exists():
        old.rename(target)
    if target.exists():
        shutil.rmtree(old, ignore_errors=True)
        _keep_decision(made, target)
    if target.exists():
        target.rename(old)
    try:
        made.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _keep_decision(made: Path, target: Path) -> None:
    """Carries a person's decision over to the same content, or puts the bundle that it is about aside.

    A verified bundle on which nobody has decided is put aside too, if what takes its place is not verified.
    """
    decision, manifest = target / "approval.json", target / "manifest.json"
    if not manifest.exists() or not (decision.exists() or (_verified(target) and not _verified(made))):
        return
    sha256 = sha256_of(manifest)
    if sha256 == sha256_of(made / "manifest.json"):
        shutil.copy(decision, made / "approval.json")
        return
    aside = target.with_name(f"{target.name}.{sha256[:8]}")
    if not aside.exists():
        target.rename(aside)


def _verified(bundle: Path) -> bool:
    try:
        return json.loads((bundle / "verdict.json").read_text(encoding="utf-8"))["accepted"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write(made: Path, task: Task, draft: Draft, provenance: Provenance) -> None:
    shown: dict[str, Frame] = {digest(frame): frame for frame in (draft.scene.first, draft.scene.goal)}
    for number, attempt in enumerate(draft.attempts, 1):
        _write_attempt(made / "attempts", number, attempt, _used(attempt, draft), shown)
    names = [_checker_file(number, checker) for number, checker in enumerate(draft.checkers, 1)]
    for name, checker in zip(names, draft.checkers, strict=True):
        write_text(made / name, checker.source)
    for sha, frame in shown.items():
        (made / "frames").mkdir(exist_ok=True)
        (made / "frames" / f"{sha}.png").write_bytes(to_png(frame))
    write_text(made / "verdict.json", as_json(draft.verdict.without_times().as_dict()))
    write_text(made / "rehearsal.json", as_json(draft.rehearsal.as_dict()))
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
        "calls": len(draft.attempts),
        "usage": asdict(draft.usage),
        "cost": {"amount": None if draft.cost is None else round(draft.cost, 6), "prices": draft.prices},
        "trajectories": {"refine": sorted(draft.refined_on), "verdict": sorted(draft.judged_on)},
        "versions": {name: _version(name) for name in _VERSIONS},
        "files": {str(path.relative_to(made)): sha256_of(path) for path in sorted(made.rglob("*")) if path.is_file()},
    }
    write_text(made / "manifest.json", as_json(manifest))
    # Apart from what the manifest vouches for: times differ from run to run, and a decision must not be void for that.
    write_text(made / MEASURED, as_json([asdict(each) for each in draft.verdict.times]))


def _used(attempt: Attempt, draft: Draft) -> bool:
    """Whether what the reply holds is in the result: a right program may have lost to a better or faster one."""
    if attempt.complaints or attempt.request.stage == "goal":
        return not attempt.complaints
    if attempt.request.stage == "subtasks":
        return decomposition_in(attempt.reply.text) == draft.decomposition
    return program_in(attempt.reply.text) in [each.source for each in draft.checkers]


def _write_attempt(folder: Path, number: int, attempt: Attempt, used: bool, shown: dict[str, Frame]) -> None:
    request = attempt.request
    subject = f"-{request.subject}" if request.subject else ""
    where = folder / f"{number:02d}-{request.stage}{subject}-{request.attempt}"
    write_text(where / "prompt.md", _prompt_page(request, shown))
    # Half of a character pair cannot be written as UTF-8, and must not cost the bundle.
    write_text(where / "reply.md", attempt.reply.text.encode("utf-8", "backslashreplace").decode("utf-8"))
    outcome = {
        "request_sha256": request.sha256,
        "finish": attempt.reply.finish,
        "model": attempt.reply.model,
        "note": attempt.reply.note,
        "usage": asdict(attempt.reply.usage),
        "used": used,
        "rules": attempt.rules,
        "complaints": attempt.complaints,
    }
    write_text(where / "outcome.json", as_json(outcome))


def _prompt_page(request: Request, shown: dict[str, Frame]) -> str:
    lines = [request.system]
    for part in request.parts:
        if isinstance(part, Picture):
            frame = part.frame if part.original is None else part.original
            shown.setdefault(digest(frame), frame)
            lines.append(f"![{part.caption}](../../frames/{digest(frame)}.png)")
        elif isinstance(part, Measured):
            # Times differ from run to run, and equal replies must give equal bundles.
            lines.append("(Here stood what was measured of the program's time, line by line.)")
        else:
            lines.append(part)
    return "\n\n".join(lines) + "\n"


def _checker_file(number: int, checker: Checker) -> str:
    return f"checkers/{number:02d}-{checker.subtask.name}.py"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed under this name"
