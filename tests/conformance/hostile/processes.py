"""Programs that are after processes of their own."""

from tests.conformance.hostile import STOPPED, Harm, Hostile, attack, room_changed, said, survived

# A program that was replaced by another one has left, too.
_TOUCH = "touch $room/new"


def _process(name: str, body: str, harm: Harm = room_changed, before: str = "", root: bool = False) -> Hostile:
    return Hostile(name, "processes", attack(body, before), harm, STOPPED, layered=True, root=root)


_SCRIPT = """
file = call("memfd_create", b"script", 0)
os.write(file, b"#!/bin/sh\\n: > $room/new\\n")
arguments = (ctypes.c_char_p * 2)(b"script", None)
"""

PROGRAMS = (
    _process(
        "subprocess",
        "reopen_imports()\nimport subprocess\nreturn subprocess.run(['touch', '$room/new']).returncode == 0",
    ),
    _process("os.system", f"return os.system('{_TOUCH}') == 0"),
    _process("cv2.os.system", f"return cv2.os.system('{_TOUCH}') == 0", before="import cv2"),
    _process("system of the C library", f"return libc.system(b'{_TOUCH}') == 0"),
    _process(
        "popen of the C library",
        f"""
        libc.popen.restype = ctypes.c_void_p
        stream = libc.popen(b"{_TOUCH}", b"r")
        return bool(stream) and libc.pclose(ctypes.c_void_p(stream)) == 0
        """,
    ),
    _process("os.execv", f"os.execv('/bin/sh', ['sh', '-c', '{_TOUCH}'])"),
    _process(
        "os.posix_spawn",
        f"pid = os.posix_spawn('/bin/sh', ['sh', '-c', '{_TOUCH}'], dict())\nreturn os.waitpid(pid, 0)[1] == 0",
    ),
    _process(
        "execveat of memory", _SCRIPT + 'return call("execveat", file, b"", arguments, ctypes.c_void_p(), 0x1000) == 0'
    ),
    _process("fexecve of memory", _SCRIPT + "libc.fexecve(file, arguments, (ctypes.c_char_p * 1)(None))"),
    _process(
        "a pickle that runs a command",
        """
        text = pickle.dumps(Command())
        return np.load(io.BytesIO(text), allow_pickle=True) == 0
        """,
        before=f"""
        import io, pickle
        import numpy as np
        class Command:
            def __reduce__(self):
                return os.system, ("{_TOUCH}",)
        """,
    ),
    _process(
        "np.load of bytes that run a command",
        r"""
        text = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118)
        text += repr({"descr": "|O", "fortran_order": False, "shape": ()}).encode().ljust(117) + b"\n"
        text += b"cposix\nsystem\n(S'touch $room/new'\ntR."
        return np.load(io.BytesIO(text), allow_pickle=True).item() == 0
        """,
        before="import io\nimport numpy as np",
    ),
    _process("os.fork", "return child_of(os.fork())", said),
    _process("fork by its number", "return child_of(call('clone', signal.SIGCHLD, 0, 0, 0, 0))", said),
    _process("vfork by its number", "return child_of(call('clone', 0x4000 | signal.SIGCHLD, 0, 0, 0, 0))", said),
    _process(
        "clone3 by its number", "return child_of(call('clone3', struct.pack('<8Q', 0, 0, 0, 0, 17, 0, 0, 0), 64))", said
    ),
    _process("os.forkpty", "return child_of(os.forkpty()[0])", said),
    _process("twenty children", "return all(child_of(os.fork()) for _ in range(20)) and 'twenty'", said),
    _process(
        "multiprocessing",
        """
        reopen_imports()
        import multiprocessing
        child = multiprocessing.get_context("fork").Process(target=os._exit, args=(42,))
        child.start()
        child.join()
        return child.exitcode == 42
        """,
        said,
    ),
    _process(
        "a child that outlives the session",
        """
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return True
        os.setsid()
        if os.fork():
            os._exit(0)
        libc.prctl(15, b"$token", 0, 0, 0)
        libc.sleep(20)
        os._exit(0)
        """,
        survived,
    ),
    _process(
        "threads",
        """
        ran = []
        lock = _thread.allocate_lock()
        lock.acquire()
        _thread.start_new_thread(lambda: (ran.append(1), lock.release()), ())
        lock.acquire()
        return ran
        """,
        said,
        "import _thread",
    ),
    _process(
        "a thread of the C library",
        """
        thread, start = ctypes.c_ulong(), ctypes.cast(libc.getpid, ctypes.c_void_p)
        failed = libc.pthread_create(ctypes.byref(thread), None, start, None)
        return not failed and libc.pthread_join(thread, None) == 0
        """,
        said,
    ),
    _process("a library from the disk", "return ctypes.CDLL('libresolv.so.2')._handle > 0", said),
)
