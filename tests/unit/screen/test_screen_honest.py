"""Honest programs are let through: those that ship, those that VLMs wrote, and many in other styles."""

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from car.checker import program_in
from car.screen import ALLOWED_MODULES, ALLOWED_SUBMODULES, screen
from tests.unit.screen import language_programs, number_programs, plain_programs, vision_programs

_TOP = Path(__file__).parents[3]
_PROGRAMS = {
    **vision_programs.PROGRAMS,
    **language_programs.PROGRAMS,
    **plain_programs.PROGRAMS,
    **number_programs.PROGRAMS,
    **{each: number_programs.around(each) for each in number_programs.EXPRESSIONS},
}
_SHIPPED = sorted(_TOP.glob("generated_rewards/*/checkers/*.py"))
_RECORDED = [
    (path.stem, number, program)
    for path in sorted(_TOP.glob("car/recordings/*.json"))
    for number, exchange in enumerate(json.loads(path.read_text("utf-8"))["exchanges"])
    if exchange["subject"] and (program := program_in(exchange["text"]))
]


@pytest.mark.parametrize("name", _PROGRAMS)
def test_an_honest_program_is_let_through(name: str) -> None:
    assert screen(_PROGRAMS[name]) == ()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", _PROGRAMS)
def test_an_honest_program_of_these_tests_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("program")
    monkeypatch.setitem(sys.modules, "program", module)
    exec(compile(_PROGRAMS[name], name, "exec"), vars(module))
    frame = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    frame.flags.writeable = False
    found = module.identify(frame) if hasattr(module, "identify") else frame
    module.check(found, frame)
    for optional in ("progress", "explain"):
        if hasattr(module, optional):
            getattr(module, optional)(found, frame)


def test_the_shipped_and_recorded_programs_are_there() -> None:
    assert len(_SHIPPED) >= 9
    assert len(_RECORDED) >= 12


@pytest.mark.parametrize("path", _SHIPPED, ids=[f"{path.parent.parent.name}-{path.stem}" for path in _SHIPPED])
def test_a_shipped_program_is_let_through(path: Path) -> None:
    assert screen(path.read_text("utf-8")) == ()


@pytest.mark.parametrize(
    "program", [program for *_, program in _RECORDED], ids=[f"{name}-{number}" for name, number, _ in _RECORDED]
)
def test_a_recorded_program_is_let_through(program: str) -> None:
    assert screen(program) == ()


@pytest.mark.parametrize("module", [*ALLOWED_MODULES, *ALLOWED_SUBMODULES])
def test_every_module_on_the_list_may_be_imported(module: str) -> None:
    program = f"import {module}\nimport {module} as m\ndef check(found, current):\n    return True\n"
    assert screen(program) == ()
