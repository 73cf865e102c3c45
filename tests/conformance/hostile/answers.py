"""Programs that answer with something that is not an answer."""

from car.sandbox import Kind
from tests.conformance.hostile import Hostile, Witness, accepted, plain

_WRONG = frozenset({Kind.WRONG_TYPE})
_ENDS = _WRONG | {Kind.RAISED, Kind.OUT_OF_MEMORY, Kind.TIMED_OUT}


def _bad_facts(seen: Witness) -> bool:
    """Facts that are not plain values, or not to be printed."""
    plain_kinds = (str, int, float, bool, type(None), list)
    return any(
        type(value) not in plain_kinds or not key.isprintable() for each in seen.facts for key, value in each.items()
    )


def _answer(name: str, body: str, before: str = "", kinds: frozenset[Kind] = _WRONG) -> Hostile:
    return Hostile(name, "answers", plain(body, before), accepted, kinds)


def _progress(name: str, value: str, before: str = "import numpy as np") -> Hostile:
    source = plain("return False", before) + f"def progress(found, current): return {value}\n"
    return Hostile(name, "answers", source, lambda seen: bool((seen.done >= 0).any()), _WRONG | {Kind.RAISED})


def _facts(name: str, value: str) -> Hostile:
    source = plain("return False", "import numpy as np") + f"def explain(found, current): return {value}\n"
    return Hostile(name, "answers", source, _bad_facts, frozenset({Kind.RAN}))


PROGRAMS = (
    _answer("a text of 50 MB", "return 'x' * 50_000_000"),
    _answer("a list of 10 million", "return [True] * 10_000_000"),
    _answer("a deep list", "a = []\nfor _ in range(10 ** 6): a = [a]\nreturn a"),
    _answer("an array with one truth", "return np.array(True)", "import numpy as np"),
    _answer("an int that looks like a truth", "return Int(1)", "class Int(int): pass"),
    _answer(
        "a coroutine",
        "return later()",
        "async def later(): return True\nimport warnings; warnings.simplefilter('ignore')",
    ),
    _answer("a generator", "yield True"),
    _answer("itself", "return check"),
    _answer("three dots", "return ..."),
    _answer(
        "a class that says it is bool",
        "return Liar",
        "class Meta(type):\n    __instancecheck__ = lambda *a: True\nclass Liar(metaclass=Meta):\n    __class__ = bool",
    ),
    _answer(
        "an object that kills who looks at it",
        "return Mean()",
        "class Mean:\n    def __getattribute__(self, name): os._exit(9)",
    ),
    _answer("a class without a readable name", "return type('\\x1b[31m\\n' * 999, (), {})()"),
    _answer(
        "an array of objects that raise",
        "return np.array([Mean(), Mean()])",
        "import numpy as np\nclass Mean:\n    def __repr__(self): raise SystemExit",
    ),
    _progress("progress without end", "float('inf')"),
    _progress("progress below nothing", "-0.5"),
    _progress("progress of a huge number", "10 ** 400"),
    _progress("progress in a text", "'0.5'"),
    _progress("progress in the complex plane", "0.5 + 0j"),
    _progress("progress in two places", "np.array([0.1, 0.2])"),
    _progress(
        "progress that compares as it likes", "Liar()", "class Liar(float):\n    __le__ = __ge__ = lambda *a: True"
    ),
    _facts("facts with control sequences", "{'\\x1b[2J\\r\\n': '\\x1b]0;x\\x07\\u202e'}"),
    _facts("facts with a lone surrogate", "{'a': '\\ud800'}"),
    _facts("facts without end", "{'a': float('inf'), 'b': float('nan'), 'c': [float('-inf')]}"),
    _facts("facts of 2000 digits", "{'a': 10 ** 1900}"),
    _facts("facts nested without end", "(lambda a: [a := {'a': a} for _ in range(500)] and {'b': a})(None)"),
    _facts("facts of objects", "{'a': object(), 'b': np.ndarray, 'c': current}"),
    _facts("facts whose keys are no texts", "{1: 2, None: 3}"),
    _facts("facts that are no dict", "type('Dict', (dict,), {'items': lambda self: [(1, 2)]})(a=1)"),
)
