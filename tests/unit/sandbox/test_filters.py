"""The filters of system calls: what they decide, that they are what their source says, and that the kernel agrees."""

import errno
import json
import operator
import platform
import random
import signal
import subprocess
import sys
from collections import defaultdict

import bpf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from car.sandbox.filters import name_of, path_of
from tools import seccomp_filter
from tools.seccomp_filter import ALLOW, ARCHITECTURES, FOLDER, HARMFUL, REFUSE, Condition, Rule

MACHINES = tuple(ARCHITECTURES)
KILL, TRAP, ERROR, MADE = 0x80000000, 0x00030000, 0x00050000, 0x7FFF0000
I386, ARM, X32 = 0x40000003, 0x40000028, 0x40000000
WORD = (1 << 64) - 1

PROGRAMS = {machine: bpf.decoded((FOLDER / f"{machine}.bpf").read_bytes()) for machine in MACHINES}
TABLE: dict[str, dict[str, str]] = json.loads((FOLDER / "names.json").read_text(encoding="utf-8"))
NUMBERS = {machine: {name: int(number) for number, name in TABLE[machine].items()} for machine in MACHINES}
RULES: dict[str, list[Rule]] = defaultdict(list)
for _rule in ALLOW + REFUSE:
    RULES[_rule.name].append(_rule)
PINNED = sorted({rule.name for rule in ALLOW + REFUSE if rule.conditions})

# All that a condition can turn on, each bit of the flags, and what a compiler may leave in the upper half.
EDGES = sorted(
    {value for rule in ALLOW + REFUSE for each in rule.conditions for value in (each.value, each.value + 1)}
    | {1 << bit for bit in range(64)}
    | {value | 1 << 32 for value in range(18)}
    | {
        0x22,
        0x21,
        0x23,
        0x20,
        0x12,
        0x40022,
        0x4022,
        0x20022,
        0x80,
        0x81,
        0x89,
        0x189,
        0x86,
        WORD,
        WORD - 1,
        WORD >> 32,
    }
)
COMPARE = {"==": operator.eq, "!=": operator.ne, ">": operator.gt}


def decision(machine: str, number: int, *arguments: int) -> int:
    """What the shipped filter says."""
    return bpf.run(PROGRAMS[machine], ARCHITECTURES[machine], number, (*arguments, *[0] * (6 - len(arguments))))


def holds(condition: Condition, arguments: list[int]) -> bool:
    return COMPARE[condition.compare](arguments[condition.index] & condition.mask, condition.value)


def intended(name: str, arguments: list[int]) -> int:
    """What the policy says. No call may come under two rules that differ: libseccomp keeps no order between them."""
    errors = {rule.error for rule in RULES.get(name, ()) if all(holds(each, arguments) for each in rule.conditions)}
    assert len(errors) <= 1, (name, arguments, errors)
    return TRAP if not errors else ERROR | error if (error := errors.pop()) else MADE


@pytest.mark.parametrize("machine", MACHINES)
def test_every_system_call_has_the_end_that_the_policy_gives_it(machine: str) -> None:
    draw = random.Random(20)
    for number in range(-1, 600):
        name = TABLE[machine].get(str(number), "")
        for _ in range(6):
            arguments = [draw.choice(EDGES) for _ in range(6)]
            assert decision(machine, number, *arguments) == intended(name, arguments), (number, name, arguments)


@settings(max_examples=1000, deadline=None)
@given(
    machine=st.sampled_from(MACHINES),
    name=st.sampled_from(PINNED),
    arguments=st.lists(st.sampled_from(EDGES) | st.integers(0, WORD), min_size=6, max_size=6),
)
def test_arguments_are_pinned_as_the_policy_says(machine: str, name: str, arguments: list[int]) -> None:
    if name in NUMBERS[machine]:
        assert decision(machine, NUMBERS[machine][name], *arguments) == intended(name, arguments)


# Said once more by hand, so that a slip in the policy itself is found.
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("read", (3,), MADE),
        ("read", (0,), TRAP),
        ("read", (4,), TRAP),
        ("read", (3 | 1 << 32,), MADE),  # the kernel looks at the lower half
        ("write", (4,), MADE),
        ("write", (1,), MADE),
        ("write", (2,), MADE),
        ("write", (3,), TRAP),
        ("write", (5,), TRAP),
        ("mmap", (0, 4096, 3, 0x22), MADE),
        ("mmap", (0, 4096, 0, 0x4022), MADE),  # a heap of malloc
        ("mmap", (0, 4096, 0, 0x20022), MADE),  # the stack of a thread
        ("mmap", (0, 4096, 7, 0x22), TRAP),  # executable
        ("mmap", (0, 4096, 1, 0x02), TRAP),  # a file
        ("mmap", (0, 4096, 3, 0x21), TRAP),  # shared
        ("mmap", (0, 4096, 3, 0x23), TRAP),
        ("mmap", (0, 4096, 3, 0x32), TRAP),  # at a fixed place
        ("mmap", (0, 4096, 3, 0x40022), TRAP),  # huge pages
        ("mprotect", (0, 4096, 3), MADE),
        ("mprotect", (0, 4096, 5), ERROR | errno.EPERM),
        ("mremap", (0, 4096, 8192, 1), MADE),
        ("mremap", (0, 4096, 8192, 3), TRAP),
        ("madvise", (0, 4096, 4), MADE),
        ("madvise", (0, 4096, 14), MADE),
        ("madvise", (0, 4096, 12), TRAP),  # merge with other processes' pages
        ("madvise", (0, 4096, 100), ERROR | errno.EINVAL),  # poison
        ("madvise", (0, 4096, 102), ERROR | errno.EINVAL),  # what new C libraries try for the stack of a thread
        ("futex", (0, 0x80), MADE),
        ("futex", (0, 0x189), MADE),
        ("futex", (0, 0x00), ERROR | errno.EAGAIN),  # between processes, on the memory of the frames
        ("futex", (0, 0x01), MADE),
        ("futex", (0, 0x109), ERROR | errno.EAGAIN),
        ("futex", (0, 0x86), TRAP),  # priority inheritance
        ("futex", (0, 0x8C), TRAP),
        ("clock_gettime", (1,), MADE),
        ("clock_gettime", (2,), MADE),
        ("clock_gettime", ((~1234 << 3 | 2) & 0xFFFFFFFF,), TRAP),  # the processor time of process 1234
        ("clock_gettime", ((~1234 << 3 | 2) & WORD,), TRAP),
        ("sched_getaffinity", (0,), MADE),
        ("sched_getaffinity", (1,), ERROR | errno.EPERM),
        ("clone", (0x3D0F00,), ERROR | errno.EAGAIN),  # pthread_create
        ("clone", (0x1200011,), TRAP),  # fork
        ("clone", (0x4111,), TRAP),  # posix_spawn
        ("clone3", (), ERROR | errno.ENOSYS),
        ("getpid", (), ERROR | errno.EPERM),
        ("exit_group", (0,), MADE),
        ("openat", (), ERROR | errno.EACCES),
        ("close", (3,), ERROR | errno.EACCES),
        ("close", (4,), ERROR | errno.EACCES),
        ("clock_nanosleep", (), ERROR | errno.EPERM),
        ("rt_sigaction", (31,), ERROR | errno.EPERM),
        ("kill", (1, 9), ERROR | errno.EPERM),
        ("prctl", (), ERROR | errno.EPERM),
    ],
)
def test_what_is_made_refused_and_fatal(machine: str, name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert decision(machine, NUMBERS[machine][name], *arguments) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_what_has_no_honest_use_ends_the_worker(machine: str) -> None:
    draw = random.Random(21)
    harmful = " ".join(HARMFUL).split()
    known = [NUMBERS[machine][name] for name in harmful if name in NUMBERS[machine]]
    assert len(known) > 100
    for number in known:
        assert decision(machine, number, *(draw.choice(EDGES) for _ in range(6))) == TRAP, number


def test_each_harmful_name_is_a_system_call_and_in_no_other_list() -> None:
    harmful = " ".join(HARMFUL).split()
    assert set(harmful) <= NUMBERS["x86_64"].keys() | NUMBERS["aarch64"].keys()
    assert not set(harmful) & RULES.keys()
    assert len(harmful) == len(set(harmful))


@pytest.mark.parametrize("machine", MACHINES)
def test_another_architecture_kills_the_process(machine: str) -> None:
    for architecture in {I386, ARM, *ARCHITECTURES.values()} - {ARCHITECTURES[machine]}:
        for number in range(600):
            assert bpf.run(PROGRAMS[machine], architecture, number, [3] * 6) == KILL


def test_numbers_of_x32_kill_the_process() -> None:
    assert all(decision("x86_64", X32 | number, 3, 0, 0, 0x22) == KILL for number in range(600))
    assert all(decision("x86_64", number, 3) in (KILL, TRAP) for number in (-1, -2, X32 - 1, (1 << 31) - 1))


@pytest.mark.parametrize("machine", MACHINES)
def test_filters_are_within_the_kernels_limit(machine: str) -> None:
    assert (FOLDER / f"{machine}.bpf").stat().st_size % 8 == 0
    assert 0 < len(PROGRAMS[machine]) < 4096


def test_names_and_paths_are_found_by_what_platform_says() -> None:
    assert path_of("x86_64") == path_of("AMD64") == FOLDER / "x86_64.bpf"
    assert path_of("aarch64") == path_of("arm64") == FOLDER / "aarch64.bpf"
    assert path_of("riscv64") is None
    assert (name_of("x86_64", 41), name_of("arm64", 198), name_of("AMD64", 462)) == ("socket", "socket", "mseal")
    assert name_of("x86_64", 999) == "system call 999"
    assert name_of("riscv64", 41) == "system call 41"


def test_each_name_of_the_policy_is_a_system_call_somewhere() -> None:
    assert RULES.keys() <= NUMBERS["x86_64"].keys() | NUMBERS["aarch64"].keys()


@pytest.mark.parametrize("machine", MACHINES)
def test_the_filters_that_ship_are_what_the_policy_exports(machine: str) -> None:
    made_with, here = (FOLDER / "MADE_WITH").read_text().strip(), f"libseccomp {seccomp_filter.libseccomp_version()}"
    if here != made_with:
        pytest.skip(f"the filters were laid out by {made_with}; here is {here}")
    assert seccomp_filter.exported(machine) == (FOLDER / f"{machine}.bpf").read_bytes(), "run `make filters`"
    there = TABLE[machine]
    assert all(there[str(number)] == name for number, name in seccomp_filter.names(machine).items())


LOAD = """
import ctypes, errno, mmap, os, signal, sys, threading, time
{imports}
assert os.pipe() == (3, 4)
libc = ctypes.CDLL(None, use_errno=True)
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]
instructions = open({path!r}, "rb", buffering=0).read()
loaded = Filter(len(instructions) // 8, instructions)
set_no_new_privs, set_seccomp, with_filter = 38, 22, 2
assert libc.prctl(set_no_new_privs, 1, 0, 0, 0) == 0
assert libc.prctl(set_seccomp, with_filter, ctypes.byref(loaded), 0, 0) == 0, ctypes.get_errno()
def refused(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
"""
# The descriptor that read the filter is closed, so that the pipe is 3 and 4.
HERE = path_of(platform.machine())
on_linux = pytest.mark.skipif(
    sys.platform != "linux" or HERE is None, reason="there is a filter for x86-64 and aarch64 Linux only"
)


def caged(code: str, imports: str = "", machine: str = platform.machine()) -> subprocess.CompletedProcess[str]:
    """Runs the code in a fresh process under the shipped filter."""
    program = LOAD.format(imports=imports, path=str(path_of(machine))) + code
    return subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


def said(code: str, imports: str = "") -> list[str]:
    ran = caged(code, imports)
    assert ran.returncode == 0, (ran.returncode, ran.stderr)
    return ran.stdout.split()


@on_linux
def test_under_the_filter_the_channel_memory_and_clocks_work() -> None:
    code = """
os.write(4, b"ping"); print(os.read(3, 4).decode(), os.getpid() == -1, len(os.urandom(8)), time.process_time() > 0)
print(len(bytearray(1 << 28)), threading.Lock().acquire(timeout=0.01), threading.Event().wait(0.01))
"""
    assert said(code) == ["ping", "True", "8", "True", str(1 << 28), "True", "False"]


@on_linux
def test_under_the_filter_what_honest_code_stumbles_on_raises() -> None:
    code = """
print(*(refused(*each) for each in (
    (os.open, "/etc/passwd", os.O_RDONLY), (os.stat, "/"), (os.listdir, "/"), (os.close, 3), (os.dup, 4), (os.getcwd,),
    (os.unlink, "/nowhere"), (os.chmod, "/nowhere", 0o777), (time.sleep, 0.01), (os.kill, 1, 0),
    (signal.signal, signal.SIGSYS, signal.SIG_IGN), (os.sched_setaffinity, 0, {0}), (os.uname,),
)))
try:
    threading.Thread(target=print).start()
except RuntimeError as error:
    print(str(error).replace(" ", "-"))
"""
    assert said(code) == [*["EACCES"] * 8, *["EPERM"] * 5, "can't-start-new-thread"]


@on_linux
@pytest.mark.parametrize(
    "code",
    [
        "import _socket; _socket.socket()",
        "os.fork()",
        "os.system('true')",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "os.memfd_create('a')",
        "os.pipe()",
        "os.read(0, 1)",
        "os.write(5, b'x')",
        "mmap.mmap(-1, 4096)",
        "mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)",
        "time.clock_gettime(~1 << 3 | 2)",
        "libc.shmget(0, 4096, 0o1777)",
        "libc.syscall(5000)",
    ],
)
def test_under_the_filter_harm_ends_the_process(code: str) -> None:
    ran = caged(f"{code}\nprint('it went on')", imports="import _socket")
    assert (ran.returncode, ran.stdout) == (-signal.SIGSYS, ""), ran.stderr


@on_linux
@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86-64 has x32 numbers")
def test_under_the_filter_a_number_of_x32_ends_the_process() -> None:
    ran = caged(f"libc.syscall({X32 | 39}); print('it went on')")
    assert (ran.returncode, ran.stdout) == (-signal.SIGSYS, ""), ran.stderr


@on_linux
def test_the_kernel_takes_each_filter_and_that_of_another_machine_kills() -> None:
    (other,) = (machine for machine in MACHINES if path_of(machine) != HERE)
    ran = caged("print('it went on')", machine=other)
    assert (ran.returncode, ran.stdout) == (-signal.SIGSYS, ""), ran.stderr


@on_linux
def test_under_the_filter_numpy_and_opencv_work() -> None:
    code = """
r = np.random.default_rng(0)
image = r.integers(0, 255, (480, 480, 3), dtype=np.uint8)
grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
a = r.random((400, 400))
cv2.setNumThreads(2)
wide = cv2.GaussianBlur(cv2.resize(image, (2000, 2000)), (9, 9), 2)
print(np.allclose(np.linalg.solve(a, a), np.eye(400)), np.isfinite(np.linalg.svd(a)[1]).all(), wide.shape[0])
print(cv2.connectedComponents((grey > 250).astype(np.uint8))[0] > 1, cv2.imencode(".png", image)[0])
print(len(np.unique(np.random.default_rng().random(10**6))) > 1, cv2.getNumThreads() > 0, np.zeros(10**7).sum())
"""
    imports = "import cv2\nimport numpy as np\nimport numpy.linalg, numpy.ma, numpy.random, secrets"
    assert said(code, imports) == ["True", "True", "2000", "True", "True", "True", "True", "0.0"]
