"""Programs that never answer, or not in time."""

from car.sandbox import Kind
from tests.conformance.hostile import Hostile, blocked, plain

_LATE = frozenset({Kind.TIMED_OUT})
# A wait may also be refused, and what is refused raises.
_WAITS = _LATE | {Kind.RAISED, Kind.VIOLATION, Kind.RAN, Kind.WRONG_TYPE}


def _loop(name: str, body: str, before: str = "") -> Hostile:
    return Hostile(name, "cpu", plain(body, before), blocked, _LATE)


def _wait(name: str, body: str, before: str = "") -> Hostile:
    return Hostile(name, "cpu", plain(body, before), blocked, _WAITS)


PROGRAMS = (
    _loop("at load", "return True", "while True: pass"),
    _loop("in C, over an iterator", "return max(iter(int, 1))"),
    _loop(
        "in C, over a product", "return sum(1 for _ in itertools.product(range(999), repeat=9)) > 0", "import itertools"
    ),
    _loop("a power of a power", "return 7 ** 10 ** 8 > 0"),
    _loop("a regular expression", "return bool(re.match('(a+)+b', 'a' * 60))", "import re"),
    _loop("a regular expression of words", "return bool(re.match(r'(\\w+\\s?)*$$', 'word ' * 60 + '!'))", "import re"),
    _loop(
        "a filter of OpenCV",
        "return bool(cv2.fastNlMeansDenoising(cv2.resize(current[:, :, 0], (2500, 2500)), None, 3, 21, 71).any())",
        "import cv2",
    ),
    _loop(
        "sorting what compares slowly",
        "return bool(sorted(Slow() for _ in range(9)))",
        "class Slow:\n    def __lt__(self, other):\n        while True: pass\n",
    ),
    _loop(
        "keys that all collide",
        "return len({(1 << 61) - 1) * at: at for at in range(10 ** 5)}) > 0".replace("{(1", "{((1"),
    ),
    _loop("catching every exception", "while True:\n    try:\n        1 / 0\n    except BaseException: pass"),
    _loop(
        "with the clock turned off", "time.process_time = time.monotonic = lambda: 0.0\nwhile True: pass", "import time"
    ),
    _loop(
        "with every signal handled",
        """
        for number in range(1, 65):
            try: signal.signal(number, lambda *a: None)
            except (OSError, ValueError): pass
        while True: pass
        """,
    ),
    _loop("giving the processor away", "while True: os.sched_yield()"),
    _loop("in progress", "return False", "def progress(found, current):\n    while True: pass"),
    _loop("in explain", "return True", "def explain(found, current):\n    while True: pass"),
    _wait(
        "in the destructor of the answer",
        "return Answer()",
        "class Answer:\n    def __del__(self):\n        while True: pass\n",
    ),
    _loop(
        "in the text of an error",
        "raise Slow",
        "class Slow(Exception):\n    def __str__(self):\n        while True: pass\n",
    ),
    _wait(
        "a lock of its own",
        "lock = _thread.allocate_lock()\nlock.acquire()\nlock.acquire()\nreturn True",
        "import _thread",
    ),
    _wait("a wait for a signal", "signal.pause()\nreturn True"),
    _wait("a wait of the C library", "return libc.sleep(100) > 0"),
    _wait("a wait for a child", "os.wait()\nreturn True"),
    _wait("a wait for files", "libc.poll(None, 0, 100_000)\nreturn True"),
    _wait("reading the next question", "while True: os.read(3, 64)"),
)
