"""Prompt templates: the words around a task."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from car.errors import UserError

SLOT = "[TASK]"

TEMPLATES: Mapping[str, str] = {
    "plain": SLOT,
    "open": f"Open {SLOT}",
    "open-app": f"Open the {SLOT} app",
    "screenshot": f"Screenshot of {SLOT}",
    "screenshot-android": f"Screenshot of {SLOT} on Android",
}
"""The task as it is, and the four templates of Baumli et al. (2023, figure 5)."""


def templates_of(names: Sequence[str]) -> tuple[str, ...]:
    """The templates that are meant.

    Args:
        names: each a key of `TEMPLATES`, a template that has ``[TASK]`` in it, or the path of a file with one template
            a line.

    Raises:
        UserError: one is none of these, or a line of a file has no ``[TASK]``.
    """
    found: list[str] = []
    for name in names or ("plain",):
        if name in TEMPLATES:
            found.append(TEMPLATES[name])
        elif SLOT in name:
            found.append(name)
        else:
            found += _in_file(name)
    return tuple(dict.fromkeys(found))


def filled(template: str, task: str) -> str:
    """The template with a task in it."""
    return template.replace(SLOT, task)


def lines_of(path: Path, what: str) -> list[str]:
    """The lines of a text file that are not empty.

    Raises:
        UserError: it cannot be read, or has none.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"The file of {what} {path} cannot be read: {said}.") from error
    if not any(lines):
        raise UserError(f"The file of {what} {path} is empty; it has one a line.")
    return [line for line in lines if line]


def _in_file(name: str) -> list[str]:
    if not Path(name).is_file():
        raise UserError(
            f"There is no template {name!r}: say one of {', '.join(TEMPLATES)}, a text with {SLOT} in it, or a file."
        )
    lines = lines_of(Path(name), "templates")
    if lacking := [line for line in lines if SLOT not in line]:
        raise UserError(f"The template {lacking[0]!r} in {name} has no {SLOT} in it.")
    return lines
