"""The static screen: what it lets through, what it refuses, and what it says."""

import pytest

from car.screen import ALLOWED_MODULES, LONGEST, screen
from tests.planted import doorkey

_CHECK = "def check(found, current):\n    return True\n"


@pytest.mark.parametrize(
    "source",
    [
        _CHECK,
        doorkey.RIGHT_KEY,
        doorkey.RIGHT_DOOR,
        doorkey.RIGHT_GOAL,
        '"""A docstring."""\nimport numpy as np\nimport cv2\nLIMIT = 3\n' + _CHECK,
        "from collections import deque\nfrom math import sqrt\nimport numpy.linalg\n" + _CHECK,
        "import numpy as np\ndef check(found, current):\n    return bool(np.linalg.norm(current.astype(float)) > 3)\n",
        "from dataclasses import dataclass\n@dataclass\nclass Box:\n    x: int\n" + _CHECK,
        "import cv2\ndef check(found, current):\n    return cv2.cvtColor(current, cv2.COLOR_RGB2HSV)[0, 0, 0] > 3\n",
    ],
)
def test_lets_honest_programs_through(source: str) -> None:
    assert screen(source) == ()


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("def check(found, current)\n    return True", 1, "not valid Python"),
        ("x = 1\n", None, "must define `def check(found, current)`"),
        ("def check(current):\n    return True\n", 1, "must take exactly (found, current)"),
        ("def check(found, current, seen=[]):\n    return True\n", 1, "must take exactly"),
        ("def check(*args):\n    return True\n", 1, "must take exactly"),
        (_CHECK + "def identify():\n    return 1\n", 3, "must take exactly (initial)"),
        ("import os\n" + _CHECK, 1, "`os` may not be imported"),
        ("import numpy.ctypeslib\n" + _CHECK, 1, "may not be imported"),
        ("from cv2 import os\n" + _CHECK, 1, "may not be used"),
        ("from . import x\n" + _CHECK, 1, "may not be imported"),
        ("from numpy import *\n" + _CHECK, 1, "import *"),
        ("import cv2\ndef check(found, current):\n    return cv2.os.getpid() > 1\n", 3, "`cv2.os` may not be used"),
        (
            "import cv2 as c\ndef check(found, current):\n    return c.imread('x') is None\n",
            3,
            "reads its two arguments",
        ),
        ("import numpy as np\ndef check(found, current):\n    return np.load('x')\n", 3, "reads its two arguments"),
        ("import numpy as np\ndef check(found, current):\n    return np.random.rand() > 0.5\n", 3, "`numpy.random`"),
        (
            "import numpy as np\ndef check(found, current):\n    return np.countnonzero(current) > 1\n",
            3,
            "no attribute",
        ),
        ("import numpy as np\nnp.mean = None\n" + _CHECK, 2, "may not be changed"),
        ("def check(found, current):\n    return found.__class__ is None\n", 2, "underscore"),
        ("def check(found, current):\n    return found.base is None\n", 2, "`base` may not be used"),
        ("def check(found, current):\n    return eval('True')\n", 2, "`eval` may not be used"),
        ("def check(found, current):\n    return __import__('os')\n", 2, "may not be used"),
        ("n = 0\ndef check(found, current):\n    global n\n    return True\n", 3, "keep nothing between calls"),
        ("for i in range(3):\n    pass\n" + _CHECK, 1, "top level"),
        ("print('hello')\n" + _CHECK, 1, "top level"),
        ("async def go():\n    pass\n" + _CHECK, 1, "top level"),
        ("#" * (LONGEST + 1), None, "characters"),
        ("def check(found, current):\n    return True\0\n", None, "not valid Python"),
    ],
)
def test_refuses_with_the_line_and_a_reason(source: str, line: int | None, said: str) -> None:
    problems = screen(source)
    assert any(problem.line == line and said in problem.message for problem in problems), problems


def test_says_each_problem_once_and_in_order() -> None:
    problems = screen("import os, sys\nimport os\ndef check(found, current):\n    return eval('1')\n")
    assert [problem.line for problem in problems] == [1, 1, 2, 4]


def test_all_allowed_modules_can_be_imported() -> None:
    source = "".join(f"import {module}\n" for module in ALLOWED_MODULES) + _CHECK
    assert screen(source) == ()
