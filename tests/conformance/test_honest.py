"""What honest programs compute is the same in a sandbox as in a plain interpreter, to the last bit."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from car.checker import Checker, SubTask
from car.sandbox import Outcome, Ran, Sandbox
from car.sandbox.process import ProcessSandbox
from car.screen import screen
from tests.conformance.honest import HONEST, THEMES, program
from tests.conformance.honest.scenes import scenes

SANDBOXES: list[Callable[[], Sandbox]] = [ProcessSandbox]
BATCH = 10
# Not the tests' own: a BLAS that is told by a variable to use other instructions rounds in another way.
ENVIRONMENT = {
    name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE") if name in os.environ
} | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="checkers run on POSIX systems only")


@pytest.fixture(scope="module", params=SANDBOXES, ids=lambda each: each.__name__)
def inside(request: pytest.FixtureRequest) -> dict[str, list[Outcome | None]]:
    """What each program said of each picture in the sandbox."""
    frames, names, said = scenes(), list(HONEST), {}
    for start in range(0, len(names), BATCH):
        batch = names[start : start + BATCH]
        checkers = [Checker(SubTask("it", "It is done."), HONEST[name]) for name in batch]
        with request.param().open(checkers) as session:
            answers = session.run(frames[0], frames, explain=True)
        for column, name in enumerate(batch):
            said[name] = [answers.outcome(row, column) for row in range(len(frames))]
    return said


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, str]]]:
    """What `explain` of each program said of each picture in a plain interpreter of one thread."""
    file = tmp_path_factory.mktemp("outside") / "answers.json"
    subprocess.run(
        [sys.executable, "-m", "tests.conformance.honest.outside", str(file)],
        cwd=Path(__file__).parents[2],
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
    )
    return json.loads(file.read_text())


def named(name: str) -> str:
    """The name of its test, which notes whether the static screen lets it pass."""
    return f"{name} ({'screened out' if screen(HONEST[name]) else 'passes the screen'})"


@pytest.mark.parametrize("name", HONEST, ids=named)
def test_an_honest_program_computes_the_same_inside_as_outside(
    name: str, inside: dict[str, list[Outcome | None]], outside: dict[str, list[dict[str, str]]]
) -> None:
    assert len(outside[name]) == len(inside[name]) == 3, f"{name!r} fails outside any sandbox"
    for outcome, expected in zip(inside[name], outside[name], strict=True):
        assert isinstance(outcome, Ran), outcome
        assert outcome.done
        said = dict(outcome.facts)
        assert said == expected, f"inside:  {said}\noutside: {expected}"


def test_there_are_many_programs_and_none_is_there_twice() -> None:
    assert len(HONEST) == sum(len(theme.SNIPPETS) for theme in THEMES) >= 200
    assert len(set(HONEST.values())) == len(HONEST)


def canonical(expression: str) -> str:
    names: dict[str, Any] = {}
    exec(program(f"return {expression}"), names)
    frame = np.zeros((2, 2, 3), np.uint8)
    return names["explain"](frame, frame)["answer"]


ALIKE = [
    ("1", "1.0"),
    ("True", "1"),
    ("0.1 + 0.2", "0.3"),
    ("0.0", "-0.0"),
    ("(1, 2)", "[1, 2]"),
    ("'1'", "1"),
    ("np.float32(1)", "np.float64(1)"),
    ("np.zeros(3)", "-np.zeros(3)"),
    ("np.zeros(3, 'f4')", "np.zeros(3, 'f8')"),
    ("np.zeros((2, 3))", "np.zeros((3, 2))"),
    ("np.arange(5000)", "np.where(np.arange(5000) == 4321, 0, np.arange(5000))"),
    ("np.array([1, None])", "np.array([2, None])"),
    ("list(range(900))", "[*range(899), 900]"),
    ("'a' * 5000", "'a' * 4999 + 'b'"),
    ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
    ("{1, 2}", "{1, 3}"),
    ("[np.zeros(100)] * 99", "[np.zeros(100)] * 98 + [np.ones(100)]"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_values_that_are_not_the_same_have_not_the_same_text(one: str, other: str) -> None:
    assert canonical(one) == canonical(one)
    assert canonical(one) != canonical(other)
