"""Programs that change the pictures: those of the host, or those that other programs look at."""

from car.sandbox import Kind
from tests.conformance.hostile import STOPPED, Hostile, others_harmed, plain

_ENDS = STOPPED | {Kind.KILLED, Kind.BROKE_PROTOCOL, Kind.EXITED, Kind.OUT_OF_MEMORY}

MEMORY = """
import mmap
def mappings():
    "The mapped memory that the variables of those who called lead to."
    frame, todo = sys._getframe(), []
    while frame:
        todo += frame.f_locals.values()
        frame = frame.f_back
    todo += [inner for each in todo for inner in getattr(each, "__dict__", {}).values()]
    return list({id(each): each for each in todo if type(each) is mmap.mmap}.values())
"""


def _picture(name: str, body: str, before: str = "") -> Hostile:
    return Hostile(name, "pictures", plain(body, MEMORY + before), others_harmed, _ENDS, rows=4, heeds=True)


PROGRAMS = (
    _picture("memset through the array", "ctypes.memset(current.ctypes.data, 7, 16 * 16 * 3)\nreturn True"),
    _picture("memset of all pages around", "ctypes.memset(current.ctypes.data & -4096, 7, 1 << 20)\nreturn True"),
    _picture(
        "mprotect, then memset",
        """
        start = current.ctypes.data & -4096
        if libc.mprotect(ctypes.c_long(start), 1 << 20, 3):
            raise OSError("mprotect")
        ctypes.memset(start, 7, 1 << 20)
        return True
        """,
    ),
    _picture(
        "an array that may be written to",
        """
        flags = ctypes.c_int.from_address(id(current) + 64)
        flags.value |= 0x400
        current[:] = 7
        return True
        """,
    ),
    _picture("setflags", "current.base.setflags(write=True)\ncurrent[:] = 7\nreturn True"),
    _picture(
        "an array over the same place",
        "np.frombuffer((ctypes.c_uint8 * 768).from_address(current.ctypes.data), np.uint8)[:] = 7\nreturn True",
        "import numpy as np\n",
    ),
    _picture(
        "OpenCV writes into it", "cv2.rectangle(current, (0, 0), (9, 9), (7, 7, 7), -1)\nreturn True", "import cv2\n"
    ),
    _picture(
        "a copy by the C library",
        "libc.memcpy(ctypes.c_void_p(current.ctypes.data), bytes([7]) * 768, 768)\nreturn True",
    ),
    _picture("mmap.resize", "for each in mappings():\n    each.resize(4096)\nreturn True"),
    _picture("mmap.close", "for each in mappings(): each.close()\nreturn True"),
    _picture("mmap.write", "for each in mappings():\n    each.seek(0)\n    each.write(bytes([7]) * 4096)\nreturn True"),
    _picture(
        "madvise that gives pages back",
        "libc.madvise(ctypes.c_long(current.ctypes.data & -4096), 1 << 20, 4)\nreturn True",
    ),
    _picture(
        "madvise that punches a hole",
        "return libc.madvise(ctypes.c_long(current.ctypes.data & -4096), 1 << 20, 9) == 0",
    ),
    _picture("munmap", "libc.munmap(ctypes.c_long(current.ctypes.data & -4096), 1 << 20)\nreturn True"),
    _picture(
        "other memory in its place", "libc.mmap(current.ctypes.data & -4096, 1 << 20, 3, 0x32, -1, 0)\nreturn True"
    ),
    _picture(
        "through /proc/self/mem",
        "f = os.open('/proc/self/mem', 2)\nos.pwrite(f, bytes([7]) * 768, current.ctypes.data)\nreturn True",
    ),
    _picture(
        "through the mapped file",
        """
        for line in open("/proc/self/maps"):
            span, _, _, _, _, *name = line.split()
            if "memfd" in line:
                file = os.open(f"/proc/self/map_files/{span}", os.O_RDWR)
                os.pwrite(file, bytes([7]) * 4096, 0)
        return True
        """,
    ),
    _picture(
        "the mapped file cut off",
        """
        for line in open("/proc/self/maps"):
            if "memfd" in line:
                os.truncate("/proc/self/map_files/" + line.split()[0], 0)
        return True
        """,
    ),
    _picture(
        "process_vm_writev to itself",
        """
        def part(address): return struct.pack("<QQ", address, 768)
        seven = ctypes.create_string_buffer(bytes([7]) * 768)
        parts = part(ctypes.addressof(seven)), 1, part(current.ctypes.data), 1, 0
        return call("process_vm_writev", os.getpid(), *parts) > 0
        """,
    ),
    _picture("the first picture", "ctypes.memset(found.ctypes.data, 7, 768)\nreturn True"),
)
