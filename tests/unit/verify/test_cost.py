"""What programs cost, with planted ones: a slow line must be found, and nothing that a program does may break it."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from car.checker import Checker, SubTask
from car.sandbox import Limits
from car.sandbox.process import ProcessSandbox
from car.trajectory import Trajectory
from car.verify import stopwatch
from car.verify.cost import Cost, cost_probe, limit_us, measure, told
from car.verify.lines import LineCost, dearest

SIDE = 64
TASK = SubTask("bright", "The picture is bright.")

FAST = """
def check(found, current):
    return bool(current[0, 0, 0] > 250)
"""
SLOW = """
def identify(initial):
    return 5


def check(found, current):
    total = 0
    for row in range(current.shape[0]):
        for column in range(current.shape[1]):
            total += int(current[row, column, 0]) + int(current[row, column, 1]) + int(current[row, column, 2])
    bright = bool(total > 10**9)
    return bright
"""
_WORK = "            total += int(current[row, column, 0])"
SLOW_LINE = next(number for number, line in enumerate(SLOW.split("\n"), 1) if line.startswith(_WORK))
SLOW_IDENTIFY = """
def identify(initial):
    found = 0
    for value in initial.reshape(-1):
        found += int(value)
    return found


def check(found, current):
    return found < 0
"""
WITH_PROGRESS = SLOW.replace("def check", "def progress") + FAST
WITH_PROGRESS = WITH_PROGRESS.replace("bright = bool(total > 10**9)", "bright = 0.5")
REMEMBERS = (
    "known = {}\n\n\n"
    + SLOW.replace("def check", "def count").replace("def count(found, current):", "def count(current):")
    + (
        "\n\ndef check(found, current):\n    name = current.tobytes()\n    if name not in known:\n"
        "        known[name] = count(current)\n    return known[name]\n"
    )
)
TAMPERS = (
    "import sys\nimport time\n\ntime.perf_counter_ns = time.perf_counter = lambda: 0\n"
    + "\n".join(
        f"{name} = None" for name in ("watch", "explain_ns", "Clock", "Profile", "Program", "Tally", "_now", "_NAME")
    )
    + SLOW.replace("    total = 0\n", "    total = 0\n    sys.setprofile(None)\n")
    + "\n\ndef explain(found, current):\n    return {'check_ns': 1, 'identify_ns': 'none'}\n"
)
FORGES = """
import sys


def check(found, current):
    frame = sys._getframe(1)
    while type(frame.f_locals.get("self")).__name__ not in ("Clock", "Profile", "Liar"):
        frame = frame.f_back
    watch = frame.f_locals["self"]

    class Liar(type(watch)):
        @property
        def _facts(self):
            return FACTS

        @_facts.setter
        def _facts(self, facts):
            pass

    if type(watch).__name__ == "KIND":
        watch.__class__ = Liar
    return False
"""
FORGED_CLOCK = {"check_ns": [-1], "progress_ns": 1e300, "identify_ns": "x"}
FORGED_COUNT = {
    "check_ns": [10**12, 1],
    "check_line": [1 << 60, 3, 5],
    "check_hits": [-4, 2],
    "check_events": 7,
    "identify_ns": [[1]],
}
WITHOUT_FIGURES = {
    "cannot be loaded": "1 / 0\n",
    "is not Python": "def check(found, current:\n",
    "no check": "def identify(initial):\n    return 1\n",
    "crashes": "def check(found, current):\n    return found.nothing\n",
    "crashes in identify": "def identify(initial):\n    return 1 // 0\n" + FAST,
    "answers a number": "def check(found, current):\n    return 1\n",
    "leaves": "import os\n\n\ndef check(found, current):\n    os._exit(0)\n",
    "forges its figures": FORGES.replace("FACTS", repr(FORGED_CLOCK)).replace("KIND", "Clock"),
}


@pytest.fixture(scope="module")
def trajectories() -> list[Trajectory]:
    pictures = np.random.default_rng(0).integers(0, 200, (10, 6, SIDE, SIDE, 3), np.uint8)
    return [Trajectory.of(frames, "expert") for frames in pictures]


@pytest.fixture(scope="module")
def small() -> list[Trajectory]:
    pictures = np.random.default_rng(1).integers(0, 200, (10, 6, 24, 24, 3), np.uint8)
    return [Trajectory.of(frames, "expert") for frames in pictures]


def cost_of(source: str, trajectories: Sequence[Trajectory], limits: Limits = Limits()) -> Cost | None:
    return measure(ProcessSandbox(), Checker(TASK, source), trajectories, limits)


@pytest.fixture(scope="module")
def fast(trajectories: list[Trajectory]) -> Cost:
    cost = cost_of(FAST, trajectories)
    assert cost is not None
    return cost


@pytest.fixture(scope="module")
def small_slow(small: list[Trajectory]) -> Cost:
    cost = cost_of(SLOW, small)
    assert cost is not None
    return cost


@pytest.fixture(scope="module")
def slow(trajectories: list[Trajectory]) -> Cost:
    cost = cost_of(SLOW, trajectories)
    assert cost is not None
    return cost


def test_a_loop_over_pixels_is_over_the_limit(slow: Cost) -> None:
    probe = cost_probe(Checker(TASK, SLOW), slow, limit_us((SIDE, SIDE, 3)))
    assert (probe.name, probe.subtask, probe.strict, probe.passed) == ("cost", "bright", False, False)
    assert f"A frame takes {slow.check_us:.0f} microseconds, where 500 are allowed" in probe.said
    assert probe.values["check_us"] == round(slow.check_us, 1)
    assert probe.values["frames"] == slow.frames >= 30


def test_its_slow_line_leads_the_profile(slow: Cost) -> None:
    first = slow.lines[0]
    assert (first.line, first.text) == (SLOW_LINE, SLOW.split("\n")[SLOW_LINE - 1].strip())
    assert first.hits_per_frame == SIDE * SIDE
    assert first.share > 0.5
    assert [each.share for each in slow.lines] == sorted((each.share for each in slow.lines), reverse=True)
    assert sum(each.share for each in slow.lines) <= 1 + 1e-9


def test_the_profile_is_told_line_by_line(slow: Cost) -> None:
    lines = told(slow, most=2).split("\n")
    assert re.fullmatch(r"One frame takes \d+ microseconds\. .*", lines[0])
    assert re.fullmatch(rf"- line {SLOW_LINE}, \d+% of the time, 4096 times a frame: `total \+= .*`", lines[1])
    assert told(Cost(1.0, 1.0, None, 1)) == ""


def test_a_fast_program_is_under_the_limit(fast: Cost, slow: Cost) -> None:
    assert fast.check_us < slow.check_us / 20
    assert fast.identify_us == 0
    assert fast.progress_us is None
    assert cost_probe(Checker(TASK, FAST), fast, limit_us((SIDE, SIDE, 3))).passed is True


def test_identify_is_measured_apart(small: list[Trajectory], small_slow: Cost) -> None:
    cost = cost_of(SLOW_IDENTIFY, small)
    assert cost is not None
    assert cost.identify_us > 10 * cost.check_us
    assert cost.identify_lines[0].text in ("found += int(value)", "for value in initial.reshape(-1):")
    assert cost.identify_lines[0].hits_per_frame >= 24 * 24 * 3
    assert "first frame: `" in told(cost)
    assert small_slow.identify_us < small_slow.check_us / 20


def test_progress_belongs_to_the_frame_and_is_told(small: list[Trajectory]) -> None:
    cost = cost_of(WITH_PROGRESS, small)
    assert cost is not None
    assert cost.progress_us is not None
    assert 0.8 * cost.check_us < cost.progress_us < cost.check_us
    said = cost_probe(Checker(TASK, WITH_PROGRESS), cost, 500.0).said
    assert f"{cost.progress_us:.0f} of them for progress" in said


def test_what_a_program_remembers_does_not_make_it_cheap(small: list[Trajectory], fast: Cost) -> None:
    cost = cost_of(REMEMBERS, small)
    assert cost is not None
    assert cost.check_us > 10 * fast.check_us


def test_a_program_that_stops_the_clock_is_measured_all_the_same(small: list[Trajectory], small_slow: Cost) -> None:
    cost = cost_of(TAMPERS, small)
    assert cost is not None
    assert small_slow.check_us / 3 < cost.check_us < small_slow.check_us * 3
    assert cost.lines[0].text.startswith("total +=")


def test_a_program_that_stops_the_count_has_no_profile_to_show(small: list[Trajectory], fast: Cost) -> None:
    cost = cost_of("import sys\n" + SLOW.replace("    total = 0\n", "    sys.settrace(None)\n    total = 0\n"), small)
    assert cost is not None
    assert cost.check_us > 10 * fast.check_us
    assert SLOW_LINE + 2 not in [each.line for each in cost.lines]


def _forging(facts: dict[str, object], kind: str) -> str:
    return FORGES.replace("FACTS", repr(facts)).replace("KIND", kind)


def test_a_program_that_forges_the_count_has_no_profile_to_show(small: list[Trajectory]) -> None:
    cost = cost_of(_forging(FORGED_COUNT, "Profile"), small)
    assert cost is not None
    assert cost.lines == cost.identify_lines == ()


def test_what_a_hostile_program_says_of_its_own_time_is_its_own_word(small: list[Trajectory]) -> None:
    """Why the probe rejects nothing, and accepts nothing either."""
    cost = cost_of(_forging({"check_ns": 7000, "progress_ns": None, "identify_ns": 9000}, "Clock"), small)
    assert cost is not None
    assert (cost.check_us, cost.identify_us, cost.progress_us) == (7.0, 9.0, None)


@pytest.mark.parametrize("source", WITHOUT_FIGURES.values(), ids=WITHOUT_FIGURES)
def test_a_program_that_gives_no_answer_has_no_cost(source: str, small: list[Trajectory]) -> None:
    assert cost_of(source, small) is None


def test_a_program_that_never_answers_has_no_cost(small: list[Trajectory]) -> None:
    forever = "def check(found, current):\n    while True:\n        pass\n"
    assert cost_of(forever, small, Limits(frame_seconds=0.3)) is None


def test_a_cost_that_is_not_known_is_a_value() -> None:
    probe = cost_probe(Checker(TASK, FAST), None, 500.0)
    assert (probe.passed, probe.rejects, probe.values["check_us"], probe.values["limit_us"]) == (None, False, None, 500)


def test_frames_on_which_it_fails_are_left_out(small: list[Trajectory], fast: Cost) -> None:
    sometimes = "def check(found, current):\n    return 1 // int(current[0, 0, 0] > 100) > 5\n"
    cost = cost_of(sometimes, small)
    assert cost is not None
    assert 0 < cost.frames < fast.frames


def test_without_frames_there_is_no_cost() -> None:
    assert cost_of(FAST, []) is None


def test_one_frame_is_enough(small: list[Trajectory]) -> None:
    cost = cost_of(SLOW, [Trajectory.of([small[0].frame(0)], "expert")])
    assert cost is not None
    assert cost.frames == 1
    assert cost.lines[0].line == SLOW_LINE


@pytest.mark.parametrize(
    ("shape", "base", "limit"),
    [((4, 4), 500, 500), ((128, 128, 3), 500, 500), ((256, 256, 3), 500, 2000), ((64, 512, 3), 100, 200)],
)
def test_the_limit_grows_with_the_pixels(shape: tuple[int, ...], base: float, limit: float) -> None:
    assert limit_us(shape, base) == pytest.approx(limit)


@pytest.mark.parametrize(
    ("identify_us", "check_us", "passed"), [(9_999, 499, True), (10_001, 499, False), (9_999, 501, False)]
)
def test_identify_may_take_twenty_times_as_long(identify_us: float, check_us: float, passed: bool) -> None:
    probe = cost_probe(Checker(TASK, FAST), Cost(identify_us, check_us, None, 9), 500.0)
    assert probe.passed is passed
    assert (probe.values["identify_us"], probe.values["identify_limit_us"]) == (identify_us, 10_000)


def _facts(**lines: tuple[int, int, int]) -> dict[str, list[int]]:
    ns, hits, events = zip(*lines.values(), strict=True)
    return {
        "check_line": [int(name[1:]) for name in lines],
        "check_ns": [*ns],
        "check_hits": [*hits],
        "check_events": [*events],
    }


def test_what_the_count_adds_is_taken_off() -> None:
    """100 ns for each time that it held the program up: the loop is cheap and only seems dear."""
    facts = _facts(_1=(100_000 + 5_000, 1000, 1000), _2=(20_000 + 100, 1, 1))
    first, second = dearest("loop\nwork\n", "check", [[facts]], 25_000)
    assert (first.text, second.text) == ("work", "loop")
    assert (first.share, second.share) == (pytest.approx(0.8, abs=0.01), pytest.approx(0.2, abs=0.01))


def test_a_line_counts_at_its_best() -> None:
    """The machine did something else in the middle of line 1 once, and of line 2 another time."""
    once = _facts(_1=(9_000_000, 1, 1), _2=(2_000, 1, 1), _3=(500, 1, 1))
    again = _facts(_1=(1_000, 1, 1), _2=(7_000_000, 1, 1))
    lines = dearest("a\nb\nc\n", "check", [[once, again]], 3_000)
    assert [(each.line, round(each.share, 2)) for each in lines] == [(2, 0.67), (1, 0.33)]


def test_a_line_is_told_with_what_it_is() -> None:
    assert LineCost(3, "x = 1", 0.25, 0.5).told("frame") == "- line 3, 50% of the time, 0.25 times a frame: `x = 1`"


def test_what_runs_in_the_worker_imports_nothing_of_ours() -> None:
    text = Path(stopwatch.__file__).read_text(encoding="utf-8")
    assert "import car" not in text
    assert "from car" not in text
