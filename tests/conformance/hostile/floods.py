"""Programs that write more than anyone wants to read."""

from car.sandbox import Kind
from tests.conformance.hostile import STOPPED, Hostile, plain, swelled

_ENDS = STOPPED | {Kind.TIMED_OUT, Kind.BROKE_PROTOCOL, Kind.KILLED, Kind.OUT_OF_MEMORY, Kind.EXITED}


def _flood(name: str, body: str, before: str = "") -> Hostile:
    return Hostile(name, "floods", plain(body, before), swelled, _ENDS)


PROGRAMS = (
    _flood("print", "print('x' * 50_000_000)\nreturn False"),
    _flood("standard error", "sys.stderr.write('x' * 50_000_000)\nreturn False"),
    _flood("descriptor 1", "for _ in range(100): os.write(1, b'x' * 1_000_000)\nreturn False"),
    _flood("descriptor 2", "for _ in range(100): os.write(2, b'x' * 1_000_000)\nreturn False"),
    _flood("the replies", "while True: os.write(4, b'x' * 4096)"),
    _flood("the replies, 8 bytes at a time", "while True: os.write(4, b'x' * 8)"),
    _flood(
        "every other descriptor",
        """
        for file in (0, *range(5, 1024)):
            try: os.write(file, b"x" * 4096)
            except OSError: pass
        return False
        """,
    ),
    _flood("printf of the C library", "libc.printf(b'x' * 1_000_000)\nlibc.fflush(None)\nreturn False"),
    _flood("warnings", "for at in range(20_000): warnings.warn(str(at))\nreturn False", "import warnings"),
    _flood(
        "OpenCV's messages",
        "cv2.utils.logging.setLogLevel(6)\nfor _ in range(9): cv2.imread('none')\nreturn False",
        "import cv2",
    ),
    _flood("the text of an error", "raise ValueError('x' * 100_000_000)"),
    _flood("facts", "return False", "def explain(found, current): return dict(a='x' * 100_000_000)"),
    _flood("many facts", "return False", "def explain(found, current): return {str(at): at for at in range(10 ** 6)}"),
    _flood("the display of every value", "sys.displayhook('x' * 1_000_000)\nreturn False"),
    _flood("a traceback", "sys.excepthook(ValueError, ValueError('x' * 1_000_000), None)\nreturn False"),
)
