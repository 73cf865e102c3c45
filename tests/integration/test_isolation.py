"""The sandbox as other users and other kernels have it."""

import json
import os
import re
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from ctypes.util import find_library
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
SAYS = """
import json
import numpy as np
from car.checker import Checker, SubTask
from car.sandbox.process import ProcessSandbox
sandbox = ProcessSandbox(at_least=0)
programs = [
    "def check(found, current): return bool(current.any())",
    "def check(found, current): return open('/etc/passwd')",
]
frames = np.ones((3, 8, 8, 3), np.uint8)
with sandbox.open([Checker(SubTask("it", "."), each) for each in programs]) as session:
    said = session.run(frames[0], frames).done.tolist()
print(json.dumps([sandbox.isolation.as_dict(), said]))
"""
# A kernel that does not know these calls answers with ENOSYS; `seccomp` is asked for through prctl too.
LACKS = """
import errno
import pyseccomp
lacking = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
for name in {names}:
    lacking.add_rule(pyseccomp.ERRNO(errno.ENOSYS), name)
lacking.load()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are those of Linux")
root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become another user")
libseccomp = pytest.mark.skipif(find_library("seccomp") is None, reason="libseccomp is not installed")


def measured(program: str, *command: str) -> tuple[dict[str, object], list[list[int]]]:
    """What the program says, run by this interpreter, or by the one at the end of the command."""
    command = command or (sys.executable,)
    run = subprocess.run(
        [*command, "-c", program], cwd="/", env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    isolation, said = json.loads(run.stdout)
    return isolation, said


def works(command: Sequence[str]) -> bool:
    """Whether an interpreter that is started so finds what it needs, itself included."""
    program = "import os, sys, cv2, numpy, landlockpy, car; sys.exit(not os.access(sys.executable, os.X_OK))"
    return (
        subprocess.run([*command, "-c", program], cwd="/", env=ENVIRONMENT, capture_output=True, check=False).returncode
        == 0
    )


def interpreter_for_all(folder: Path) -> Path:
    """The system's Python of this version with this environment's packages, in a folder that every user may read."""
    folder.chmod(0o755)
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    if not Path(system).exists():
        pytest.skip(f"there is no {system}, which every user may run")
    subprocess.run([system, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "borrowed.pth").write_text("\n".join([str(ROOT), *site.getsitepackages()]))
    return folder / "bin" / "python"


@pytest.fixture(scope="module", params=["another user", "no right in a namespace"])
def ordinary(request: pytest.FixtureRequest) -> Iterator[tuple[str, ...]]:
    """The start of a command whose interpreter is an ordinary user's."""
    with tempfile.TemporaryDirectory() as folder:
        if request.param == "another user":
            become = ("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "--inh-caps=-all")
            ways = [(*become, sys.executable), (*become, str(interpreter_for_all(Path(folder))))]
        else:
            ways = [("unshare", "--user", "--map-user=1000", "--map-group=1000", sys.executable)]
        found = next((each for each in ways if shutil.which(each[0]) and works(each)), None)
        if found is None:
            pytest.skip("no interpreter with these packages can be started as an ordinary user here")
        yield found


@root
@pytest.mark.parametrize("without", ["", "filter", "landlock", "limits"])
def test_an_ordinary_user_is_as_well_isolated(ordinary: tuple[str, ...], without: str) -> None:
    layers = f"[each for each in Layer if each != {without!r}]"
    program = SAYS.replace("at_least=0", f"at_least=0, layers={layers}")
    isolation, said = measured("from car.sandbox.isolation import Layer\n" + program, *ordinary)
    # In a namespace of root's, root's processes are not counted, so that without the filter some can be started.
    in_namespace = ordinary[0] == "unshare"
    level = {"": (2, 3) if in_namespace else (3,), "filter": (0, 1), "landlock": (2,), "limits": (0,)}[without]
    assert isolation["level"] in level
    assert "user" not in isolation["layers"]  # type: ignore[operator]
    assert [row[0] for row in said] == [1, 1, 1]
    if isolation["level"] in (2, 3):
        assert (isolation["could"], [row[1] for row in said]) == ([], [-2, -2, -2])


FEW = """
import resource
from car.errors import SandboxUnavailable
from car.sandbox.process import ProcessSandbox
resource.setrlimit(resource.RLIMIT_NPROC, ({most}, {most}))
try:
    print(ProcessSandbox().isolation)
except SandboxUnavailable as error:
    print(error)
"""


@root
@pytest.mark.parametrize("most", [1, 4, 8])
def test_too_few_processes_are_told_in_a_sentence(ordinary: tuple[str, ...], most: int) -> None:
    if ordinary[0] == "unshare":
        pytest.skip("root's processes are not counted")
    program = FEW.format(most=most)
    run = subprocess.run(
        [*ordinary, "-c", program], cwd="/", env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert re.fullmatch(r"(No|A) process for (a checker|checkers) could .*start.*", run.stdout.strip()), run
    assert run.stderr == ""


@libseccomp
def test_a_kernel_without_landlock_is_level_2() -> None:
    isolation, said = measured(LACKS.format(names=[444, 445, 446]) + SAYS)
    assert (isolation["level"], isolation["could"], said) == (2, [], [[1, -2]] * 3)
    assert "landlock" not in isolation["layers"]  # type: ignore[operator]


@libseccomp
def test_a_kernel_without_filters_is_level_1_at_best() -> None:
    isolation, said = measured(LACKS.format(names=["seccomp"]) + SAYS)
    assert isolation["level"] in (0, 1)
    assert "filter" not in isolation["layers"]  # type: ignore[operator]
    assert said == [[1, -2]] * 3


CAR = """
import sys
sys.argv = ["car", *{arguments}]
from car.cli import main
main()
"""


@libseccomp
def test_below_level_2_a_command_refuses_until_a_person_types_the_level() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        where = "--trajectories", str(ROOT / "trajectories"), "--rewards", str(ROOT / "generated_rewards")
        program = LACKS.format(names=["seccomp"]) + CAR.format(arguments=[*arguments, *where, "--json"])
        return subprocess.run(
            [sys.executable, "-c", program], cwd="/", env=ENVIRONMENT, capture_output=True, text=True, check=False
        )

    refused = run("verify", "unlock")
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["exit_code"] == 2
    assert "level 2 is required" in refused.stderr
    assert "--isolation 1" in refused.stderr
    allowed = run("verify", "unlock", "--isolation", "1")
    assert allowed.returncode == 0, allowed.stderr
    assert json.loads(allowed.stdout)["verdict"]["isolation"]["level"] == 1


ELSEWHERE = """
import os, sys
import cv2, numpy
from car.checker import Checker, SubTask
from car.errors import SandboxUnavailable
sys.modules["fcntl"] = sys.modules["resource"] = None
sys.platform = "win32"
from car.sandbox.process import ProcessSandbox
os.name = "nt"
try:
    ProcessSandbox(at_least=0).open([Checker(SubTask("it", "."), "def check(found, current): return True")])
except SandboxUnavailable as error:
    print(error)
"""


def test_a_system_that_can_isolate_nothing_is_refused_in_one_sentence() -> None:
    run = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], cwd="/", env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert run.stdout == "Programs cannot be isolated on this system: use Docker, or WSL2 on Windows.\n", run.stderr
