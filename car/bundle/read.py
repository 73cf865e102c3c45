"""Reads a bundle, refuses one whose files do not match, and records a person's decision."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from car.bundle.form import FORMAT, MEASURED, Approval, Bundle, Provenance, as_json, sha256_of
from car.checker import Checker, SubTask
from car.errors import BadBundle, CarError, UnknownName
from car.files import write_text
from car.frames import read_picture
from car.task import Task
from car.verify import Probe, Verdict
from car.verify.verdict import COST, verdict_from

_WRONG = (KeyError, TypeError, ValueError, IndexError, AttributeError)


def load_bundle(path: Path | str) -> Bundle:
    """The bundle in a folder.

    Raises:
        BadBundle: no such folder, damaged, of another format, or a file that does not match the manifest.
    """
    path = Path(path)
    manifest = _read_manifest(path)
    try:
        _check_files(path, manifest)
        return _built(path, manifest)
    except BadBundle:
        raise
    except OSError as error:
        raise BadBundle(f"{error.filename or path} cannot be read: {error.strerror}.") from error
    except (*_WRONG, CarError) as error:
        raise BadBundle(
            f"{path / 'manifest.json'} does not describe a bundle ({_words(error)}); generate it again."
        ) from error


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
    there -= {"manifest.json", "approval.json", "review.html", MEASURED}
    wrong = [f"{name} is missing" for name in sorted(set(listed) - there)]
    wrong += [
        f"{name} is not in the manifest"
        for name in sorted(there - set(listed))
        if "__pycache__" not in Path(name).parts
    ]
    wrong += [f"{name} was changed" for name in sorted(there & set(listed)) if sha256_of(path / name) != listed[name]]
    if wrong:
        raise BadBundle(
            f"The bundle {path} does not match its manifest: {'; '.join(wrong[:5])}. Restore it, or generate it again."
        )


def _built(path: Path, manifest: dict[str, Any]) -> Bundle:
    subtasks = {each["name"]: _subtask(each) for each in manifest["subtasks"]}
    checkers = tuple(
        Checker(subtasks[each["subtask"]], _listed(path, each["file"], manifest).read_text(encoding="utf-8"))
        for each in manifest["checkers"]
    )
    if not checkers or not isinstance(manifest["goal"], str):
        raise ValueError("it needs at least one checker, and the goal as text")
    frames = {each.stem: read_picture(each) for each in sorted((path / "frames").glob("*.png"))}
    frames |= {"first": frames[manifest["first_frame"]], "goal": frames[manifest["goal_frame"]]}
    given = manifest["provenance"]
    sha256 = sha256_of(path / "manifest.json")
    height, width, channels = frames["first"].shape
    return Bundle(
        path=path,
        task=Task(**manifest["task"]),
        goal=manifest["goal"],
        checkers=checkers,
        verdict=_verdict(path / "verdict.json", checkers).with_probes(_times(path / MEASURED)),
        rehearsal=_verdict(path / "rehearsal.json", checkers),
        provenance=Provenance(given["vlm"], tuple(given["models"]), given["made"]),
        frame_shape=(height, width, channels),
        frames=frames,
        manifest=manifest,
        manifest_sha256=sha256,
        approval=_approval(path, sha256),
    )


def _subtask(given: dict[str, Any]) -> SubTask:
    after = given["after"]
    if not isinstance(given["description"], str) or not isinstance(given["goal"], bool):
        raise ValueError(f"the description or the goal of {given['name']!r}")
    if not isinstance(after, list) or not all(isinstance(each, str) for each in after):
        raise ValueError(f"what {given['name']!r} comes after")
    return SubTask(given["name"], given["description"], tuple(after), given["goal"])


def _listed(path: Path, name: str, manifest: dict[str, Any]) -> Path:
    """A file of the bundle; one that the manifest does not vouch for, or that lies elsewhere, is none."""
    if name not in manifest["files"]:
        raise ValueError(f"{name!r} is not among its files")
    return path / name


def _verdict(path: Path, checkers: Sequence[Checker]) -> Verdict:
    try:
        verdict = verdict_from(_load(path))
    except _WRONG as error:
        raise BadBundle(f"{path} is not a verdict ({_words(error)}); generate the bundle again.") from error
    judged = [each.checker_sha256 for each in verdict.subtasks]
    if judged and judged != [each.sha256 for each in checkers]:
        raise BadBundle(f"{path} is the verdict on other programs than those in checkers/; generate the bundle again.")
    return verdict


def _times(path: Path) -> tuple[Probe, ...]:
    if not path.exists():
        return ()
    try:
        times = tuple(Probe(**each) for each in _load(path))
        if any(each.name != COST or each.strict or not isinstance(each.values, dict) for each in times):
            raise ValueError("a probe that is not one of cost")
    except _WRONG as error:
        raise BadBundle(f"{path} is not what programs cost ({_words(error)}); remove it.") from error
    return times


def _words(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _approval(path: Path, manifest_sha256: str) -> Approval | None:
    if not (path / "approval.json").exists():
        return None
    try:
        given = Approval(**_load(path / "approval.json"))
        if given.decision not in ("approved", "rejected") or not isinstance(given.why, str):
            raise ValueError(f"the decision {given.decision!r}")
    except _WRONG as error:
        raise BadBundle(
            f"{path / 'approval.json'} is not a decision ({_words(error)}); remove it and review the bundle again."
        ) from error
    return given if given.manifest_sha256 == manifest_sha256 else None


def decide(bundle: Bundle, decision: str, why: str = "") -> Approval:
    """Records a person's decision, ``approved`` or ``rejected``, on just this content of the bundle."""
    approval = Approval(decision, why, bundle.manifest_sha256)
    write_text(bundle.path / "approval.json", as_json(asdict(approval)))
    return approval


def list_bundles(folder: Path) -> list[Path]:
    """The folders below `folder` that hold a bundle, by name."""
    return sorted(each.parent for each in folder.glob("*/manifest.json") if not each.parent.name.startswith("."))


def label_of(path: str | Path) -> str:
    """What to call the runs with the bundle in a folder: its path as a name for other folders."""
    return ".".join(part for part in Path(path).parts if part not in ("/", ".", ".."))


def find_bundle(name: str, folder: Path) -> Path:
    """The folder of a bundle, from its path or from the name of its task.

    Raises:
        UnknownName: there is none; the message lists those that there are.
        BadBundle: the folder is there, but it has no manifest.
    """
    for path in (Path(name), folder / name):
        if (path / "manifest.json").exists():
            return path
        if (path / "checkers").is_dir():
            raise BadBundle(f"The bundle {path} has no manifest.json. Restore it, or generate it again.")
    raise UnknownName("reward bundle", name, [str(each) for each in list_bundles(folder)])


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
