"""What a run keeps so that it can be repeated: a copy of its bundle, which may be generated anew, and the command."""

import hashlib
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from car.bundle import load_bundle
from car.errors import BadBundle, UserError
from car.files import write_text
from car.sandbox.isolation import REQUIRED, Isolation
from car.train.folder import RunFolder

_LEFT_OUT = ("review.html", "__pycache__", ".*")


def sha256_of(bundle: Path) -> str | None:
    """The sha256 of a bundle's manifest, which names the hash of every file in it; None if there is none."""
    manifest = bundle / "manifest.json"
    return hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else None


def keep(run: RunFolder, identity: Mapping[str, Any], isolation: Isolation | None) -> None:
    """Puts a copy of the bundle into a run's folder, and the command that repeats the run.

    Args:
        run: whose folder.
        identity: of its reward, as settings.json has it.
        isolation: of its programs.

    Raises:
        BadBundle: the bundle was changed since the run was asked for.
        UserError: the folder cannot be written.
    """
    words = ["car", "repeat", str(run.path), "--out", f"{run.path}-again"]
    try:
        if identity["kind"] == "bundle":
            _keep_bundle(Path(identity["path"]), identity["sha256"], run.reward)
            words += ["--allow-unreviewed"] * (not load_bundle(run.reward).approved)
        if isolation is not None and isolation.level < REQUIRED:
            words += ["--isolation", str(isolation.level)]
        write_text(run.repeat, shlex.join(words) + "\n")
    except OSError as error:
        raise UserError(f"The folder {run.path} cannot be written: {error.strerror}.") from error


def _keep_bundle(bundle: Path, sha256: str, copy: Path) -> None:
    """Copies a bundle, whole or not at all; a copy that is there already stays."""
    if sha256_of(copy) == sha256:
        return
    copy.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=copy.parent, prefix=f".{copy.name}."))
    try:
        made.chmod(0o755)
        shutil.copytree(bundle, made, ignore=shutil.ignore_patterns(*_LEFT_OUT), dirs_exist_ok=True)
        if sha256_of(made) != sha256:
            raise BadBundle(f"The bundle {bundle} was changed while the run began; start the run again.")
        shutil.rmtree(copy, ignore_errors=True)
        made.rename(copy)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def reward_in(identity: Mapping[str, Any], copy: Path) -> Path | str:
    """The reward that a run was trained with, as `train` takes it.

    Args:
        identity: what settings.json says of it.
        copy: where the run keeps the bundle, if it was one; the bundle that was copied serves as well.

    Raises:
        UserError: it was a live object, or the bundle has gone or was changed.
    """
    if identity["kind"] == "live":
        raise UserError(f"The reward {identity['name']!r} of this run was an object in a program, and is not kept.")
    if identity["kind"] != "bundle":
        return str(identity.get("maker", identity["kind"]))
    there = [path for path in (copy, Path(identity["path"])) if (path / "manifest.json").is_file()]
    for path in there:
        if sha256_of(path) == identity["sha256"]:
            return path
    happened = f"{there[0]} was changed since" if there else f"neither {copy} nor {identity['path']} is there any more"
    raise UserError(f"The bundle of this run cannot be used: {happened}.")
