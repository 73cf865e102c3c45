"""The filters of system calls that ship, one for each kind of machine; `tools/seccomp_filter.py` made them."""

import json
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def path_of(machine: str) -> Path | None:
    """The file with the filter for a machine, in the form that the kernel takes; None if there is none for it.

    Args:
        machine: what `platform.machine()` says.
    """
    known = _MACHINES.get(machine.lower())
    return _FOLDER / f"{known}.bpf" if known else None


def name_of(machine: str, number: int) -> str:
    """The name of a system call, e.g. "socket"; "system call 999" if none is known.

    Args:
        machine: what `platform.machine()` says.
        number: its number on that machine.
    """
    names = _names().get(_MACHINES.get(machine.lower(), ""), {})
    return names.get(str(number), f"system call {number}")


@cache
def _names() -> dict[str, dict[str, str]]:
    names: dict[str, dict[str, str]] = json.loads((_FOLDER / "names.json").read_text(encoding="utf-8"))
    return names
