"""What this machine can do: packages, templates, the sandbox, keys."""

import os
import platform
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from car.checker import Checker, SubTask
from car.errors import CarError
from car.keys import masked
from car.prompts import template_folder
from car.sandbox import Ran, Sandbox
from car.sandbox.canary import too_weak
from car.sandbox.isolation import REQUIRED, Layer
from car.sandbox.process import ProcessSandbox

_PACKAGES = ("numpy", "opencv-python", "gymnasium", "minigrid", "stable-baselines3", "torch", "openai", "anthropic")
_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")
_PROBE = """
import cv2
import numpy as np


def check(found, current):
    mask = cv2.inRange(current, (200, 0, 0), (255, 60, 60))
    return bool(np.count_nonzero(mask) == 16)
"""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: what.
        fine: whether it works; None if it is only worth knowing.
        said: the finding, and what to do if it is not fine.
        part_of: the finding that this one is a detail of; "" if it stands for itself.
        details: the same for machines, where it is more than a sentence.
    """

    name: str
    fine: bool | None
    said: str
    part_of: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def examine() -> list[Finding]:
    """Looks at everything that the commands need; never raises for what it finds."""
    looks: tuple[Callable[[], list[Finding]], ...] = (_python, _packages, _templates, _sandbox, _keys, _settings)
    return [finding for look in looks for finding in look()]


def _python() -> list[Finding]:
    return [Finding("python", True, f"{platform.python_version()} on {platform.system()} {platform.machine()}")]


def _packages() -> list[Finding]:
    found = []
    for name in _PACKAGES:
        try:
            found.append(Finding(name, True, version(name)))
        except PackageNotFoundError:
            found.append(Finding(name, False, f"not installed: pip install {name}"))
    return found


def _templates() -> list[Finding]:
    count = len(list(template_folder().glob("*.j2")))
    return [Finding("prompts", count > 0, f"{count} templates" if count else "none found: install the package again")]


def _sandbox() -> list[Finding]:
    sandbox = ProcessSandbox(at_least=0)
    try:
        isolation = sandbox.isolation
        fine, said = _ran(sandbox)
    except CarError as error:
        return [Finding("sandbox", False, str(error))]
    enough = isolation.level >= REQUIRED
    level = str(isolation).removeprefix("isolation ") if enough else too_weak(isolation, REQUIRED)
    layers = [Finding(layer, None, isolation.layers.get(layer, "not in force here"), "isolation") for layer in Layer]
    return [Finding("sandbox", fine, said), Finding("isolation", enough, level, details=isolation.as_dict()), *layers]


def _ran(sandbox: Sandbox) -> tuple[bool, str]:
    frame = np.zeros((1, 32, 32, 3), np.uint8)
    frame[0, 4:8, 4:8, 0] = 255
    probe = Checker(SubTask("probe", "A red square is there."), _PROBE)
    with sandbox.open([probe]) as session:
        outcome = session.run(frame[0], frame).outcome(0, 0)
    fine = isinstance(outcome, Ran) and outcome.done
    return fine, "a checker ran in a process of its own" if fine else f"a checker failed: {outcome}"


def _keys() -> list[Finding]:
    said = {True: "set", False: "not set; `--vlm manual` and `--vlm replay/FILE` need none"}
    return [Finding(name, None, said[bool(os.environ.get(name))]) for name in _KEYS]


def _settings() -> list[Finding]:
    """The file of defaults; the command line has refused it before where it cannot be used."""
    named = os.environ.get("CAR_CONFIG")
    path = Path(named or "car.toml")
    if not named and not path.exists():
        return [Finding("car.toml", None, "none")]
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        return [Finding("car.toml", False, f"{path} cannot be read: {error}")]
    return [Finding("car.toml", None, f"{path}: {masked(_pairs(document)) or 'sets nothing'}")]


def _pairs(document: dict[str, Any]) -> str:
    return ", ".join(
        f"[{key}] {_pairs(value)}" if isinstance(value, dict) else f"{key} = {value}" for key, value in document.items()
    )
