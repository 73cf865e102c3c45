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
        "from __future__ import annotations\n" + _CHECK,
        "from collections.abc import Sequence\nimport collections.abc\nx: collections.abc.Sized = ()\n" + _CHECK,
        "import numpy as np\nwindows = np.lib.stride_tricks.sliding_window_view\n" + _CHECK,
        "from numpy.lib.stride_tricks import sliding_window_view\n" + _CHECK,
        "from numpy.lib import stride_tricks as s\nwindows = s.sliding_window_view\n" + _CHECK,
        "from operator import itemgetter\n" + _CHECK,
        "def check(found, current):\n    for dir in (1, 2):\n        input = dir\n    return input > 1\n",
        "help = 3\ndef turn(vars):\n    return [vars + each() for each in (lambda: help,)]\n" + _CHECK,
        "def check(found, current):\n    n = 0\n    def add():\n        nonlocal n\n        n += 1\n    return n > 1\n",
        "def check(found, current):\n    return found._replace(x=1)._asdict() == {}\n",
        "class Box:\n    def __init__(self):\n        self._x = 1\n    def x(self):\n        return self._x\n" + _CHECK,
        "t = []\nfor i in range(3):\n    t.append(i)\nif t:\n    t += [1]\ntry:\n    n = 1\nfinally:\n    n = 2\n"
        + _CHECK,
        _CHECK + 'if __name__ == "__main__":\n    import sys\n    print(check(1, 2), sys.argv)\n',
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
        ("while True:\n    pass\n" + _CHECK, 1, "top level"),
        ("from operator import attrgetter\n" + _CHECK, 1, "`operator.attrgetter` may not be used"),
        ("import operator as o\nget = o.attrgetter\n" + _CHECK, 2, "`operator.attrgetter` may not be used"),
        ("import operator\nx = operator.methodcaller\n" + _CHECK, 2, "`operator.methodcaller` may not be used"),
        ("from typing import get_type_hints\n" + _CHECK, 1, "`typing.get_type_hints` may not be used"),
        ("import typing\nx = typing.ForwardRef\n" + _CHECK, 2, "`typing.ForwardRef` may not be used"),
        ("from functools import singledispatch\n" + _CHECK, 1, "`functools.singledispatch` may not be used"),
        ("import functools\nx = functools.update_wrapper\n" + _CHECK, 2, "may not be used"),
        ("import numpy as np\nx = np.lib.stride_tricks.as_strided\n" + _CHECK, 2, "as_strided` may not be used"),
        ("from numpy.lib.stride_tricks import as_strided\n" + _CHECK, 1, "as_strided` may not be used"),
        ("from numpy.lib import stride_tricks as s\nx = s.as_strided\n" + _CHECK, 2, "as_strided` may not be used"),
        ("from numpy import lib\n" + _CHECK, 1, "The module `numpy.lib` may not be used"),
        ("import numpy as np\nx = np.lib.format\n" + _CHECK, 2, "may not be used"),
        ("def a(vars):\n    return 1\ndef b(x):\n    return vars(x)\n" + _CHECK, 4, "`vars` may not be used"),
        ("if 0:\n    vars = 1\nx = vars(3)\n" + _CHECK, 3, "`vars` may not be used"),
        ("class A:\n    vars = 1\n    def b(self):\n        return vars(3)\n" + _CHECK, 4, "`vars` may not be used"),
        ("vars = 1\ndel vars\n" + _CHECK, 2, "`vars` may not be used"),
        ("def check(found, current):\n    eval = 3\n    return eval\n", 2, "`eval` may not be used"),
        ("class A:\n    def b(self):\n        return self.__dict__\n" + _CHECK, 3, "underscore"),
        ("import numpy as self\nx = self._core\n" + _CHECK, 2, "underscore"),
        ("import math as __name__\n" + _CHECK + "if __name__ == '__main__':\n    pass\n", 1, "`__name__`"),
        ("if __name__ == '__main__':\n    pass\nelse:\n    import os\n" + _CHECK, 4, "`os` may not be imported"),
        ("print('hello')\n" + _CHECK, 1, "top level"),
        ("async def go():\n    pass\n" + _CHECK, 1, "top level"),
        ("#" * (LONGEST + 1), None, "characters"),
        ("def check(found, current):\n    return True\0\n", None, "not valid Python"),
    ],
)
def test_refuses_with_the_line_and_a_reason(source: str, line: int | None, said: str) -> None:
    problems = screen(source)
    assert any(problem.line == line and said in problem.message for problem in problems), problems


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("cv2.imread('x')", "`cv2.imread` may not be used: a checker reads its two arguments and nothing else."),
        ("np.float_(3)", "`numpy` has no attribute `float_`; use `numpy.float64`."),
        ("np.int(3)", "`numpy` has no attribute `int`; use `int`."),
        ("np.countnonzero(3)", "`numpy` has no attribute `countnonzero`. Did you mean `numpy.count_nonzero`?"),
        ("cv2.findContour(3)", "`cv2` has no attribute `findContour`. Did you mean `cv2.findContours`"),
        ("cv2.COLOR_RGB2HVS", "`cv2` has no attribute `COLOR_RGB2HVS`. Did you mean `cv2.COLOR_RGB2HSV`"),
        ("np.linalg.nrom(3)", "`numpy.linalg` has no attribute `nrom`. Did you mean `numpy.linalg.norm`?"),
        ("np.empty(3)", "`numpy.empty` may not be used: its values are not set; use `numpy.zeros`."),
        ("np.random.rand()", "The module `numpy.random` may not be used: an answer must not depend on chance"),
        ("np.ma.array(3)", "index with a boolean mask, as in `a[mask]`"),
        ("cv2.KalmanFilter(4, 2)", "it keeps state, and a checker must keep nothing between calls"),
        ("cv2.getTickCount()", "must not depend on the clock"),
        ("cv2.setRNGSeed(0)", "`cv2.KMEANS_USE_INITIAL_LABELS`"),
        ("np.seterr()", "use `with numpy.errstate(...)`"),
        (
            "current.astpye(int)",
            "The attribute `astpye` may not be used: it is not among what a checker needs. Did you",
        ),
        ("current.astpye(int)", "`astype`"),
        ("current.ptr", "The attribute `ptr` may not be used: it is not among what a checker needs."),
        ("current.tostring()", "use `tobytes`"),
        ("getattr(found, 'x')", "write the attribute out, as in `found.box`"),
        ("current.__class__", "use `isinstance`"),
        ("re.sub('a', 'b', 'c')", "`re` is not imported; add `import re`."),
    ],
)
def test_says_what_to_write_instead(expression: str, said: str) -> None:
    source = f"import cv2\nimport numpy as np\ndef check(found, current):\n    return {expression}\n"
    (problem,) = screen(source)
    assert problem.line == 4
    assert said in problem.message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import scipy.ndimage", "For `ndimage.label` use `cv2.connectedComponentsWithStats`"),
        ("from PIL import Image", "Use cv2 and numpy."),
        ("import numpy.random", "must not depend on chance"),
        ("from copy import deepcopy", "as in `a.copy()`"),
        ("import time", "must not depend on the clock"),
        ("import os", "Allowed are: bisect, collections, cv2,"),
    ],
)
def test_says_what_to_import_instead(line: str, said: str) -> None:
    (problem,) = screen(f"{line}\n{_CHECK}")
    assert said in problem.message


def test_says_nothing_more_about_what_may_not_be_imported() -> None:
    used = "import os\nfrom scipy import ndimage\nx = os.getpid()\ny = ndimage.label(x)\n"
    assert [problem.line for problem in screen(used + _CHECK)] == [1, 2]


def test_forgotten_imports_are_named() -> None:
    (problem,) = screen("def check(found, current):\n    return np.any(current)\n")
    assert str(problem) == "line 2: `np` is not imported; add `import numpy as np`."


def test_a_deep_condition_is_no_block_for_a_program_run_by_itself() -> None:
    assert screen("if " + "+".join("1" * 900) + ":\n    x = 1\n" + _CHECK) == ()


def test_says_each_problem_once_and_in_order() -> None:
    problems = screen("import os, sys\nimport os\ndef check(found, current):\n    return eval('1')\n")
    assert [problem.line for problem in problems] == [1, 1, 2, 4]


def test_a_deep_program_is_screened_too() -> None:
    assert screen("x = " + "+".join("1" * 900) + "\n" + _CHECK) == ()


def test_all_allowed_modules_can_be_imported() -> None:
    source = "".join(f"import {module}\n" for module in ALLOWED_MODULES) + _CHECK
    assert screen(source) == ()
