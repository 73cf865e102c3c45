"""The state of the code that a run was made with, where it comes from a git checkout."""

import os
import subprocess
from pathlib import Path
from typing import Any

import car

_SECONDS = 10.0


def checkouts() -> dict[str, Any]:
    """The commits that are checked out where this package lies, and in the current folder.

    Returns:
        For ``car`` and for ``here`` the ``commit`` and whether it is ``dirty``: of the package, whether any file in it
        differs from the commit or is not in it; of the current folder, whether a file that git knows differs. None
        where there is no checkout, or no git.
    """
    return {
        "car": _state(Path(car.__file__).parent, "--untracked-files=normal"),
        "here": _state(Path.cwd(), "--untracked-files=no"),
    }


def _state(folder: Path, untracked: str) -> dict[str, Any] | None:
    commit = _git(folder, "rev-parse", "HEAD")
    # An ignored folder, such as an installation inside of someone's checkout, is no part of that.
    if not commit or _git(folder, "check-ignore", "--quiet", ".") is not None:
        return None
    changes = _git(folder, "status", "--porcelain", untracked, "--", ".")
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None if it fails. It writes nothing, and leaves no process behind."""
    command = ["git", "-c", "core.fsmonitor=false", *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        said = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() if said.returncode == 0 else None
