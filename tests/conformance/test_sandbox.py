"""What every sandbox must do: contain hostile and broken programs, and answer honest ones as this process would."""

import ctypes
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from car.checker import Checker, SubTask
from car.errors import BadFrame, SandboxUnavailable
from car.sandbox import Answers, Crashed, Kind, Limits, Ran, Refused, Sandbox, Session, TimedOut
from car.sandbox.process import ProcessSandbox

SANDBOXES: list[Callable[[], Sandbox]] = [ProcessSandbox]
QUICK = Limits(frame_seconds=1.5, memory_mb=256, lives=1)
SECRET = "sk-this-key-must-not-leave"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="checkers run on POSIX systems only")


def checker(source: str) -> Checker:
    return Checker(SubTask("it", "It is done."), textwrap.dedent(source))


def pictures(count: int = 4, side: int = 32) -> np.ndarray[Any, np.dtype[np.uint8]]:
    noise = np.random.default_rng(3).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return np.stack([cv2.blur(each, (5, 5)) for each in noise])


FRAMES = pictures()


def check(body: str, before: str = "") -> str:
    return (
        f"{textwrap.dedent(before)}\ndef check(found, current):\n"
        + textwrap.indent(textwrap.dedent(body), "    ")
        + "\n"
    )


# name -> (program, what its outcome on the first frame must be; a text is a part of the cause or reason)
HOSTILE: dict[str, tuple[str, type | tuple[type, str, str]]] = {
    "loops in Python": (check("while True: pass"), TimedOut),
    "loops in C": (check("return len(str(7 ** 10 ** 8)) > 1"), TimedOut),
    "loops and catches everything": (
        check("while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
        TimedOut,
    ),
    "loops in identify": ("def identify(initial):\n    while True: pass\n" + check("return True"), TimedOut),
    "sleeps": (check("import time; time.sleep(60); return True"), (Crashed, "check", "PermissionError")),
    "stops itself": (
        check("import os, signal; os.kill(os.getpid(), signal.SIGSTOP); return True"),
        (Crashed, "check", "PermissionError"),
    ),
    "exits at once": (check("import os; os._exit(3)"), (Crashed, "check", "exited with code 3")),
    "exits with success": (check("import os; os._exit(0)"), (Crashed, "check", "exited with code 0")),
    "sys.exit": (check("import sys; sys.exit(1)"), (Crashed, "check", "SystemExit: 1")),
    "raises KeyboardInterrupt": (check("raise KeyboardInterrupt"), (Crashed, "check", "KeyboardInterrupt")),
    "reads address 0": (
        "import ctypes\ndef identify(initial):\n    ctypes.string_at(0)\n" + check("return True"),
        (Crashed, "identify", "killed by SIGSEGV"),
    ),
    "reads outside an array": (
        check("return bool(np.lib.stride_tricks.as_strided(current, (9,), (1 << 40,)).sum())", "import numpy as np"),
        (Crashed, "check", "killed by SIGSEGV"),
    ),
    "writes to the frames' memory": (
        check("ctypes.memset(current.ctypes.data, 7, 3)\nreturn True", "import ctypes"),
        (Crashed, "check", "killed by SIGSEGV"),
    ),
    "aborts": (check("import os; os.abort()"), (Crashed, "check", "killed by SIG")),
    "one large array": (
        check("return bool(np.ones(10 ** 9).all())", "import numpy as np"),
        (Crashed, "check", "Memory"),
    ),
    "a growing list": (
        check("while True: kept.append(bytes(1 << 24))", "kept = []"),
        (Crashed, "check", "MemoryError"),
    ),
    "recurses": (check("return check(found, current)"), (Crashed, "check", "RecursionError")),
    "a hostile __str__": (
        check("raise Mean", "class Mean(Exception):\n    def __str__(self): raise SystemExit(self)"),
        (Crashed, "check", "Mean: (its message could not be read)"),
    ),
    "a hostile name": (
        check(
            "raise Mean",
            """
            class Meta(type):
                @property
                def __name__(cls): raise SystemExit
            class Mean(Exception, metaclass=Meta): pass
            """,
        ),
        (Crashed, "check", "Mean: "),
    ),
    "a huge message": (
        check("raise ValueError('\\x1b[31m' + 'x' * 10 ** 7)"),
        (Crashed, "check", "ValueError:  [31mxx"),
    ),
    "a cyclic traceback's worth of causes": (
        check("error = ValueError('round')\nerror.__cause__ = error\nraise error"),
        (Crashed, "check", "ValueError: round"),
    ),
    "answers 1": (check("return 1"), (Refused, "check", "it returned 1.")),
    "answers None": (check("return None"), (Refused, "check", "it returned None.")),
    "answers an array": (check("return current > 3"), (Refused, "check", "an array of shape (32, 32, 3)")),
    "answers a huge number": (check("return 10 ** 100000"), (Refused, "check", "an int of 332193 bits")),
    "answers a liar": (
        check("return Liar()", "class Liar:\n    __class__ = bool\n    def __bool__(self): return True\n"),
        (Refused, "check", "an object of type Liar"),
    ),
    "a hostile __repr__": (
        check("return Mean()", "class Mean:\n    def __repr__(self): raise SystemExit\n"),
        (Refused, "check", "an object of type Mean"),
    ),
    "progress is NaN": (
        check("return False") + "def progress(f, c): return float('nan')",
        (Refused, "progress", "nan"),
    ),
    "progress is 3": (check("return False") + "def progress(f, c): return 3", (Refused, "progress", "[0, 1]")),
    "writes to the frame": (check("current[:] = 7\nreturn True"), (Crashed, "check", "read-only")),
    "makes the frame writable": (check("current.setflags(write=True)\nreturn True"), (Crashed, "check", "cannot set")),
    "writes to the first frame": (check("found[:] = 7\nreturn True"), (Crashed, "check", "read-only")),
    "makes the first frame writable": (
        check("found.setflags(write=True)\nreturn True"),
        (Crashed, "check", "cannot set"),
    ),
    "opens a file": (check("return bool(open('/etc/passwd').read())"), (Crashed, "check", "PermissionError")),
    "opens a socket": (check("socket.socket()\nreturn True", "import _socket as socket"), Crashed),
    "imports what is not loaded": (
        check("import antigravity\nreturn True"),
        (Crashed, "check", "may import only: bisect"),
    ),
    "is not Python": ("def check(found, current)\n    return True", (Crashed, "load", "SyntaxError")),
    "has no check": ("def chek(found, current): return True", (Refused, "load", "must define the function check")),
    "has a check that is a number": ("check = 3", (Refused, "load", "check must be a function; it is 3")),
    "raises at load": ("1 / 0", (Crashed, "load", "ZeroDivisionError: division by zero")),
    "exits at load": ("import os; os._exit(5)", (Crashed, "load", "exited with code 5")),
    "is far too long": ("#" * (3 << 20), (Refused, "load", "longer than")),
    "answers before it is asked": (
        check("os.write(4, b'forged!!' * 2)\nreturn True", "import os"),
        (Crashed, "check", "broke the protocol"),
    ),
    "writes to all descriptors": (
        check("for file in range(5, 1000): os.write(file, b'forged!!')\nreturn True", "import os"),
        (Crashed, "check", "made the system call write, which"),
    ),
    "closes its pipes": (
        check("import os; os.close(4)\nreturn True"),
        (Crashed, "check", "PermissionError"),
    ),
    "forges its record": (
        check(
            """
            for each in gc.get_objects():
                if type(each).__name__ == "Program":
                    mailbox = each._mailbox
                    mailbox[:len(mailbox)] = b"\\xee" * len(mailbox)
            os.write(4, bytes(8))
            while True: pass
            """,
            "import gc, os",
        ),
        (Crashed, "check", "broke the protocol"),
    ),
}


@pytest.fixture(scope="module", params=SANDBOXES, ids=lambda each: each.__name__)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    made: Sandbox = request.param()
    # What a sandbox starts once and keeps is there before any test counts processes.
    with made.open([checker(check("return True"))]):
        return made


@pytest.fixture
def unheld() -> Sandbox:
    """No layer at all: what is left is what a process of its own and the host's checks give."""
    return ProcessSandbox(at_least=0, layers=())


@pytest.fixture(scope="module")
def hostile_answers(sandbox: Sandbox) -> Answers:
    """Every hostile program on the first two frames, in sessions of a few workers."""
    names, columns = list(HOSTILE), []
    for start in range(0, len(names), 9):
        programs = [checker(HOSTILE[name][0]) for name in names[start : start + 9]]
        with sandbox.open(programs, QUICK) as session:
            columns.append(session.run(FRAMES[0], FRAMES[:2], explain=True))
    failures = {
        (row, column + 9 * part): outcome
        for part, answers in enumerate(columns)
        for (row, column), outcome in answers.failures.items()
    }
    done, progress = (
        np.concatenate([getattr(each, name) for each in columns], axis=1) for name in ("done", "progress")
    )
    return Answers(done, progress, failures)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_gets_an_outcome_and_no_answer(name: str, hostile_answers: Answers) -> None:
    column, expected = list(HOSTILE).index(name), HOSTILE[name][1]
    for row in range(2):
        outcome = hostile_answers.outcome(row, column)
        if isinstance(expected, type):
            assert isinstance(outcome, expected), outcome
        else:
            kind, where, text = expected
            assert isinstance(outcome, kind), outcome
            assert outcome.where == where
            said = outcome.cause if isinstance(outcome, Crashed) else outcome.reason
            assert text in said
            assert len(said) <= 500
            assert said.isprintable()


# Programs that try to reach out of their process: each answers whether it succeeded.
REACHES: dict[str, str] = {
    "the environment": check(f"return any({SECRET!r} in value for value in os.environ.values())", "import os"),
    "the C environment": check("return bool(ctypes.CDLL(None).getenv(b'CAR_TEST_API_KEY'))", "import ctypes"),
    "the parent's environment": check(
        "try: return b'CAR_TEST' in open(f'/proc/{os.getppid()}/environ', 'rb').read()\nexcept OSError: return False",
        "import os",
    ),
    "writing a file": check(
        "try: return open('/tmp/car-sandbox-was-here', 'w').write('x') > 0\nexcept OSError: return False"
    ),
    "writing a picture": check("return cv2.imwrite('/tmp/car-sandbox-was-here.png', current)", "import cv2"),
    "raising its limits": check(
        "import resource\ntry: resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9)); return True\n"
        "except (ValueError, OSError): return False"
    ),
    "killing the parent": check(
        "try: os.kill(os.getppid(), 0); return os.getuid() >= 65534\nexcept OSError: return False", "import os"
    ),
    "standard output": check("print('x' * 10 ** 7)\nsys.stderr.write('y' * 10 ** 7)\nreturn False", "import sys"),
    "the frames of others": check("return False", "import numpy as np\nnp.mean = np.sum = lambda *a, **k: 7.0"),
    "a module of ours": check("try: import car; return True\nexcept ImportError: return False"),
    "threads": check("return False", "import cv2\ncv2.setNumThreads(4)"),
}


@pytest.fixture(scope="module")
def reaching(sandbox: Sandbox) -> Iterator[Answers]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAR_TEST_API_KEY", SECRET)
        with sandbox.open([checker(source) for source in REACHES.values()], QUICK) as session:
            yield session.run(FRAMES[0], FRAMES[:2])


@pytest.mark.parametrize("name", REACHES)
def test_a_program_reaches_nothing_outside_its_process(
    name: str, reaching: Answers, capfd: pytest.CaptureFixture[str]
) -> None:
    column = list(REACHES).index(name)
    assert reaching.outcome(0, column) == Ran(False)
    assert reaching.outcome(1, column) == Ran(False)
    assert capfd.readouterr() == ("", "")
    assert not list(Path("/tmp").glob("car-sandbox-was-here*"))


# Honest programs: `answer` is a number that check compares; its digits go out through explain.
HONEST: dict[str, str] = {
    "svd": "float(np.linalg.svd(current[:, :, 0].astype(float))[1].sum())",
    "fft": "float(np.abs(np.fft.fft2(current[:, :, 1])).max())",
    "contours": "len(cv2.findContours(cv2.inRange(current, (90,) * 3, (255,) * 3), cv2.RETR_LIST, 2)[0])",
    "connected components": "cv2.connectedComponentsWithStats(cv2.inRange(current, (90,) * 3, (255,) * 3))[2].sum()",
    "template": "float(cv2.matchTemplate(current, found[4:12, 4:12], cv2.TM_CCOEFF_NORMED).max())",
    "range": "int(cv2.inRange(current, (0, 0, 0), (120, 120, 120)).sum())",
    "hsv": "cv2.cvtColor(current, cv2.COLOR_RGB2HSV).sum()",
    "moments": "float(cv2.moments(cv2.cvtColor(current, cv2.COLOR_RGB2GRAY))['m11'])",
    "k-means": (
        "[cv2.setRNGSeed(5), cv2.kmeans(current.reshape(-1, 3).astype(np.float32), 3, None, (3, 10, 1.0), 2, 0)[0]][1]"
    ),
    "counter": "collections.Counter(current[:, :, 0].ravel().tolist()).most_common(1)[0][1]",
    "math": "math.hypot(*map(float, current[0, 0]))",
    "sorted": "sorted(map(int, current[3, :, 2]), key=lambda value: -value)[4]",
    "statistics": "statistics.median(current[:, 3, 1].tolist())",
    "masked mean": "np.mean(current[current > 100])",
    "random numbers": "float(np.random.default_rng(4).normal(size=9).sum())",
    "warnings": "float(np.nan_to_num(np.log(np.zeros(1)))[0])",
    "regular expressions": "len(re.findall('1+', ''.join(map(str, current.ravel().tolist()))))",
    "text": "len(f'{current.mean():.3f}'.encode('ascii')) + len(str(current))",
    "types": "Box(1, 2).area + Colour.RED.value",
}
PRELUDE = """
import collections, enum, math, re, statistics
from dataclasses import dataclass
from typing import NamedTuple
import cv2
import numpy as np
Größe = 3
class Colour(enum.Enum):
    RED = 1
@dataclass
class Box:
    w: int
    h: int
    @property
    def area(self): return self.w * self.h
"""


def honest(expression: str) -> str:
    return f"{PRELUDE}\ndef answer(found, current):\n    return {expression}\n" + textwrap.dedent(
        """
        def check(found, current):
            return answer(found, current) > 5
        def explain(found, current):
            return {"answer": answer(found, current)}
        """
    )


@pytest.fixture(scope="module")
def honest_answers(sandbox: Sandbox) -> Answers:
    with sandbox.open([checker(honest(each)) for each in HONEST.values()], Limits(frame_seconds=20)) as session:
        return session.run(FRAMES[0], FRAMES, explain=True)


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("name", HONEST)
def test_an_honest_program_answers_as_in_this_process(name: str, honest_answers: Answers) -> None:
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(honest(HONEST[name]), namespace)
    column = list(HONEST).index(name)
    for row, frame in enumerate(FRAMES):
        outcome = honest_answers.outcome(row, column)
        assert isinstance(outcome, Ran), outcome
        expected = namespace["explain"](FRAMES[0], frame)["answer"]
        assert outcome.facts["answer"] == pytest.approx(float(expected), rel=1e-6)
        assert outcome.done == namespace["check"](FRAMES[0], frame)


@pytest.fixture(scope="module")
def few(sandbox: Sandbox) -> Iterator[Session]:
    """A session of programs that count and remember, shared by the tests that only ask."""
    programs = [
        check("return bool((found == current).all())"),
        check("return found[1] == current[0, 0, 0]", "calls = []")
        + "def identify(initial):\n    calls.append(1)\n    return len(calls), initial[0, 0, 0]\n"
        + "def explain(found, current): return {'identified': found[0], 'calls': len(calls)}\n",
        check("return bool(current.mean() > 1000)")
        + "def progress(found, current): return np.float32(current[0, 0, 0] / 255)\nimport numpy as np",
        check("import os\nif current[0, 0, 0] == 7: os._exit(1)\nreturn True"),
        check("if current[0, 0, 0] == 9:\n    while True: pass\nreturn True"),
    ]
    with sandbox.open([checker(each) for each in programs], Limits(frame_seconds=1.0, lives=2)) as session:
        yield session


def plain(*values: int, side: int = 8) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.stack([np.full((side, side, 3), value, np.uint8) for value in values])


def test_each_row_has_its_own_first_frame(few: Session) -> None:
    answers = few.run(plain(1, 2, 1, 3), plain(1, 1, 2, 3))
    assert answers.done[:, 0].tolist() == [1, 0, 0, 1]
    assert answers.done[:, 1].tolist() == [1, 0, 0, 1]


def test_identify_runs_once_for_each_first_frame(few: Session) -> None:
    first = few.run(plain(21, 22, 21), plain(5, 5, 5), explain=True)
    again = few.run(plain(22)[0], plain(6, 7), np.eye(5, dtype=bool)[[1, 1]], explain=True)
    numbers = [first.facts[row, 1]["identified"] for row in range(3)]
    assert numbers[0] == numbers[2] != numbers[1]
    assert [again.facts[row, 1]["identified"] for row in range(2)] == [numbers[1]] * 2


def test_more_first_frames_than_are_remembered_are_found_again(few: Session) -> None:
    side, count = 8, 1100
    numbers = np.arange(count)
    initial = np.zeros((count, side, side, 3), np.uint8)
    initial[:, 0, 0, 0], initial[:, 0, 0, 1] = numbers % 256, numbers // 256
    ask = np.zeros((count, 5), bool)
    ask[:, :2] = True
    answers = few.run(initial, initial, ask)
    assert (answers.done[:, :2] == 1).all()
    assert (few.run(initial[::-1], initial[::-1], ask).done[:, :2] == 1).all()


def test_only_asked_rows_are_answered(few: Session) -> None:
    ask = np.zeros((3, 5), bool)
    ask[0, 0] = ask[2, 2] = True
    answers = few.run(plain(1)[0], plain(1, 1, 51), ask)
    assert (answers.done == [[1, -1, -1, -1, -1], [-1] * 5, [-1, -1, 0, -1, -1]]).all()
    assert answers.progress[2, 2] == pytest.approx(0.2)
    assert np.isnan(answers.progress).sum() == 14
    assert answers.outcome(1, 1) is None


def test_nothing_to_ask(few: Session) -> None:
    assert few.run(plain(1)[0], plain(1)[:0]).done.shape == (0, 5)
    assert (few.run(plain(1)[0], plain(1), np.zeros((1, 5), bool)).done == -1).all()


def test_a_worker_that_dies_is_replaced_and_goes_on_with_the_next_row(few: Session) -> None:
    answers = few.run(plain(0)[0], plain(1, 7, 2, 9, 3))
    assert answers.done[:, 3].tolist() == [1, -2, 1, 1, 1]
    assert answers.done[:, 4].tolist() == [1, 1, 1, -2, 1]
    assert answers.outcome(1, 3) == Crashed("check", "exited with code 1", kind=Kind.EXITED)
    assert answers.outcome(3, 4) == TimedOut("check", 1.0)
    assert (answers.done[:, :3] >= 0).all()


def test_a_checker_that_dies_too_often_is_given_up_for_the_batch_only(few: Session) -> None:
    answers = few.run(plain(0)[0], plain(7, 1, 7, 7, 1, 1))
    assert answers.done[:, 3].tolist() == [-2, 1, -2, -2, -2, -2]
    assert answers.outcome(5, 3) == Crashed("check", "exited with code 1", kind=Kind.EXITED)
    assert few.run(plain(0)[0], plain(1)).done[0, 3] == 1


EXPLAINS = {
    "too much": ("return {'a': 'b' * 5000}", "failed: explain must return at most 2000 bytes"),
    "an object": ("return {'a': object()}", "it holds an object of type object."),
    "itself": ("a = []\n    a.append(a)\n    return {'a': a}", "failed: RecursionError"),
    "nothing, and fails": ("return 1 / 0", "failed: ZeroDivisionError: division by zero"),
    "by leaving": ("raise SystemExit('bye')", "failed: SystemExit: bye"),
}


def test_an_explain_that_fails_takes_no_answer_away(sandbox: Sandbox) -> None:
    programs = [
        check("return True") + f"def progress(f, c): return 1\ndef explain(f, c):\n    {body}\n"
        for body, _ in EXPLAINS.values()
    ]
    with sandbox.open([checker(each) for each in programs], QUICK) as session:
        answers = session.run(plain(1)[0], plain(1), explain=True)
    for column, (_, said) in enumerate(EXPLAINS.values()):
        outcome = answers.outcome(0, column)
        assert isinstance(outcome, Ran), outcome
        assert (outcome.done, outcome.progress) == (True, 1.0)
        assert said in outcome.facts["explain"]


def test_a_program_that_stops_listening_is_given_up(unheld: Sandbox) -> None:
    deaf = "import os\nos.close(3)\n" + check("return True")
    with unheld.open([checker(deaf), checker(check("return True"))], QUICK) as session:
        time.sleep(0.5)
        for _ in range(2):
            answers = session.run(plain(1)[0], plain(1, 2, 3))
            assert answers.done.tolist() == [[-2, 1]] * 3
            assert isinstance(answers.outcome(0, 0), Crashed)
        outcome = answers.outcome(2, 0)
        assert isinstance(outcome, Crashed)
        assert (outcome.where, "stopped listening" in outcome.cause) == ("load", True)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("wait", [0.0, 0.3])
def test_a_worker_that_another_process_killed_is_replaced_without_blame(sandbox: Sandbox, wait: float) -> None:
    slow = check("end = time.perf_counter() + 0.6\nwhile time.perf_counter() < end: pass\nreturn True", "import time")
    before = alive()
    with sandbox.open([checker(slow)], Limits(frame_seconds=5, lives=0)) as session:
        assert session.run(plain(1)[0], plain(1)).done.tolist() == [[1]]
        (victim,) = alive() - before
        killer = threading.Timer(wait, os.kill, (victim, signal.SIGKILL))
        killer.start()
        if not wait:
            killer.join()
        assert session.run(plain(1)[0], plain(1, 2)).done.tolist() == [[1], [1]]
        killer.join()
        assert victim not in alive()


def test_a_row_that_kills_its_worker_twice_is_blamed(unheld: Sandbox) -> None:
    kills = check("if current[0, 0, 0] == 7: os.kill(os.getpid(), 9)\nreturn True", "import os")
    with unheld.open([checker(kills)], QUICK) as session:
        answers = session.run(plain(1)[0], plain(1, 7, 2))
    assert answers.done.tolist() == [[1], [-2], [1]]
    assert answers.outcome(1, 0) == Crashed("check", "killed by SIGKILL", kind=Kind.KILLED)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give users away")
def test_one_worker_cannot_signal_another(sandbox: Sandbox) -> None:
    honest_program = checker(check("return True"))
    before = alive()
    with sandbox.open([honest_program]) as victim_session:
        (victim,) = alive() - before
        probe = f"try: os.kill({victim}, 0); return True\nexcept PermissionError: return False"
        with sandbox.open([checker(check(probe, "import os"))]) as session:
            assert session.run(plain(1)[0], plain(1)).done.tolist() == [[0]]
        assert victim_session.run(plain(1)[0], plain(1)).done.tolist() == [[1]]


def test_large_batches_and_other_sizes(few: Session) -> None:
    ask = np.zeros((1500, 5), bool)
    ask[:, 0] = ask[::2, 2] = True
    frames = plain(*[row % 200 for row in range(1500)])
    answers = few.run(frames[0], frames, ask)
    assert np.flatnonzero(answers.done[:, 0] == 1).tolist() == list(range(0, 1500, 200))
    assert answers.progress[::2, 2] == pytest.approx((np.arange(0, 1500, 2) % 200) / 255)
    wide = np.zeros((3, 700, 900, 3), np.uint8)
    assert few.run(wide[0], wide).done[:, 0].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("initial", "frames"),
    [
        (plain(1)[0], plain(1)[0]),
        (plain(1)[0], plain(1).astype(float)),
        (plain(1, side=9)[0], plain(1)),
        (plain(1, 1), plain(1, 1, 1)),
        (plain(1)[0].astype(float), plain(1)),
        (plain(1)[0, :, :, 0], plain(1)),
        (None, plain(1)),
        (plain(1)[0], None),
        (plain(1)[0][:, :, :2], plain(1)[:, :, :, :2]),
    ],
)
def test_frames_that_are_not_frames_are_refused(few: Session, initial: Any, frames: Any) -> None:
    with pytest.raises(BadFrame):
        few.run(initial, frames)


def test_a_mask_of_another_shape_is_refused(few: Session) -> None:
    with pytest.raises(ValueError, match="ask has"):
        few.run(plain(1)[0], plain(1), np.ones((2, 5), bool))


def test_a_worker_that_is_not_asked_lives_on(sandbox: Sandbox) -> None:
    """A program that counts its calls shows whether it was started again in between."""
    counts = "calls = []\ndef check(found, current):\n    calls.append(1)\n    return len(calls) > 3\n"
    frames = np.zeros((3, 8, 8, 3), np.uint8)
    with sandbox.open([Checker(SubTask("first", "x"), counts), Checker(SubTask("second", "x"), counts)]) as session:
        assert not session.run(frames[0], frames).done.any()
        only_second = np.array([[False, True]])
        for _ in range(5):
            session.run(frames[0], frames[:1], only_second)
        assert session.run(frames[0], frames[:1]).done.tolist() == [[1, 1]]


def test_a_program_that_remembers_affects_itself_only(sandbox: Sandbox) -> None:
    counts = check("global calls\ncalls += 1\nreturn calls > 2", "calls = 0")
    patches = check("return True", "import numpy as np, builtins\nnp.all = lambda *a: False\nbuiltins.len = None")
    uses = check("return bool(np.all(current >= 0)) and len(current) == 8", "import numpy as np")
    with sandbox.open([checker(each) for each in (counts, counts, patches, uses)]) as session:
        ask = np.array([[True, False, True, True]] * 3)
        assert session.run(plain(1)[0], plain(1, 2, 3), ask).done[:, 0].tolist() == [0, 0, 1]
        answers = session.run(plain(1)[0], plain(1, 2, 3))
        assert answers.done[:, 1].tolist() == [0, 0, 1]
        assert answers.done[:, 3].tolist() == [1, 1, 1]


@pytest.fixture
def orphans_come_here() -> Iterator[None]:
    """Processes whose parent ends become children of this one, so that none can hide."""
    prctl, child_subreaper = ctypes.CDLL(None).prctl, 36
    assert prctl(child_subreaper, 1, 0, 0, 0) == 0
    yield
    prctl(child_subreaper, 0, 0, 0, 0)


def processes() -> dict[int, str]:
    """All processes below this one and their state; a zombie's is Z."""
    parents: dict[int, tuple[int, str]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(parent), state
    below, found = {os.getpid()}, dict[int, str]()
    while below:
        children = {pid: state for pid, (parent, state) in parents.items() if parent in below}
        found |= children
        below = set(children)
    return found


def alive() -> set[int]:
    return {pid for pid, state in processes().items() if state != "Z"}


def reap_orphans(before: set[int]) -> None:
    """Asserts that every process that came since is dead, and takes what is left of it away."""
    deadline = time.monotonic() + 5
    while alive() - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive() - before == set()
    for orphan in set(processes()) - before:
        # One that ended a moment ago may still be its own parent's to wait for.
        with suppress(ChildProcessError):
            os.waitpid(orphan, 0)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@linux
@pytest.mark.usefixtures("orphans_come_here")
def test_a_program_that_forks_leaves_nothing_behind(sandbox: Sandbox) -> None:
    forks = check("if os.fork() == 0:\n    while True: pass\nreturn True", "import os")
    before = alive()
    with sandbox.open([checker(forks)], QUICK) as session:
        session.run(plain(1)[0], plain(1, 2))
    reap_orphans(before)


@linux
def test_sessions_leave_no_process_and_no_file_behind(sandbox: Sandbox) -> None:
    programs = [checker(check("return True")), checker("import os; os._exit(1)")]
    with sandbox.open(programs) as session:
        session.run(plain(1)[0], plain(1))
    before, files = set(processes()), open_files()
    for turn in range(20):
        session = sandbox.open(programs if turn == 0 else programs[:1])
        session.run(plain(1)[0], plain(1, 2))
        session.__exit__(None, None, None)
        session.__exit__(None, None, None)
    assert set(processes()) == before
    assert open_files() == files


@linux
def test_a_session_that_is_dropped_ends_its_workers(sandbox: Sandbox) -> None:
    before = set(processes())
    session = sandbox.open([checker(check("return True"))])
    assert set(processes()) > before
    del session
    assert set(processes()) == before


def test_a_closed_session_says_so(sandbox: Sandbox) -> None:
    with sandbox.open([]) as session:
        assert session.run(plain(1)[0], plain(1)).done.shape == (1, 0)
    with pytest.raises(SandboxUnavailable, match="closed"):
        session.run(plain(1)[0], plain(1))


HOST = """
import sys
import numpy as np
from tests.conformance.test_sandbox import SANDBOXES, checker, check, plain
with SANDBOXES[int(sys.argv[1])]().open([checker(check("while True: pass")), checker(check("return True"))]) as session:
    print("open", flush=True)
    try:
        session.run(plain(1)[0], plain(1))
    except KeyboardInterrupt:
        print(session.run(plain(1)[0], plain(1), np.array([[False, True]])).done.tolist(), flush=True)
"""


@linux
@pytest.mark.usefixtures("orphans_come_here")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("which", range(len(SANDBOXES)))
def test_a_host_that_is_killed_or_interrupted_leaves_no_worker(which: int, number: signal.Signals) -> None:
    before = set(processes())
    root = Path(__file__).parents[2]
    host = subprocess.Popen([sys.executable, "-c", HOST, str(which)], cwd=root, stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    with host:
        assert host.stdout.readline() == "open\n"
        time.sleep(0.3)
        workers = set(processes()) - before - {host.pid}
        host.send_signal(number)
        said = host.stdout.read()
    assert len(workers) >= 2
    assert said == ("[[-1, 1]]\n" if number == signal.SIGINT else "")
    reap_orphans(before)
