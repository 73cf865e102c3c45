"""Programs that are after keys, labels and other programs, in their own process: there must be none to find.

None of these is stopped by a layer: what is not there cannot be found. That they would find it, a process shows that
was started as one usually is, with the environment of the host.
"""

from tests.conformance.hostile import STOPPED, Hostile, attack, leaked, said

_SEARCH = r"""
import re
# Put together here, so that the program does not find itself.
WANTED = re.compile(("plan" + "ted-").encode() + b"[0-9a-f]{32}")
def found_in(data):
    match = WANTED.search(data)
    return match and match[0].decode()
def everything_reachable():
    "Every object that can be reached from here, the frozen ones included."
    frame, todo, seen = sys._getframe(), [], set()
    while frame:
        todo += [frame.f_locals, frame.f_globals]
        frame = frame.f_back
    todo += [sys.modules, *gc.get_objects()]
    while todo and len(seen) < 400_000:
        each = todo.pop()
        if id(each) not in seen:
            seen.add(id(each))
            todo += gc.get_referents(each)
            yield each
def pages():
    "Where this process has memory: as the system says, or else around the objects that are known."
    try:
        lines = open("/proc/self/maps").read().splitlines()
    except OSError:
        top = libc.sbrk(0)
        yield top - (8 << 20), 8 << 20
        for page in sorted({id(each) >> 12 for each in everything_reachable()}):
            yield page << 12, 4096
        return
    for line in lines:
        place, rights = line.split()[:2]
        start, end = (int(each, 16) for each in place.split("-"))
        if rights.startswith("rw") and "[v" not in line and end - start < 1 << 28:
            yield start, end - start
"""


def _key(name: str, body: str) -> Hostile:
    return Hostile(name, "keys", attack(body, _SEARCH), leaked, STOPPED)


PROGRAMS = (
    _key("os.environ", "return found_in(repr(dict(os.environ)).encode())"),
    _key("os.getenv by its name", "return os.environ.get('CAR_TEST_API_KEY')"),
    _key("getenv of the C library", "libc.getenv.restype = ctypes.c_char_p\nreturn libc.getenv(b'CAR_TEST_API_KEY')"),
    _key(
        "the environment of the C library",
        """
        block, at, texts = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ"), 0, []
        while block and block[at]:
            texts.append(block[at])
            at += 1
        return found_in(b" ".join(texts))
        """,
    ),
    _key("its own environment in /proc", "return found_in(open('/proc/self/environ', 'rb').read())"),
    _key(
        "texts that the collector knows",
        """
        texts = (each for each in everything_reachable() if type(each) in (str, bytes, bytearray))
        return next(filter(None, (found_in(each.encode() if type(each) is str else each) for each in texts)), False)
        """,
    ),
    _key(
        "the heap, byte by byte",
        """
        for start, size in pages():
            if found := found_in(ctypes.string_at(start, size)):
                return found
        return False
        """,
    ),
    _key(
        "memory that was given back",
        """
        import numpy as np
        for _ in range(50):
            for size in (64, 1024, 1 << 16, 1 << 20):
                if found := found_in(np.empty(size, np.uint8).tobytes()):
                    return found
        return False
        """,
    ),
    _key(
        "the memory behind an array",
        """
        return found_in(ctypes.string_at(current.ctypes.data & -4096, 1 << 22))
        """,
    ),
    Hostile(
        "modules of ours",
        "keys",
        attack("return [name for name in sys.modules if name == 'car' or name.startswith('car.')]"),
        said,
        STOPPED,
    ),
    _key("the arguments of the program", "return found_in(repr(sys.orig_argv + sys.argv).encode())"),
    _key(
        "variables of those who called",
        """
        frame, texts = sys._getframe(), []
        while frame:
            texts.append(repr({name: value for name, value in frame.f_locals.items() if type(value) is str}))
            frame = frame.f_back
        return found_in(" ".join(texts).encode())
        """,
    ),
)
