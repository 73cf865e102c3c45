"""Programs that go too deep, in Python or in C."""

from car.sandbox import Kind
from tests.conformance.hostile import Hostile, others_harmed, plain

# How deep is too deep differs between versions of Python: where one raises, another one ends.
_ENDS = frozenset({Kind.RAISED, Kind.KILLED, Kind.OUT_OF_MEMORY, Kind.TIMED_OUT, Kind.VIOLATION})
_LIVES = frozenset({Kind.RAN, Kind.EXITED, Kind.WRONG_TYPE, Kind.BROKE_PROTOCOL})
_NEST = "a = []\nfor _ in range(10 ** 6): a = [a]\n"


def _deep(name: str, body: str, before: str = "", more: frozenset[Kind] = frozenset()) -> Hostile:
    return Hostile(name, "depth", plain(body, before), others_harmed, _ENDS | more)


PROGRAMS = (
    _deep("calls without a limit", "sys.setrecursionlimit(2 ** 31 - 1)\ndef again(): again()\nagain()"),
    _deep(
        "calls through C without a limit",
        "sys.setrecursionlimit(2 ** 31 - 1)\nlen(Deep())",
        "class Deep:\n    def __len__(self): return len(self)",
    ),
    _deep("the text of a deep list", "sys.setrecursionlimit(2 ** 31 - 1)\n" + _NEST + "return repr(a) == ''"),
    _deep(
        "JSON of a deep list",
        "sys.setrecursionlimit(2 ** 31 - 1)\n" + _NEST + "return json.dumps(a) == ''",
        "import json",
    ),
    _deep("deep JSON", "return json.loads('[' * 10 ** 6) == 1", "import json"),
    _deep("comparing deep lists", _NEST + "b = a\n" + _NEST + "return a == b"),
    _deep("brackets in a program", "return eval('(' * 10 ** 5 + ')' * 10 ** 5)"),
    _deep("signs in a program", "return eval('-' * 10 ** 5 + '1')"),
    _deep("brackets in a regular expression", "return bool(re.compile('(' * 10 ** 5 + ')' * 10 ** 5))", "import re"),
    _deep(
        "a chain of destructors",
        """
        for _ in range(10 ** 6): a = Link(a) if _ else None
        del a
        raise ValueError("done")
        """,
        "class Link:\n    def __init__(self, to): self.to = to\n    def __del__(self): pass",
    ),
    _deep(
        "a pickle of a deep list",
        "sys.setrecursionlimit(2 ** 31 - 1)\n" + _NEST + "return pickle.dumps(a) == b''",
        "import pickle",
    ),
    _deep("brackets at load", "return True", "x = " + "(" * 5000 + ")" * 5000),
    _deep(
        "a callback that calls itself through C",
        """
        kind = ctypes.CFUNCTYPE(ctypes.c_int)
        def again(): return call_again()
        call_again = kind(again)
        sys.setrecursionlimit(2 ** 31 - 1)
        return call_again() == 7
        """,
    ),
    _deep(
        "a stack that is overwritten",
        "ctypes.memset(id(ctypes.c_int) & -4096, 255, 1 << 16)\nreturn found is None",
        more=_LIVES,
    ),
    _deep("objects that are overwritten", "ctypes.memset(id(None), 0, 16)\nreturn bool(gc.collect())", more=_LIVES),
    _deep("a free of what was not given", "libc.free(ctypes.c_void_p(0x1000))\nreturn found is None"),
    _deep(
        "freeing twice",
        "libc.malloc.restype = ctypes.c_void_p\np = ctypes.c_void_p(libc.malloc(99))\nlibc.free(p)\n"
        "libc.free(p)\nraise ValueError",
    ),
    _deep("code that is no code", "exec((lambda: 1).__code__.replace(co_code=bytes(range(1, 201))))\nraise ValueError"),
)
