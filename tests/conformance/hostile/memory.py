"""Programs that are after all the memory there is; each is content with a few times what it may have."""

from car.sandbox import Kind
from tests.conformance.hostile import STOPPED, Harm, Hostile, attack, blocked, plain, said

_FULL = STOPPED | {Kind.OUT_OF_MEMORY, Kind.KILLED, Kind.TIMED_OUT}
_MUCH = 400 << 20


def _memory(name: str, body: str, before: str = "", harm: Harm = said) -> Hostile:
    return Hostile(
        name,
        "memory",
        attack(body, f"import mmap\nimport numpy as np\nMUCH = {_MUCH}\n{before}"),
        harm,
        _FULL,
        layered=True,
    )


PROGRAMS = (
    _memory("bytes", "return len(bytes(MUCH)) == MUCH"),
    _memory("an array of ones", "return np.ones(MUCH, np.uint8)[-1] == 1"),
    _memory("an array of nothing", "return np.empty(4 << 30, np.uint8).size > 0"),
    _memory("a long text", "return len('x' * MUCH) == MUCH"),
    _memory(
        "a text made twice as long again and again",
        """
        text = "x"
        while len(text) < MUCH // 2: text += text
        return len(text)
        """,
    ),
    _memory("a large number", "return (1 << 8 * MUCH).bit_length()"),
    _memory("a long list", "return len([None] * (MUCH // 8))"),
    _memory("an anonymous mapping", "return libc.mmap(0, 4 << 30, 3, 0x4022, -1, 0) > 0"),
    _memory("a shared anonymous mapping", "return libc.mmap(0, 4 << 30, 3, 0x4021, -1, 0) > 0"),
    _memory("a mapping that is filled at once", "return libc.mmap(0, MUCH, 3, 0x8022, -1, 0) > 0"),
    _memory(
        "a mapping that grows",
        """
        libc.mremap.restype = ctypes.c_long
        libc.mremap.argtypes = [ctypes.c_long] * 4
        start = libc.mmap(0, 1 << 20, 3, 0x22, -1, 0)
        return libc.mremap(start, 1 << 20, 4 << 30, 1) > 0
        """,
    ),
    _memory("the heap's end moved", "return libc.sbrk(ctypes.c_long(MUCH)) > 0"),
    _memory("malloc", "libc.malloc.restype = ctypes.c_void_p\nreturn libc.malloc(ctypes.c_size_t(4 << 30))"),
    _memory(
        "many small mappings",
        "return all(libc.mmap(0, 1 << 20, 1 if at % 2 else 3, 0x4022, -1, 0) > 0 for at in range(2000)) and 'all'",
    ),
    _memory("an enlarged picture", "return cv2.resize(current, (12_000, 12_000), interpolation=0).size", "import cv2"),
    _memory("a repeated array", "return np.tile(current, (750, 750, 1)).size"),
    Hostile(
        "more at every call",
        "memory",
        plain("KEPT.append(np.ones(64 << 20, np.uint8))\nreturn len(KEPT) > 9", "import numpy as np\nKEPT = []")
        + "def explain(found, current): return {'proof': str(len(KEPT)) * (len(KEPT) > 9)}\n",
        said,
        _FULL,
        layered=True,
        rows=10,
    ),
    Hostile(
        "far more than there is",
        "memory",
        plain("return bool(np.ones(50 << 30, np.uint8).all())", "import numpy as np"),
        blocked,
        frozenset({Kind.OUT_OF_MEMORY}),
    ),
    Hostile(
        "more at load",
        "memory",
        plain("return True", "KEPT = []\nwhile True: KEPT.append(bytes(1 << 24))"),
        blocked,
        frozenset({Kind.OUT_OF_MEMORY}),
    ),
)
