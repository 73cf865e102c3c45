import sys

import pytest

from car.checker import Checker, SubTask
from car.errors import SandboxUnavailable
from car.sandbox import worker
from car.sandbox.process import ProcessSandbox
from car.screen import ALLOWED_MODULES, ALLOWED_SUBMODULES

CHECKER = Checker(SubTask("it", "It is done."), "def check(found, current): return True")


@pytest.mark.parametrize(
    ("executable", "sentence"),
    [
        ("/bin/false", r"could not start \(exited with code 1\)"),
        ("/nowhere/python", "could be started: .*No such file"),
        ("", "interpreter is unknown"),
    ],
)
def test_a_python_that_does_not_work_is_not_the_checkers_fault(
    monkeypatch: pytest.MonkeyPatch, executable: str, sentence: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(SandboxUnavailable, match=sentence):
        ProcessSandbox().open([CHECKER, CHECKER])


def test_what_the_screen_allows_is_what_a_worker_has_loaded() -> None:
    assert set(worker.MODULES) == {*ALLOWED_MODULES, *ALLOWED_SUBMODULES}
