"""Known ways out of a filter of programs, by mechanism; the screen refuses each, though it is not what holds them."""

import pytest

from car.screen import screen

_IMPORTS = "import math\n\nimport cv2\nimport numpy as np\n\n"

_MODULES_BEHIND_PUBLIC_NAMES = [
    "cv2.os.system('id')",
    "cv2.sys.modules",
    "cv2.importlib.import_module('os')",
    "cv2.mat_wrapper.cv.os",
    "cv2.typing.cv2.os",
    "cv2.typing.numpy",
    "cv2.utils.cv2.os",
    "cv2.numpy.load('x')",
    "cv2.misc.get_ocv_version()",
    "cv2.\uff4f\uff53.getpid()",
    "np.ctypeslib.ctypes.CDLL(None)",
    "np.f2py.subprocess",
    "np.ma.core.builtins",
    "np.testing.extbuild.subprocess",
    "np.testing.runstring('1', {})",
    "np.lib.npyio.DataSource",
    "np.lib._utils_impl.sys",
    "np.core.sys",
    "np.rec.os",
    "np.test()",
    "np.linalg.test()",
    "np._core._methods.os",
    "np.__builtins__",
    "(lambda library: library.os)(cv2)",
    "[cv2][0].os",
    "(np.linalg).linalg.sys",
    "[module for module in (np.lib,)]",
]

_FILES = [
    "np.load('x', allow_pickle=True)",
    "np.memmap('x')",
    "np.genfromtxt('x')",
    "np.loadtxt('x')",
    "np.fromfile('x')",
    "np.fromregex('x', 'a', float)",
    "np.DataSource().open('x')",
    "np.save('x', current)",
    "np.savez('x', current)",
    "current.dump('x')",
    "current.dumps()",
    "current.tofile('x')",
    "cv2.imread('x')",
    "cv2.imwrite('x.png', current)",
    "cv2.FileStorage('x', 0)",
    "cv2.VideoCapture(0)",
    "cv2.VideoWriter()",
    "cv2.dnn.readNet('x')",
    "cv2.dnn_Net()",
    "cv2.CascadeClassifier('x')",
    "cv2.ml.SVM_load('x')",
    "cv2.samples.findFile('x')",
    "cv2.FontFace('x')",
    "cv2.imshow('x', current)",
    "cv2.waitKey(0)",
    "cv2.FaceDetectorYN_create('x', '', (3, 3))",
    "cv2.ORB_create().save('x')",
    "cv2.ORB_create().read('x')",
    "cv2.ORB_create().write('x')",
    "open('x')",
    "input()",
]

_WITHOUT_AN_ATTRIBUTE_NODE = [
    "'{0.__globals__}'.format(check)",
    "'{0.shape}'.format(current)",
    "'{a[0]}'.format(a=current)",
    "'{:{0.__class__}}'.format(current, 3)",
    "('{0.__glo' + 'bals__}').format(check)",
    "str.format('{0.__globals__}', check)",
    "list(map('{0.__globals__}'.format, [check]))",
    "'{c.__globals__}'.format_map({'c': check})",
    "f'{{0.__globals__}}'.format(check)",
    "getattr(check, '__globals__')",
    "vars(check)",
    "setattr(check, 'x', 1)",
    "globals()",
    "locals()",
    "eval('1')",
    "exec('1')",
    "compile('1', 'x', 'eval')",
    "__import__('os')",
    "__builtins__",
    "breakpoint()",
    "help()",
]

_DUNDERS_AND_FRAMES = [
    "().__class__.__base__.__subclasses__()",
    "check.__globals__",
    "check.__code__",
    "print.__self__",
    "type.mro(int)",
    "type(current).mro()",
    "(each for each in ()).gi_frame.f_back.f_locals",
    "(each for each in ()).gi_code",
    "found.cr_frame",
    "found.tb_frame",
    "found.f_globals",
    "[x.__class__ for x in (1,)]",
    "f'{current.__class__}'",
    "sorted([1], key=lambda x: x.__class__)",
    "np.frompyfunc(lambda x: x.__class__, 1, 1)",
    "super().__getattribute__('x')",
    "super().__init__.__globals__",
    "current.__array_interface__",
    "current.__reduce__()",
    "np.ndarray.__new__",
    "np.add.__class__",
]

_RAW_MEMORY = [
    "current.base",
    "current.ctypes",
    "current.data",
    "current.setflags(write=True)",
    "current.getfield(np.int64, 8)",
    "memoryview(current)",
    "np.lib.stride_tricks.as_strided(current, (9,))",
    "np.empty(3)",
    "np.empty((3, 3))",
    "np.empty_like(current)",
    "np.ndarray((3,))",
    "np.ndarray(shape=(3,), buffer=b'')",
    "np.frombuffer(b'abc')",
    "np.from_dlpack(current)",
    "cv2.Mat(3)",
    "cv2.UMat(3)",
]

_SHARED_STATE = [
    "np.seterr(all='ignore')",
    "np.random.seed(0)",
    "np.random.default_rng().random()",
    "np.set_printoptions(3)",
    "np.setbufsize(8192)",
    "cv2.setNumThreads(1)",
    "cv2.setUseOptimized(False)",
    "cv2.setRNGSeed(0)",
    "cv2.randu(current, 0, 1)",
    "cv2.createBackgroundSubtractorMOG2()",
    "cv2.KalmanFilter(4, 2)",
    "cv2.TrackerMIL_create()",
    "cv2.TickMeter()",
    "cv2.getTickCount()",
    "cv2.ocl.setUseOpenCL(False)",
    "np.datetime64('now')",
]

_EXPRESSIONS = [
    *_MODULES_BEHIND_PUBLIC_NAMES,
    *_FILES,
    *_WITHOUT_AN_ATTRIBUTE_NODE,
    *_DUNDERS_AND_FRAMES,
    *_RAW_MEMORY,
    *_SHARED_STATE,
]

_CHECK = "def check(found, current):\n    return True\n"

_PROGRAMS = {
    "import of what cv2 imports": "from cv2 import os\n" + _CHECK,
    "import of what numpy imports": "from numpy.lib import npyio\n" + _CHECK,
    "import of a part": "import numpy.f2py as x\n" + _CHECK,
    "import of a part, by name": "from numpy import f2py\n" + _CHECK,
    "import of a private part": "from numpy import _core\n" + _CHECK,
    "import of a part of a part": "import numpy.lib.npyio\n" + _CHECK,
    "import of all": "from numpy import *\n" + _CHECK,
    "import of a file function": "from numpy import load as sum\n" + _CHECK,
    "import of what dataclasses imports": "from dataclasses import sys\n" + _CHECK,
    "use of what typing imports": "import typing\nx = typing.sys\n" + _CHECK,
    "use of what statistics imports": "import statistics\nx = statistics.random\n" + _CHECK,
    "use of what re imports": "import re\nx = re.enum.sys\n" + _CHECK,
    "import in other letters": "import \uff4f\uff53\n" + _CHECK,
    "relative import": "from . import os\n" + _CHECK,
    "alias of a module": "import cv2 as c\nx = c.os\n" + _CHECK,
    "alias by assignment": "import cv2\nc = cv2\nx = c.os\n" + _CHECK,
    "alias of a part": "import numpy as np\nla = np.linalg\nx = la.linalg.sys\n" + _CHECK,
    "alias by default": "import cv2\ndef f(c=cv2):\n    return c.os\n" + _CHECK,
    "alias by walrus": "import cv2\nx = (c := cv2).os\n" + _CHECK,
    "alias by loop": "import cv2\nfor c in (cv2,):\n    x = c.os\n" + _CHECK,
    "alias by match": "import cv2\ndef f():\n    match cv2:\n        case c:\n            return c.os\n" + _CHECK,
    "alias in a class": "import cv2\nclass A:\n    c = cv2\nx = A.c.os\n" + _CHECK,
    "two modules under one name": "import math as m\ndef f():\n    import cv2 as m\n    return m.pi\n" + _CHECK,
    "module rebound": "import numpy as np\nnp = 3\n" + _CHECK,
    "module rebound by an argument": "import numpy as np\ndef f(np):\n    return np\n" + _CHECK,
    "module rebound by an error": (
        "import numpy as np\ntry:\n    x = 1\nexcept ValueError as np:\n    x = 2\n" + _CHECK
    ),
    "module deleted": "import numpy as np\ndel np\n" + _CHECK,
    "library changed": "import numpy as np\nnp.mean = None\n" + _CHECK,
    "library changed, deeper": "import cv2\ncv2.inRange.x = 3\n" + _CHECK,
    "library changed in a loop": "import numpy as np\nfor np.mean in (1, 2):\n    x = 1\n" + _CHECK,
    "library changed by deleting": "import numpy as np\ndel np.mean\n" + _CHECK,
    "class pattern": "def check(f, c):\n    match f:\n        case object(__globals__=g):\n            return g\n",
    "class pattern for a frame": "def check(f, c):\n    match f:\n        case object(gi_frame=g):\n            g()\n",
    "class pattern for memory": "def check(f, c):\n    match c:\n        case object(base=b):\n            return b\n",
    "object of an error": (
        "def check(f, c):\n    try:\n        return f.x\n    except AttributeError as e:\n        return e.obj\n"
    ),
    "traceback of an error": (
        "def check(f, c):\n    try:\n        return 1 / 0\n    except ZeroDivisionError as e:\n"
        "        return e.__traceback__\n"
    ),
    "error with a traceback": "def check(f, c):\n    raise ValueError().with_traceback(None)\n",
    "attrgetter": "from operator import attrgetter\nx = attrgetter('__globals__')\n" + _CHECK,
    "methodcaller": "import operator\nx = operator.methodcaller('tofile', 'x')\n" + _CHECK,
    "wraps": "from functools import wraps\nx = wraps(len, ('__globals__',))\n" + _CHECK,
    "annotations evaluated": "from typing import get_type_hints\nx = get_type_hints\n" + _CHECK,
    "an annotation": "def f(x: ().__class__):\n    return x\n" + _CHECK,
    "a decorator": "import cv2\n@cv2.os.register\ndef f(x):\n    return x\n" + _CHECK,
    "a default": "def f(x=().__class__):\n    return x\n" + _CHECK,
    "a class that looks like another": (
        "class A:\n    @property\n    def __class__(self):\n        return bool\n" + _CHECK
    ),
    "a class that answers everything": "class A:\n    def __getattr__(self, name):\n        return 1\n" + _CHECK,
    "a class that acts when it goes": "class A:\n    def __del__(self):\n        return 1\n" + _CHECK,
    "a dunder in a class body": "class A:\n    __class__ = bool\n" + _CHECK,
    "a dunder stored": "class A:\n    def f(self):\n        self.__class__ = bool\n" + _CHECK,
    "a name that would open frames": "class A:\n    gi_frame = 1\nx = (i for i in ()).gi_frame\n" + _CHECK,
    "a name that would open files": "class A:\n    def tofile(self):\n        return 1\nx = A().tofile\n" + _CHECK,
    "a frame made writable": "def check(found, current):\n    current.flags.writeable = True\n    return True\n",
    "state in a global": "n = 0\ndef check(found, current):\n    global n\n    return True\n",
    "state in a function": "def check(found, current):\n    check.calls = 1\n    return True\n",
    "async frames": "async def f():\n    return 1\nx = f().cr_frame\n" + _CHECK,
    "under a main that always runs": "import math as __name__\nif __name__ == '__main__':\n    x = 1\n" + _CHECK,
    "beside a main": "if __name__ == '__main__':\n    x = 1\nelse:\n    import os\n" + _CHECK,
    "uninitialised, by another name": "from numpy import ndarray as n\nx = n((3,))\n" + _CHECK,
}


@pytest.mark.parametrize("expression", _EXPRESSIONS)
def test_an_escape_in_an_expression_is_refused(expression: str) -> None:
    assert screen(f"{_IMPORTS}def check(found, current):\n    return True\n") == ()
    problems = screen(f"{_IMPORTS}def check(found, current):\n    return {expression}\n")
    assert {problem.line for problem in problems} == {7}


@pytest.mark.parametrize("name", _PROGRAMS)
def test_an_escape_in_a_program_is_refused(name: str) -> None:
    problems = [str(each) for each in screen(_PROGRAMS[name])]
    assert problems
    assert not any("not valid Python" in each or "must define" in each for each in problems), problems
