"""What holds a worker: layers of the operating system, put on by the worker itself before it has seen any program.

Runs in the zygote and its workers; imports nothing of ours. Each layer either is in force or raises OSError.
"""

import ctypes
import mmap
import os
import platform
import re
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

USER, LIMITS, LANDLOCK, FILTER = "user", "limits", "landlock", "filter"
"""The layers by the names that the host uses."""

_NOBODY = 65534
_FIRST_USER = 0x60000000
"""Above every user of a usual system; each worker gets a number of its own from here on."""

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _ALLOW_SPECULATION = 1, 4
_PDEATHSIG, _DUMPABLE, _NO_NEW_PRIVS = 1, 4, 38
_SA_SIGINFO = 4
_CALL_IN_SIGINFO = 24
"""Where a siginfo of SIGSYS has the number of the system call, on 64-bit Linux."""

_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class _Action(ctypes.Structure):
    """`struct sigaction` of the C library, on 64-bit Linux."""

    _fields_ = (
        ("handler", _HANDLER),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class _Program(ctypes.Structure):
    """`struct sock_fprog`: the filter as the kernel takes it."""

    _fields_ = (("count", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


class Filter:
    """The filter of system calls for this machine, read while files can still be read.

    Args:
        path: its file, named for the machine.

    Raises:
        OSError: it cannot be read, or is for another system than this one.
    """

    def __init__(self, path: str) -> None:
        machine = Path(path).stem
        if sys.platform != "linux" or machine not in _SECCOMP or struct.calcsize("P") != 8:
            raise OSError(f"no filter of system calls for {sys.platform} on {machine}")
        self._code = Path(path).read_bytes()
        self._number = _SECCOMP[machine]
        self._program = _Program(len(self._code) // 8, self._code)
        self.said = f"{machine}, {len(self._code) // 8} instructions"

    def load(self) -> None:
        """Puts the filter in force for this process, for good.

        Raises:
            OSError: the kernel does not take it.
        """
        call = _libc().syscall
        # Up to Linux 5.15, a filter makes all memory accesses slower unless it says otherwise.
        release = tuple(int(each) for each in re.findall(r"\d+", platform.release())[:2])
        for flags in (0,) if release >= (5, 16) else (_ALLOW_SPECULATION, 0):
            if call(self._number, _SET_MODE_FILTER, flags, ctypes.byref(self._program)) == 0:
                return
        raise OSError(ctypes.get_errno(), "seccomp")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def forbid_new_privileges() -> None:
    """No program that is started from here on gets more rights than this process has."""
    if sys.platform == "linux":
        _checked(_libc().prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")


def tie_to(parent: int) -> None:
    """Ends this process with its parent, and hides its memory from other processes of its user.

    A change of user undoes both, so it comes before.
    """
    if sys.platform == "linux":
        prctl = _libc().prctl
        _checked(prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")
        _checked(prctl(_DUMPABLE, 0, 0, 0, 0), "prctl(PR_SET_DUMPABLE)")
    if os.getppid() != parent:
        os._exit(1)


def leave_root() -> None:
    """Takes a user that no other process has, without any right.

    Raises:
        OSError: this process is not root, or may not change its user.
    """
    if os.geteuid() != 0:
        raise OSError("not root")
    os.setgroups([])
    os.setgid(_NOBODY)
    # Processes of one user may send each other signals. In a user namespace there may be no other number to take.
    try:
        os.setuid(_FIRST_USER + int.from_bytes(os.urandom(3), "little"))
    except OSError:
        os.setuid(_NOBODY)


def shut_files() -> str:
    """Landlock with no rules, for this process and all that it forks: no file, no TCP port, no foreign process.

    Returns:
        Which version of Landlock it is.

    Raises:
        OSError: the system has no Landlock.
    """
    try:
        import landlockpy
    except ImportError as error:
        raise OSError("landlockpy is not installed") from error
    try:
        with landlockpy.Ruleset() as ruleset:
            ruleset.restrict()
    except landlockpy.LandlockError as error:
        raise OSError(str(error)) from error
    return f"ABI {landlockpy.abi_version()}"


def limit(address_space: int) -> None:
    """No files, processes, dumps, locked memory or queues, and a bounded address space.

    Args:
        address_space: in bytes, everything that is mapped already included.

    Raises:
        OSError: not even the number of files can be limited.
    """
    import resource

    bounds = {
        "RLIMIT_AS": address_space,
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_NPROC": 0,
    }
    for name, most in bounds.items():
        # What a system does not know it cannot enforce; the canary finds out what follows from that.
        with suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (most, most))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    except ValueError as error:
        raise OSError(str(error)) from error


def note_violations(note: Callable[[int], None]) -> object:
    """Ends the process at a system call that the filter does not let through, after noting which.

    The call is not made in any case; a program that breaks this very function may live on without it.

    Args:
        note: takes the number of the system call.

    Returns:
        What must stay alive as long as the process does.
    """
    leave, code = os._exit, 128 + signal.SIGSYS

    def ended(number: int, info: int, context: int) -> None:
        try:
            note(ctypes.c_int.from_address(info + _CALL_IN_SIGINFO).value)
        finally:
            leave(code)

    action = _Action(_HANDLER(ended), flags=_SA_SIGINFO)
    _checked(_libc().sigaction(int(signal.SIGSYS), ctypes.byref(action), None), "sigaction(SIGSYS)")
    return action


def offer_to_the_short_of_memory() -> None:
    """A system that runs out of memory ends this process and those that it forks, before the one that they serve."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def mapped() -> int:
    """The address space of this process in bytes, or a generous guess where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - read in one go, as bytes
            return int(statm.read().split()[0]) * mmap.PAGESIZE
    except OSError:
        return 4 << 30


def _checked(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), what)
