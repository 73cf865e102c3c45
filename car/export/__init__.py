"""Writes a bundle's reward as one file of Python that needs nothing of this package.

The file has the programs as they are in the bundle, each in a function, and below them the code of this package that
pays for milestones, as it stands in its modules (`gathering`). What is lost is isolation: the programs run in the
process that imports the file.
"""

import ast
import keyword
import sys
from pathlib import Path

from car.bundle import Bundle
from car.errors import BadBundle, UserError
from car.export.gathering import gathered
from car.export.header import comment, header
from car.export.scope import Function, function_of
from car.files import write_text

__all__ = ["CAMERAS", "export", "exported"]

CAMERAS = {
    "render": "car.export.cameras:Rendered",
    "car.tasks.grid_camera:GridCamera": "car.export.cameras:GridView",
    "car.tasks.taxi:HalfCamera": "car.tasks.taxi:HalfCamera",
    "car.tasks.mountain_car:QuarterCamera": "car.tasks.mountain_car:QuarterCamera",
}
"""For a task's camera, the class that goes into the file; it takes the same frames and imports no more than may be."""

_WRAPPER = "car.export.standalone:DenseReward"
_TAKEN = frozenset({*sys.stdlib_module_names, "numpy", "cv2", "gymnasium", "minigrid"})
_OWN = frozenset({"PROGRAMS", "FRAME_SHAPE", "CAMERA"})


def export(bundle: Bundle, target: Path, allow_unreviewed: bool = False, force: bool = False) -> None:
    """Writes the file, whole or not at all.

    Args:
        bundle: what to write.
        target: the file, a ``.py`` that can be imported by its name.
        allow_unreviewed: also write a bundle that no person has approved.
        force: write over a file that is there.

    Raises:
        UserError: a name that cannot be imported, or the file is there.
        BadBundle: nobody has approved it, a program is missing, or one cannot stand in a function.
        OSError: the file cannot be written.
    """
    if target.is_dir():
        raise UserError(f"{target} is a folder; name a file in it, e.g. {target / 'reward.py'}.")
    if target.suffix != ".py" or not target.stem.isidentifier() or keyword.iskeyword(target.stem):
        raise UserError(f"{target.name!r} cannot be imported: name the file with letters, digits, '_' and '.py'.")
    if target.stem in _TAKEN:
        raise UserError(f"A file {target.name!r} would be imported in place of a module that it needs; rename it.")
    if target.exists() and not force:
        raise UserError(f"{target} is there already; --force writes over it.")
    if not (bundle.approved or allow_unreviewed):
        said = "A person has rejected" if bundle.approval else "Nobody has approved"
        raise BadBundle(
            f"{said} the bundle {bundle.path}: read it with `car review {bundle.task.name}` and approve "
            "it with `--approve`, or pass --allow-unreviewed."
        )
    write_text(target, exported(bundle, target.stem))


def exported(bundle: Bundle, module: str = "reward") -> str:
    """The text of the file.

    Args:
        bundle: what to write.
        module: the name under which the file will be imported.

    Raises:
        BadBundle: a program is missing, or one cannot stand in a function.
    """
    missing = [each.name for each in bundle.subtasks if each not in [checker.subtask for checker in bundle.checkers]]
    if missing:
        raise BadBundle(f"The bundle {bundle.path} has no program for {', '.join(missing)}: the reward is incomplete.")
    camera = CAMERAS.get(bundle.task.camera)
    machinery = gathered([_WRAPPER, *([camera] if camera else [])], without=_OWN)
    functions = [function_of(number, each) for number, each in enumerate(bundle.checkers, 1)]
    future = sorted({name for each in functions for name in each.future})
    _check_annotations(bundle, functions)
    imports = [*(f"from __future__ import {name}" for name in future), *machinery.imports]
    parts = [
        header(bundle, module),
        "\n".join(imports),
        comment("The programs, as they are in the bundle.", ruled=True),
        *(each.text for each in functions),
        comment("What they are paid for, as in `car`.", ruled=True),
        *machinery.definitions,
        comment("What this file holds.", ruled=True),
        _constants(bundle, functions, camera),
    ]
    text = "\n\n\n".join(part.strip("\n") for part in parts) + "\n"
    try:
        compile(text, f"{module}.py", "exec")
    except SyntaxError as error:
        raise BadBundle(f"The programs of {bundle.path} cannot stand in functions: {error.msg}.") from error
    return text


def _check_annotations(bundle: Bundle, functions: list[Function]) -> None:
    """Refuses what an import from `__future__` in one program would change in another, or in a class in a function."""
    changing = any("annotations" in each.future for each in functions)
    for checker in bundle.checkers if changing else ():
        if any(isinstance(node, ast.ClassDef) for node in ast.walk(ast.parse(checker.source))):
            raise BadBundle(
                f"The program of {checker.subtask.name!r} cannot be exported: it has a class, whose annotations "
                "`from __future__ import annotations`, in this or another program, would change."
            )


def _constants(bundle: Bundle, functions: list[Function], camera: str | None) -> str:
    lines = ["PROGRAMS = ("]
    lines += [f"    {each.name}()," for each in functions]
    lines += [")", f"FRAME_SHAPE = {bundle.frame_shape!r}", f"CAMERA = {camera.partition(':')[2] if camera else None}"]
    return "\n".join(lines)
