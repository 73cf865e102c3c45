"""Programs that are after the filter of system calls by another gate into the kernel."""

from car.sandbox import Kind
from tests.conformance.hostile import STOPPED, Hostile, attack, said

_GADGET = """
import cv2
SIZE, KIND_AT, WHERE_AT, PHDR = 56, 0, 16, 32
class Place(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("file", "base", "name", "at")]
def executable_parts(symbol):
    # The program headers of a library lie in its first page in memory.
    place = Place()
    libc.dladdr(ctypes.c_void_p(symbol), ctypes.byref(place))
    start, = struct.unpack("<Q", ctypes.string_at(place.base + PHDR, 8))
    count, = struct.unpack("<H", ctypes.string_at(place.base + 56, 2))
    for number in range(count):
        head = ctypes.string_at(place.base + start + number * SIZE, SIZE)
        kind, flags, _, address, _, _, size, _ = struct.unpack("<IIQQQQQQ", head)
        if kind == 1 and flags & 1:
            yield place.base + address, size
def anywhere(code):
    "The address of these instructions in the code of OpenCV: a builtin function knows where its own code lies."
    definition = ctypes.c_void_p.from_address(id(cv2.resize) + 16).value
    for start, size in executable_parts(ctypes.c_void_p.from_address(definition + 8).value):
        at = ctypes.string_at(start, size).find(code)
        if at >= 0:
            return start + at
    return None
# While it is loaded, for which there is more time.
GATE = anywhere(b"\\xcd\\x80\\xc3")
"""

PROGRAMS = (
    Hostile(
        "fork by the gate for 32 bits",
        "gates",
        # ctypes puts the number of floating-point arguments into eax, and 2 is fork for programs of 32 bits.
        attack(
            """
            call_gate = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_double, ctypes.c_double)(GATE)
            return child_of(call_gate(0.0, 0.0))
            """,
            _GADGET,
        ),
        said,
        STOPPED | {Kind.KILLED},
        layered=True,
    ),
    Hostile("fork by a number of x32", "gates", attack("return child_of(call(0x40000000 + 57))"), said),
    Hostile("a number of x32", "gates", attack("return call(0x40000000 + 39) > 0"), said),
    Hostile(
        "a number with high bits",
        "gates",
        attack("return call(NUMBERS['memfd_create'] + (1 << 32), b'$token', 0) >= 0"),
        said,
        layered=True,
    ),
    Hostile(
        "the first number of another table",
        "gates",
        attack("return any(call(number, 0, 0, 0) >= 0 for number in (1000, 4095, 5000))"),
        said,
    ),
)
