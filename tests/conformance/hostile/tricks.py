"""Programs that play with their own process: its descriptors, signals, exits and hooks."""

from car.sandbox import Kind
from tests.conformance.hostile import STOPPED, Hostile, Witness, others_harmed, plain

_ENDS = STOPPED | {Kind.KILLED, Kind.BROKE_PROTOCOL, Kind.EXITED, Kind.TIMED_OUT, Kind.OUT_OF_MEMORY}
_GONE = frozenset({Kind.EXITED})
_KILLED = frozenset({Kind.KILLED, Kind.RAISED, Kind.VIOLATION, Kind.RAN})


def _answered(seen: Witness) -> bool:
    """An answer came from a program that gave none, or others suffered."""
    return bool((seen.done == 1).any()) or others_harmed(seen)


def _trick(name: str, body: str, before: str = "", kinds: frozenset[Kind] = _ENDS) -> Hostile:
    return Hostile(name, "tricks", plain(body, before), others_harmed, kinds)


def _exit(name: str, body: str, before: str = "", kinds: frozenset[Kind] = _GONE) -> Hostile:
    return Hostile(name, "tricks", plain(body, before), _answered, kinds)


PROGRAMS = (
    _trick(
        "closing descriptors 0 to 20",
        "for file in range(21):\n    try: os.close(file)\n    except OSError: pass\nreturn True",
    ),
    _trick("closing all by close_range", "libc.close_range(0, 99, 0)\nreturn True"),
    _trick("closing all by closefrom", "libc.closefrom(0)\nreturn True"),
    _trick("its output in the place of the replies", "os.dup2(1, 4)\nreturn True"),
    _trick("the questions in the place of the replies", "os.dup2(3, 4)\nreturn True"),
    _trick("the replies in the place of the questions", "os.dup2(4, 3)\nreturn True"),
    _trick("replies that do not wait", "os.set_blocking(4, False)\nwhile True: os.write(4, b'')"),
    _trick("replies made small", "import fcntl\nfcntl.fcntl(4, 1031, 4096)\nreturn True"),
    _trick("replies cut off", "libc.shutdown(4, 2)\nreturn True"),
    _exit("exit with 255", "os._exit(255)"),
    _exit("exit with -1", "os._exit(-1)"),
    _exit("exit with 256", "os._exit(256)"),
    _exit("exit with 159, which means a violation", "os._exit(159)", kinds=_GONE | {Kind.VIOLATION}),
    _exit("exit with 97, which means no cage", "os._exit(97)"),
    _exit("exit of the C library", "libc.exit(0)"),
    _exit("exit of one thread by its number", "libc.syscall(ctypes.c_long(60 if 'fork' in NUMBERS else 93), 0)"),
    _exit("exit at load with success", "return True", "os._exit(0)"),
    _exit("abort of the C library", "libc.abort()", kinds=_KILLED),
    _exit("an instruction that does not exist", "ctypes.CFUNCTYPE(None)(8)()", kinds=_KILLED),
    *(
        _exit(f"signal {name} to itself", f"os.kill(os.getpid(), signal.{name})\nraise ValueError", kinds=_KILLED)
        for name in "SIGTERM SIGSEGV SIGPIPE SIGCONT SIGHUP SIGUSR1 SIGQUIT SIGRTMAX SIGTSTP".split()
    ),
    _exit("raise of the C library", "libc.raise_ = libc['raise']\nlibc.raise_(9)\nraise ValueError", kinds=_KILLED),
    _trick("an alarm", "signal.alarm(1)\nreturn True"),
    _trick("a timer", "signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)\nreturn True"),
    _trick("a timer of processor time", "signal.setitimer(signal.ITIMER_PROF, 0.01, 0.01)\nreturn True"),
    _trick("a handler of signals", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nreturn True"),
    _trick("signals blocked", "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nreturn True"),
    _trick(
        "something at exit",
        "reopen_imports()\nimport atexit\natexit.register(lambda: os.write(4, bytes(8)))\nraise SystemExit",
    ),
    _trick(
        "a destructor at exit",
        "sys.modules['late'] = Late()\nraise SystemExit",
        "class Late:\n    def __del__(self): os.write(4, bytes(8))",
    ),
    _trick(
        "a destructor of the first frame",
        "return True",
        "class Late:\n    def __del__(self):\n        while True: pass\ndef identify(initial): return Late()",
    ),
    _trick(
        "a fault handler", "reopen_imports()\nimport faulthandler\nfaulthandler.enable(file=4)\nctypes.string_at(0)"
    ),
    _trick(
        "a dump after a while",
        "reopen_imports()\nimport faulthandler\nfaulthandler.dump_traceback_later(0.1, repeat=True, file=4)\n"
        "return True",
    ),
    _trick(
        "a callback from sorting in C",
        """
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        numbers = (ctypes.c_int * 99)(*range(99))
        libc.qsort(numbers, 99, 4, kind(lambda a, b: os.write(4, bytes(8)) and 1))
        return True
        """,
    ),
    _trick("a jump into nowhere", "ctypes.CFUNCTYPE(ctypes.c_int)(0xDEAD0000)()"),
    _trick(
        "the lock of the interpreter kept",
        "ctypes.pythonapi.PyGILState_Ensure()\nctypes.pythonapi.PyEval_SaveThread()\nreturn True",
    ),
    _trick("the interpreter ended", "ctypes.pythonapi.Py_FinalizeEx()\nreturn True"),
    _trick("an interpreter in the interpreter", "ctypes.pythonapi.Py_NewInterpreter()\nreturn True"),
    _trick(
        "calls that are pending",
        "kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)\nKEPT.append(kind(lambda a: -1))\n"
        "ctypes.pythonapi.Py_AddPendingCall(KEPT[0], None)\nreturn True",
        "KEPT = []",
    ),
    _trick("an exception in the future", "ctypes.pythonapi.PyErr_SetInterrupt()\nreturn True"),
    _trick(
        "frames changed on the way back",
        """
        frame = sys._getframe()
        while frame:
            frame.f_locals.clear()
            frame = frame.f_back
        return True
        """,
    ),
    _trick("its priority", "libc.nice(19)\nreturn True"),
    _trick("its processors", "os.sched_setaffinity(0, [0])\nreturn True"),
    _trick("its name", "libc.prctl(15, b'\\x1b[31m) R 1', 0, 0, 0)\nreturn True"),
)
