"""Programs that are after interfaces of the kernel that no checker needs."""

from dataclasses import replace

from tests.conformance.hostile import Harm, Hostile, attack, said

_ERRNO = """
import errno
def denied_only_by_nonsense(result):
    # The right is checked first, so this error says that the program has it.
    return result >= 0 or ctypes.get_errno() in (errno.EINVAL, errno.ENODEV, errno.ENOENT, errno.ENOEXEC, errno.EFAULT)
"""


def _kernel(name: str, body: str, harm: Harm = said, before: str = "", root: bool = False) -> Hostile:
    return Hostile(name, "kernel", attack(body, before), harm, layered=True, root=root)


def _unlikely(program: Hostile) -> Hostile:
    """The same, where few kernels let even root do it: it may fail without any layer."""
    return replace(program, layered=False)


def _returns(call: str, least: int = 0) -> str:
    return f"return {call} >= {least} and 'returned'"


def _right(name: str, call: str) -> Hostile:
    return _kernel(name, f"return denied_only_by_nonsense({call}) and 'has the right'", before=_ERRNO, root=True)


_RUN = """
def run(code):
    return ctypes.CFUNCTYPE(ctypes.c_int)(code)() == 42 and "ran"
"""
_HUGE = 1 << 20

PROGRAMS = (
    _kernel("io_uring_setup", _returns("call('io_uring_setup', 4, bytes(120))")),
    _kernel("io_setup", "place = ctypes.c_ulong()\n" + _returns("call('io_setup', 4, ctypes.byref(place))")),
    _kernel("bpf", _returns("call('bpf', 0, struct.pack('<6I', 2, 4, 4, 1, 0, 0).ljust(128, b'\\0'), 128)"), root=True),
    _kernel("userfaultfd", _returns("call('userfaultfd', 1)")),
    _kernel("add_key", _returns("call('add_key', b'user', b'$token', b'x', 1, -2)", 1)),
    _kernel("keyctl", _returns("call('keyctl', 0, -2, 1)", 1)),
    _kernel(
        "perf_event_open",
        _returns("call('perf_event_open', struct.pack('<IIQ', 1, 112, 1).ljust(112, b'\\0'), 0, -1, -1, 0)"),
    ),
    _kernel("ptrace traceme", _returns("call('ptrace', 0, 0, 0, 0)")),
    _kernel("fsopen", _returns("call('fsopen', b'tmpfs', 0)"), root=True),
    _kernel("a user namespace", _returns("call('unshare', 0x10000000)")),
    _kernel("a network namespace", _returns("call('unshare', 0x40000000)"), root=True),
    _kernel("a mount namespace", _returns("call('unshare', 0x20000)"), root=True),
    _kernel("chroot", "os.chroot('$room')\nreturn os.path.exists('/page') and 'inside'", root=True),
    _kernel(
        "a filter with a listener",
        """
        allow = struct.pack("<HBBI", 6, 0, 0, 0x7FFF0000)
        code = ctypes.create_string_buffer(allow)
        return call("seccomp", 1, 8, struct.pack("<HxxxxxxQ", 1, ctypes.addressof(code))) >= 0 and "listens"
        """,
    ),
    _kernel("dumpable again", "return libc.prctl(4, 1, 0, 0, 0) == 0 and libc.prctl(3, 0, 0, 0, 0) == 1"),
    _kernel(
        "living on after the parent",
        "now = ctypes.c_int(9)\n"
        "return libc.prctl(1, 0, 0, 0, 0) == 0 == libc.prctl(2, ctypes.byref(now), 0, 0, 0) == now.value",
    ),
    _kernel("children of children", _returns("libc.prctl(36, 1, 0, 0, 0)")),
    _kernel("memfd_create", _returns("call('memfd_create', b'$token', 0)")),
    _kernel("memfd_secret", _returns("call('memfd_secret', 0)")),
    _kernel(
        "shmget",
        "key = call('shmget', 0, 4096, 0o1600)\nreturn key >= 0 and call('shmctl', key, 0, 0) == 0 and 'shared'",
    ),
    _kernel(
        "semget",
        "key = call('semget', 0, 1, 0o1600)\nreturn key >= 0 and call('semctl', key, 0, 0, 0) == 0 and 'shared'",
    ),
    _kernel(
        "msgget", "key = call('msgget', 0, 0o1600)\nreturn key >= 0 and call('msgctl', key, 0, 0) == 0 and 'shared'"
    ),
    _kernel(
        "mq_open", _returns("call('mq_open', b'$token', 0o102, 0o600, 0)") + " and call('mq_unlink', b'$token') == 0"
    ),
    _kernel("inotify", _returns("libc.inotify_add_watch(call('inotify_init1', 0), b'$room', 2)", 1)),
    _kernel("fanotify", _returns("call('fanotify_init', 0, 0)"), root=True),
    _kernel("timerfd", _returns("call('timerfd_create', 1, 0)")),
    _kernel("eventfd", _returns("call('eventfd2', 0, 0)")),
    _kernel("signalfd", _returns("call('signalfd4', -1, bytes(8), 8, 0)")),
    _kernel("epoll", _returns("call('epoll_create1', 0)")),
    _kernel("a pipe", "return os.pipe()"),
    _kernel("personality", "return call('personality', 0x0040000) >= 0 and call('personality', -1) == 0x0040000"),
    _kernel("being root", "os.setuid(0)\nreturn os.getuid() == 0 and 'root'", root=True),
    _kernel("being root again", "os.setresuid(0, 0, 0)\nreturn os.geteuid() == 0 and 'root'", root=True),
    _kernel("groups", "os.setgroups([0, 4])\nreturn os.getgroups()", root=True),
    _kernel(
        "capset",
        """
        everything = struct.pack("<6I", 1 << 21, 1 << 21, 0, 0, 0, 0)
        return call("capset", struct.pack("<Ii", 0x20080522, 0), everything) == 0 and "all administration"
        """,
        root=True,
    ),
    _unlikely(_kernel("ioperm", _returns("call('ioperm', 0x378, 1, 1)"), root=True)),
    _kernel("modify_ldt", _returns("call('modify_ldt', 1, struct.pack('<4I', 0, 0, 0, 0x51), 16)")),
    _kernel("syslog", _returns("call('syslog', 10, 0, 0)", 1)),
    # Nothing is ever mounted: a mount outlives its program, and whoever tidies up may delete through it.
    _right("mount of no file system", "call('mount', b'none', b'$room/empty', b'$token', 0, 0)"),
    _right("reboot with a wrong number", "call('reboot', 1, 2, 3, 0)"),
    _unlikely(_right("init_module of nothing", "call('init_module', b'', 0, b'')")),
    _unlikely(_right("delete_module of none", "call('delete_module', b'$token', 0x800)")),
    _right("swapon of nothing", "call('swapon', b'$room/none', 0)"),
    _right("acct of nothing", "call('acct', b'$room/none')"),
    _unlikely(_right("kexec_load of nothing", "call('kexec_load', 0, 99, 0, 0)")),
    _right("pivot_root of nothing", "call('pivot_root', b'$room/none', b'$room/none')"),
    _right("sethostname of a wrong length", "call('sethostname', b'', -1)"),
    _kernel(
        "quotactl",
        f"return denied_only_by_nonsense(call('quotactl', {0x800007 << 8 & 0xFFFFFFFF}, b'$room/none', 0, 0))",
        before=_ERRNO,
    ),
    _kernel(
        "executable memory",
        """
        code = libc.mmap(0, 4096, 7, 0x22, -1, 0)
        ctypes.memmove(code, RETURNS_42, len(RETURNS_42))
        return run(code)
        """,
        before=_RUN,
    ),
    _kernel(
        "memory made executable",
        """
        code = libc.mmap(0, 4096, 3, 0x22, -1, 0)
        ctypes.memmove(code, RETURNS_42, len(RETURNS_42))
        return libc.mprotect(ctypes.c_long(code), 4096, 5) == 0 and run(code)
        """,
        before=_RUN,
    ),
    _kernel(
        "memory made executable by pkey_mprotect",
        """
        code = libc.mmap(0, 4096, 3, 0x22, -1, 0)
        ctypes.memmove(code, RETURNS_42, len(RETURNS_42))
        return call("pkey_mprotect", code, 4096, 5, -1) == 0 and run(code)
        """,
        before=_RUN,
    ),
    _kernel(
        "code of a library made writable",
        """
        page = ctypes.cast(libc.getpid, ctypes.c_void_p).value & -4096
        return libc.mprotect(ctypes.c_long(page), 4096, 7) == 0 and "writable"
        """,
        before=_RUN,
    ),
    _kernel(
        "reading implies executing",
        """
        if call("personality", 0x0400000) < 0:
            return False
        code = libc.mmap(0, 4096, 3, 0x22, -1, 0)
        ctypes.memmove(code, RETURNS_42, len(RETURNS_42))
        return run(code)
        """,
        before=_RUN,
    ),
    _kernel(
        "executable shared memory",
        """
        key = call("shmget", 0, 4096, 0o1700)
        code = call("shmat", key, 0, 0o100000)
        if call("shmctl", key, 0, 0) or code < 0:
            return False
        ctypes.memmove(code, RETURNS_42, len(RETURNS_42))
        return run(code)
        """,
        before=_RUN,
    ),
    _kernel("real-time priority", _returns("call('sched_setscheduler', 0, 1, struct.pack('<i', 1))"), root=True),
    _kernel(
        "a better priority", "os.setpriority(os.PRIO_PROCESS, 0, -10)\nreturn os.getpriority(0, 0) == -10", root=True
    ),
    # Locking the frames' memory may take longer than a program has.
    _unlikely(_kernel("all memory locked", _returns("libc.mlockall(1)"), root=True)),
    _kernel("a policy for memory", _returns("call('set_mempolicy', 1, 0, 0)")),
    _kernel(
        "more files",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "return resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 64",
        before="import resource",
    ),
    _kernel(
        "more processes",
        "resource.setrlimit(resource.RLIMIT_NPROC, (64, 64))\n"
        "return resource.getrlimit(resource.RLIMIT_NPROC)[0] == 64",
        before="import resource",
    ),
    _kernel(
        "more address space", f"return libc.prlimit(0, 9, struct.pack('<QQ', {_HUGE << 40}, {_HUGE << 40}), None) == 0"
    ),
)
