"""Programs that are after other processes: their memory, their files, their life."""

from tests.conformance.hostile import Harm, Hostile, attack, leaked, said, victim_harmed

_REMOTE = """
def parts(address, size):
    return struct.pack("<QQ", address, size)
mine = ctypes.create_string_buffer(b"X" * $length)
"""


def _other(name: str, body: str, harm: Harm = victim_harmed, before: str = "", root: bool = False) -> Hostile:
    return Hostile(name, "others", attack(body, _REMOTE + before), harm, layered=True, root=root)


def _read(pid: str, address: str) -> str:
    arguments = f"{pid}, parts(ctypes.addressof(mine), $length), 1, parts({address}, $length), 1, 0"
    return f"return call('process_vm_readv', {arguments}) > 0 and mine.value"


PROGRAMS = (
    _other("process_vm_readv of a process", _read("$victim", "$address"), leaked),
    _other("process_vm_readv of the host", _read("$host", "$memory"), leaked),
    _other(
        "process_vm_writev",
        "return call('process_vm_writev', $victim, parts(ctypes.addressof(mine), 8), 1, parts($address, 8), 1, 0) == 8",
    ),
    _other(
        "read the memory of a process", "f = os.open('/proc/$victim/mem', 0)\nreturn os.pread(f, 60, $address)", leaked
    ),
    _other("read the memory of the host", "f = os.open('/proc/$host/mem', 0)\nreturn os.pread(f, 60, $memory)", leaked),
    _other("write the memory of a process", "return os.pwrite(os.open('/proc/$victim/mem', 2), b'XXXX', $address)"),
    _other("the environment of a process", "return open('/proc/$victim/environ').read()", leaked),
    _other("the environment of the host", "return len(open('/proc/$host/environ').read()) > 1 and 'read'", said),
    _other("the command line of the host", "return open('/proc/$host/cmdline').read()[:9]", said),
    _other("the state of the host", "return open('/proc/$host/stat').read()[:9]", said),
    _other("the open files of the host", "return os.listdir('/proc/$host/fd')", said),
    _other("the list of processes", "return '$host' in os.listdir('/proc') and 'listed'", said),
    _other(
        "ptrace attach",
        "return call('ptrace', 16, $victim, 0, 0) == 0 and os.waitpid($victim, 0) and call('ptrace', 17, "
        "$victim, 0, 0) == 0",
        said,
    ),
    _other("ptrace seize", "return call('ptrace', 0x4206, $victim, 0, 0) == 0", said),
    _other("ptrace seize of another worker", "return call('ptrace', 0x4206, $bystander, 0, 0) == 0", said),
    _other("kill a process", "os.kill($victim, signal.SIGKILL)\nreturn True"),
    _other("stop a process", "os.kill($victim, signal.SIGSTOP)\nreturn True"),
    _other("wake a process", "os.kill($victim, signal.SIGUSR1)\nreturn True"),
    _other("could kill the host", "return os.kill($host, 0) is None and 'could'", said),
    _other("could kill another worker", "return os.kill($bystander, 0) is None and 'could'", said),
    _other("could kill its parent", "return os.getppid() > 0 and os.kill(os.getppid(), 0) is None and 'could'", said),
    _other("kill a group", "os.killpg($victim, signal.SIGKILL)\nreturn True"),
    _other("tgkill by its number", "return call('tgkill', $victim, $victim, signal.SIGKILL) == 0"),
    _other("sigqueue", "return libc.sigqueue($victim, signal.SIGKILL, ctypes.c_void_p(7)) == 0"),
    _other(
        "rt_sigqueueinfo by its number",
        "about = struct.pack('<iii116x', 10, 0, -1)\nreturn call('rt_sigqueueinfo', $victim, 10, about) == 0",
    ),
    _other(
        "a signal through a pidfd",
        "return call('pidfd_send_signal', call('pidfd_open', $victim, 0), signal.SIGKILL, 0, 0) == 0",
    ),
    _other(
        "a file taken through a pidfd", "return call('pidfd_getfd', call('pidfd_open', $victim, 0), 1, 0) >= 0", said
    ),
    _other("a pidfd of the host", "return call('pidfd_open', $host, 0) >= 0", said),
    _other("the priority of a process", "os.setpriority(os.PRIO_PROCESS, $victim, 19)\nreturn True"),
    _other(
        "the limits of a process",
        "return libc.prlimit($victim, 7, struct.pack('<QQ', 9, 9), None) == 0",
    ),
    _other("the processors of a process", "os.sched_setaffinity($victim, list(os.sched_getaffinity($victim))[:1])"),
    _other("the scheduler of a process", "return call('sched_setscheduler', $victim, 5, struct.pack('<i', 0)) == 0"),
    _other("the disk priority of a process", "return call('ioprio_set', 1, $victim, 3 << 13) == 0"),
    _other(
        "comparing itself with a process",
        "return call('kcmp', os.getpid(), $victim, 0, 1, 1) >= 0 and 'compared'",
        said,
    ),
    _other("the group of a process", "return os.getpgid($victim)", said),
    _other("the session of a process", "return os.getsid($victim)", said),
    _other("looking up a priority", "return os.getpriority(os.PRIO_PROCESS, $victim)", said),
    _other("looking up the processors", "return sorted(os.sched_getaffinity($host))[0] >= 0 and 'looked'", said),
    _other(
        "looking up limits",
        "now = bytearray(16)\nplace = (ctypes.c_char * 16).from_buffer(now)\n"
        "return libc.prlimit($host, 7, None, place) == 0",
        said,
    ),
    _other(
        "looking up a processor clock", "return time.clock_gettime(~$host << 3 | 2) > 0 and 'read'", said, "import time"
    ),
    _other(
        "joining the namespaces of a process",
        "return call('setns', call('pidfd_open', $victim, 0), 0x04000000) == 0",
        said,
        root=True,
    ),
)
