"""Programs whose answer depends on more than the picture: the same picture, asked again elsewhere, shows it."""

from car.sandbox import Kind
from tests.conformance.hostile import Hostile, Witness, plain


def undetected(seen: Witness) -> bool:
    """Two sessions, the second one with the pictures shuffled, agreed on every answer."""
    return not seen.disagreed


def _memory(name: str, body: str, before: str = "") -> Hostile:
    return Hostile(name, "memories", plain(body, before), undetected, frozenset({Kind.RAN}), rows=40)


PROGRAMS = (
    _memory("counting calls", "global calls\ncalls += 1\nreturn calls > 20", "calls = 0"),
    _memory(
        "a default that grows",
        "seen.append(1)\nreturn len(seen) % 3 == 0".replace("seen", "check.__dict__.setdefault('seen', [])"),
    ),
    _memory(
        "the picture before",
        "before, KEPT[:] = KEPT[0], [int(current[0, 0, 0])]\nreturn before > KEPT[0]",
        "KEPT = [0]",
    ),
    _memory(
        "the first picture of its life",
        "KEPT.append(int(current[0, 0, 0]))\nreturn KEPT[0] == KEPT[-1] or KEPT[0] % 3 == 0",
        "KEPT = []",
    ),
    _memory(
        "what it found, changed", "found.append(1)\nreturn len(found) % 2 == 0", "def identify(initial): return []"
    ),
    _memory("an iterator", "return next(TURN)", "import itertools\nTURN = itertools.cycle([True, False, False])"),
    _memory(
        "a memory in the array's type",
        "np.calls = getattr(np, 'calls', 0) + 1\nreturn np.calls > 9",
        "import numpy as np",
    ),
    _memory(
        "a memory in OpenCV", "return float(cv2.randu(np.zeros(1), 0, 1)[0]) > 0.5", "import cv2\nimport numpy as np"
    ),
    _memory("random", "return random.random() > 0.5", "import random"),
    _memory("numpy's random", "return np.random.random() > 0.5", "import numpy as np"),
    _memory("numpy's random, new each time", "return np.random.default_rng().random() > 0.5", "import numpy as np"),
    _memory("the system's random", "return os.urandom(1)[0] > 127"),
    _memory("the clock", "return time.perf_counter_ns() // 1000 % 2 == 0", "import time"),
    _memory("its own processor time", "return time.process_time_ns() // 1000 % 2 == 0", "import time"),
    _memory("the place of an object", "KEPT.append(object())\nreturn id(KEPT[-1]) // 16 % 2 == 0", "KEPT = []"),
    _memory("the place of the picture", "return current.ctypes.data // 768 % 2 == 0"),
    _memory("the hash of a text", "return hash(str(current[0, 0, 0])) % 2 == 0"),
    _memory("the order of a set", "return next(iter({str(current[0, 0, 0]), 'b', 'c'})) in 'bc'"),
    _memory("the place of a library", "return bool(id(os) >> 12 + int(current[0, 0, 0]) % 24 & 1)"),
    _memory(
        "memory that was not written",
        "return bool(KEPT.append(np.empty(768, np.uint8)) or KEPT[-1].sum() * len(KEPT) % 2)",
        "import numpy as np\nKEPT = []",
    ),
)
