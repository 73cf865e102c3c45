"""The system-call filter of the sandbox: its policy as data, and the export of the filters that ship.

`python -m tools.seccomp_filter` writes `car/sandbox/filters/` again: the filters in the kernel's form (classic BPF),
the names of the system calls by number, and the version of libseccomp that laid the filters out. It needs libseccomp
and pyseccomp; who uses the package needs neither.

What a worker asks of the kernel has one of three ends:

- `ALLOW`: the call is made.
- `REFUSE`: the call fails with an error number, which Python raises as an exception. For what honest code stumbles on.
- everything else: the call is not made and the worker gets SIGSYS, which ends it. No checker has an honest use for it.

A call of another architecture (`int 0x80` on x86-64, the x32 numbers, 32-bit ARM) kills the worker at once.
"""

import ctypes
import ctypes.util
import errno
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

FOLDER = Path(__file__).parents[1] / "car" / "sandbox" / "filters"

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The machines that have a filter, with the kernel's AUDIT_ARCH number of each."""

# Numbers of the kernel's interface. They are the same on both architectures; Python's modules know only some of them.
PROT_EXEC = 0x4
MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE, MAP_STACK = 0x2, 0x20, 0x4000, 0x20000
MREMAP_MAYMOVE = 0x1
CLONE_THREAD = 0x10000
FUTEX_PRIVATE, FUTEX_REALTIME = 0x80, 0x100
# WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET and WAKE_BITSET.
FUTEX_CALLS = (0, 1, 3, 4, 5, 9, 10)
NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE = 0, 1, 2, 3, 4, 8, 14, 15

WHOLE = (1 << 64) - 1
# The kernel takes a C int from the lower half of a register, and a compiler may leave anything in the upper half.
INT = (1 << 32) - 1


class Condition(NamedTuple):
    """That `arguments[index] & mask` compares so with `value`."""

    index: int
    compare: Literal["==", "!=", ">"]
    value: int
    mask: int = WHOLE


class Rule(NamedTuple):
    """What happens to a system call if all conditions hold: it is made, or fails with `error` (0: it is made)."""

    name: str
    error: int = 0
    conditions: tuple[Condition, ...] = ()


def _each(names: str, error: int = 0) -> tuple[Rule, ...]:
    return tuple(Rule(name, error) for name in names.split())


def _one_of(name: str, index: int, values: tuple[int, ...], mask: int) -> tuple[Rule, ...]:
    return tuple(Rule(name, 0, (Condition(index, "==", value, mask),)) for value in values)


ALLOW = (
    # The channel: requests come on 3, replies go out on 4; 1 and 2 are /dev/null, where C libraries print.
    *_one_of("read", 0, (3,), INT),
    *_one_of("write", 0, (4, 1, 2), INT),
    # Memory of its own. No file or shared memory is mapped, nothing becomes executable, and the machine's huge pages
    # stay where they are: of the flags only those that malloc, Python and OpenBLAS use.
    Rule("mmap", 0, (
        Condition(2, "==", 0, PROT_EXEC),
        Condition(3, "==", MAP_PRIVATE | MAP_ANONYMOUS, INT & ~(MAP_NORESERVE | MAP_STACK)),
    )),
    Rule("mprotect", 0, (Condition(2, "==", 0, PROT_EXEC),)),
    Rule("mremap", 0, (Condition(3, "==", 0, INT & ~MREMAP_MAYMOVE),)),
    *_each("munmap brk"),
    # Advice of malloc and numpy on their own memory; not merging with the pages of others, nor poisoning pages.
    *_one_of("madvise", 2, (NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE), WHOLE),
    # Locks of Python, malloc and OpenCV. Without priority inheritance, which nothing uses and where bugs were found.
    # Private only: on the frames' memory, shared ones would let two checkers of a session talk to each other.
    # Waking alone, which C libraries do when a thread could not be started, wakes nobody.
    *_one_of("futex", 1, (1, *(FUTEX_PRIVATE | each for each in FUTEX_CALLS)), INT & ~FUTEX_REALTIME),
    *_each("sched_yield"),
    # Clocks: those of the system and its own (0 to 15). Higher numbers are the processor time of any process.
    *_one_of("clock_gettime", 0, (0,), INT & ~0xF),
    *_one_of("clock_getres", 0, (0,), INT & ~0xF),
    *_each("gettimeofday time times getrusage"),
    # Random numbers: random, uuid, numpy's generators without a seed.
    *_each("getrandom"),
    # What it is and where it runs: OpenCV, OpenBLAS and Python ask. Only of itself, not of other processes.
    *_each("getuid geteuid getgid getegid getcpu"),
    *_one_of("sched_getaffinity", 0, (0,), WHOLE),
    # C's qsort asks for the size of the memory, does not look at errors, and sorts otherwise in another order.
    *_each("sysinfo"),
    # Signals: Python and pthreads mask them around their work; a handler returns; a call that was stopped goes on.
    *_each("rt_sigprocmask rt_sigreturn sigaltstack restart_syscall"),
    *_each("exit exit_group"),
)  # fmt: skip
"""What a checker's work is made of: memory, locks, clocks, random numbers and the channel."""

REFUSE = (
    # Files by name: open, numpy.load, cv2.imread, a traceback that wants a source line, a time zone.
    *_each("open openat openat2 creat stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat",
           errno.EACCES),
    *_each("getcwd chdir statfs truncate mkdir mkdirat mknod mknodat rmdir unlink unlinkat rename renameat renameat2",
           errno.EACCES),
    *_each("link linkat symlink symlinkat chmod fchmodat chown lchown fchownat utime utimes utimensat futimesat umask",
           errno.EACCES),
    # Files by number: isatty, flush, seek. Closing would end the channel; no honest code has anything to close.
    *_each("close close_range dup dup2 dup3 fcntl ioctl lseek fstat fstatfs fchdir fchmod fchown ftruncate fallocate",
           errno.EACCES),
    *_each("fadvise64 flock fsync fdatasync msync getdents getdents64 readv writev pread64 pwrite64", errno.EACCES),
    # Waiting: a checker looks at one frame and answers.
    *_each("nanosleep clock_nanosleep poll ppoll select pselect6 pause alarm getitimer setitimer", errno.EPERM),
    # Signals: no handler may take the place of the worker's own, and no other process may be reached.
    *_each("rt_sigaction rt_sigpending rt_sigsuspend rt_sigtimedwait kill tkill tgkill", errno.EPERM),
    # Settings of processes and of the machine. OpenBLAS calls mbind, OpenMP the affinity of its threads, Python prctl;
    # all go on without.
    *_each("prctl arch_prctl prlimit64 getrlimit setrlimit getpriority setpriority uname", errno.EPERM),
    *_each("sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_setscheduler sched_getattr",
           errno.EPERM),
    *_each("sched_setattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval", errno.EPERM),
    # Its number differs from worker to worker, and no answer may depend on it; Python says -1.
    *_each("getpid gettid getppid", errno.EPERM),
    *_each("getpgid getpgrp getsid getgroups getresuid getresgid", errno.EPERM),
    *_each("mbind set_mempolicy get_mempolicy mlock mlock2 mlockall munlock munlockall", errno.EPERM),
    Rule("sched_getaffinity", errno.EPERM, (Condition(0, "!=", 0),)),
    # Between processes: as if somebody had been quicker, which C libraries take well; they abort at other errors.
    *(
        Rule("futex", errno.EAGAIN, (Condition(1, "==", each, INT & ~FUTEX_REALTIME),))
        for each in FUTEX_CALLS
        if each != 1
    ),
    Rule("mprotect", errno.EPERM, (Condition(2, "==", PROT_EXEC, PROT_EXEC),)),
    # Advice that came with later kernels: C libraries try it and do without, if the kernel does not know it.
    Rule("madvise", errno.EINVAL, (Condition(2, ">", NOHUGEPAGE),)),
    # Threads: Python raises, OpenCV works on in one. A filter cannot see the flags of clone3, so the C library is sent
    # back to clone; clone without this flag is fork.
    Rule("clone", errno.EAGAIN, (Condition(0, "==", CLONE_THREAD, CLONE_THREAD),)),
    *_each("clone3", errno.ENOSYS),
    # What libraries use where the kernel has it.
    *_each("membarrier rseq", errno.ENOSYS),
)  # fmt: skip
"""What honest code stumbles on: an exception of Python tells the author more than the end of the worker."""

HARMFUL = (
    # The network, and other processes through it.
    "socket socketpair connect bind listen accept accept4 sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg",
    # New processes and programs.
    "fork vfork execve execveat wait4 waitid pipe pipe2",
    # The memory, files and signals of other processes.
    "ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_open pidfd_getfd pidfd_send_signal",
    "rt_sigqueueinfo rt_tgsigqueueinfo shmget shmat shmctl shmdt semget semop semctl msgget msgsnd msgrcv msgctl",
    "mq_open mq_unlink memfd_create memfd_secret eventfd2 signalfd4 timerfd_create inotify_init1 fanotify_init",
    # Parts of the kernel with a long list of bugs.
    "io_uring_setup io_uring_enter io_uring_register bpf userfaultfd keyctl add_key request_key perf_event_open",
    "io_setup io_submit timer_create splice tee vmsplice sendfile copy_file_range epoll_create1 remap_file_pages",
    "pkey_mprotect personality modify_ldt set_thread_area mincore mseal futex_waitv",
    # The machine.
    "mount umount2 pivot_root chroot move_mount open_tree fsopen fsmount unshare setns name_to_handle_at",
    "open_by_handle_at init_module finit_module delete_module kexec_load reboot swapon swapoff quotactl acct syslog",
    "sethostname settimeofday clock_settime clock_adjtime adjtimex iopl ioperm",
    # Its own bounds.
    "setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid capget capset seccomp setsid setpgid",
    "landlock_create_ruleset landlock_add_rule landlock_restrict_self",
)
"""Examples of everything else, by group. The list has no effect: the tests check that each of them ends the worker."""

# Compared in this order where the kernel runs the filter; calls without conditions it remembers (since Linux 5.11).
FIRST = "read write futex mmap clock_gettime madvise mprotect munmap mremap brk sched_yield".split()

# System calls of Linux 6.8 to 6.19, which older versions of libseccomp cannot name. Since 424 all architectures agree.
_NEWER = dict(enumerate((
    "statmount", "listmount", "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal", "setxattrat",
    "getxattrat", "listxattrat", "removexattrat", "open_tree_attr", "file_getattr", "file_setattr", "listns",
), start=457))  # fmt: skip


class UnknownCallError(LookupError):
    """A name of the policy is no system call."""


def exported(machine: str) -> bytes:
    """The filter for a machine of `ARCHITECTURES`, as an array of the kernel's `struct sock_filter`.

    Raises:
        UnknownCallError: the policy names what this version of libseccomp does not know.
        OSError: libseccomp refused a rule.
    """
    import pyseccomp

    # Else the kernel of the machine that exports would decide what libseccomp offers.
    pyseccomp.set_api(3)
    made = pyseccomp.SyscallFilter(pyseccomp.TRAP)
    made.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    architecture, native = ARCHITECTURES[machine], pyseccomp.system_arch()
    if architecture != native:
        made.add_arch(architecture)
        made.remove_arch(native)
    for place, name in enumerate(FIRST):
        made.syscall_priority(name, 255 - place)
    for rule in _offered(architecture):
        action = pyseccomp.ERRNO(rule.error) if rule.error else pyseccomp.ALLOW
        made.add_rule(action, rule.name, *map(_compared, rule.conditions))
    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()


def _offered(architecture: int) -> Iterator[Rule]:
    """The rules whose system call this architecture has: aarch64 has `openat` and no `open`."""
    import pyseccomp

    nowhere = -1
    for rule in ALLOW + REFUSE:
        number = pyseccomp.resolve_syscall(architecture, rule.name)
        if number == nowhere:
            raise UnknownCallError(f"libseccomp {libseccomp_version()} knows no system call {rule.name!r}.")
        if number >= 0:
            yield rule


def _compared(condition: Condition) -> object:
    """The condition as pyseccomp takes it."""
    import pyseccomp

    if condition.compare == "==":
        return pyseccomp.Arg(condition.index, pyseccomp.MASKED_EQ, condition.mask, condition.value)
    compare = {"!=": pyseccomp.NE, ">": pyseccomp.GT}[condition.compare]
    return pyseccomp.Arg(condition.index, compare, condition.value)


def names(machine: str) -> dict[int, str]:
    """The system calls of a machine of `ARCHITECTURES`, by number."""
    import pyseccomp

    known = dict(_NEWER)
    for number in range(600):
        try:
            known[number] = pyseccomp.resolve_syscall(ARCHITECTURES[machine], number).decode()
        except ValueError:
            continue
    return dict(sorted(known.items()))


def libseccomp_version() -> str:
    """The version of libseccomp on this machine, or "none"; each version lays the same policy out in its own way."""

    class Version(ctypes.Structure):
        _fields_ = [(name, ctypes.c_uint) for name in ("major", "minor", "micro")]

    path = ctypes.util.find_library("seccomp")
    if path is None:
        return "none"
    ask = ctypes.CDLL(path).seccomp_version
    ask.restype = ctypes.POINTER(Version)
    version = ask().contents
    return f"{version.major}.{version.minor}.{version.micro}"


def main() -> None:
    """Writes the files in `car/sandbox/filters/`."""
    for machine in ARCHITECTURES:
        (FOLDER / f"{machine}.bpf").write_bytes(exported(machine))
    table = {machine: names(machine) for machine in ARCHITECTURES}
    (FOLDER / "names.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    (FOLDER / "MADE_WITH").write_text(f"libseccomp {libseccomp_version()}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
