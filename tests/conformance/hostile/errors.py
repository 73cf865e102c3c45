"""Programs whose exceptions are made to be shown to someone."""

from car.sandbox import Kind
from tests.conformance.hostile import STOPPED, Hostile, Witness, plain, unprintable

_RAISED = frozenset({Kind.RAISED})


def _error(name: str, body: str, before: str = "", kinds: frozenset[Kind] = _RAISED) -> Hostile:
    return Hostile(name, "errors", plain(body, before), unprintable, kinds)


def _believed(seen: Witness) -> bool:
    """The worker's own error, thrown by the program, was shown without end."""
    return unprintable(seen) or bool((seen.done >= 0).any())


PROGRAMS = (
    _error("control sequences", "raise ValueError('\\x1b[2J\\x1b]0;title\\x07\\r\\n\\x00\\x9b31m')"),
    _error("text that runs backwards", "raise ValueError('\\u202egnp.\\u2066x\\u200b')"),
    _error("lone surrogates", "raise ValueError('\\ud800\\udfff')"),
    _error("a text that is no text", "raise Mean", "class Mean(Exception):\n    def __str__(self): return 7"),
    _error(
        "a text that formats itself",
        "raise Mean",
        """
        class Text(str):
            def __format__(self, how): raise SystemExit
            def encode(self, *how): return b'\\x1b' * 10 ** 7
            __str__ = __getitem__ = lambda self, *a: self
        class Mean(Exception):
            def __str__(self): return Text("quiet")
        """,
    ),
    _error("an error of a kind of its own", "raise Mean('x')", "class Mean(BaseException): pass"),
    _error("a thousand errors at once", "raise ExceptionGroup('many', [ValueError('x' * 99)] * 1000)"),
    _error("a generator that leaves", "raise GeneratorExit('x')"),
    _error("the end of an iteration", "raise StopIteration('x')"),
    _error("leaving with a text", "raise SystemExit('\\x1b[31mred')"),
    _error("leaving with nothing wrong", "raise SystemExit(0)"),
    _error("an end of memory that is none", "raise MemoryError('\\x1b[31m')", kinds=_RAISED | {Kind.OUT_OF_MEMORY}),
    _error("a name with control sequences", "raise type('\\x1b[31mRed\\n', (Exception,), {})('x')"),
    _error("a name without end", "raise type('Long' * 10 ** 5, (Exception,), {})('x')"),
    _error("a mistake in line minus one", "raise SyntaxError('x', ('<checker>', -1, 1, 'x'))"),
    _error("a mistake in line 2 to the 70th", "raise SyntaxError('x', ('<checker>', 2 ** 70, 1, 'x'))"),
    _error("a file name of its own", "exec(compile('1 / 0', '\\x1b[31m', 'exec'))"),
    _error("lines that do not exist", "exec(compile('\\n' * 10 ** 6 + '1 / 0', '<checker>', 'exec'))"),
    _error(
        "arguments that raise",
        "raise ValueError(Mean())",
        "class Mean:\n    def __str__(self): raise KeyboardInterrupt\n    __repr__ = __str__",
    ),
    _error(
        "raising while it is described", "raise Mean", "class Mean(Exception):\n    def __str__(self): return str(self)"
    ),
    _error(
        "an error that denies its class",
        "raise Mean",
        "class Mean(Exception):\n    __class__ = property(lambda self: 1 / 0)",
        _RAISED | {Kind.EXITED},
    ),
    _error(
        "a trace without end",
        """
        def again(n):
            try:
                if n: again(n - 1)
                raise ValueError("deep")
            except ValueError as error:
                raise ValueError("x" * 99) from error
        again(300)
        """,
    ),
    Hostile(
        "the worker's own error",
        "errors",
        plain(
            """
            for value in list(vars(sys.modules["returned"]).values()):
                if type(value) is type and issubclass(value, Exception) and "Answer" in value.__name__:
                    raise value("\\x1b[31m" + "x" * 10 ** 6)
            return False
            """
        ),
        _believed,
        STOPPED | {Kind.WRONG_TYPE},
    ),
)
