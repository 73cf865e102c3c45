"""Answers about pictures that a camera changed, with planted programs: exact ones and a tolerant one."""

from collections.abc import Sequence

import numpy as np
import pytest

from car.checker import Checker, SubTask
from car.sandbox import Limits
from car.sandbox.process import ProcessSandbox
from car.trajectory import Trajectory
from car.verify.observe import observe
from car.verify.perturbation import PERTURBATIONS
from car.verify.probe import Probe
from car.verify.robustness import robustness

SIDE, SQUARE, STEP = 32, 8, 4
NAMES = ["noise", "brightness", "shift", "jpeg"]
BRIGHTER, DARKER = PERTURBATIONS["brightness"].values()
SHIFT_BOTH, SHIFT_CURRENT = PERTURBATIONS["shift"].values()
(NOISE,) = PERTURBATIONS["noise"].values()
(JPEG,) = PERTURBATIONS["jpeg"].values()

EXACT = """
import numpy as np

RED = np.array([200, 60, 40])


def check(found, current):
    red = (current == RED).all(axis=-1)
    return bool(red[:, 18:].sum() > 0)
"""
TOLERANT = """
def check(found, current):
    wide = current.astype(int)
    red = wide[..., 0] - wide[..., 2] > 80
    return bool(red[:, 18:].sum() > 32)
"""
EXACT_PLACE = """
def check(found, current):
    wide = current.astype(int)
    red = wide[..., 0] - wide[..., 2] > 80
    return bool(red[12, 24] and not red[12, 23] and red[19, 24])
"""
NEVER = "def check(found, current):\n    return False\n"
CRASHES = "def check(found, current):\n    return 1 // 0 > 0\n"
CRASHES_ON_NOISE = "def check(found, current):\n    return 1 // int((current[0, 0] == 90).all()) > 0\n"
HANGS_ON_NOISE = """
def check(found, current):
    while not (current[0, 0] == 90).all():
        pass
    return False
"""


def _walk(row: int, steps: int = 7) -> Trajectory:
    """A red square that goes right, `STEP` pixels at a time, and stays at the end for two frames."""
    frames = np.full((steps, SIDE, SIDE, 3), 90, np.uint8)
    for step in range(steps):
        left = min(step * STEP, SIDE - SQUARE)
        frames[step, row : row + SQUARE, left : left + SQUARE] = (200, 60, 40)
    return Trajectory.of([*frames, frames[-1]], "expert")


@pytest.fixture(scope="module")
def experts() -> list[Trajectory]:
    return [_walk(row) for row in (4, 8, 12, 16)]


def probes_of(
    sources: Sequence[str], trajectories: Sequence[Trajectory], seed: int = 0, limits: Limits = Limits()
) -> list[Probe]:
    checkers = [Checker(SubTask(f"task-{number}", "It is done."), source) for number, source in enumerate(sources)]
    with ProcessSandbox().open(checkers, limits) as session:
        return robustness(session, observe(session, trajectories), seed)


@pytest.fixture(scope="module")
def probes(experts: list[Trajectory]) -> dict[tuple[str, str], Probe]:
    """By the name of the probe and of the program."""
    sources = {"exact": EXACT, "tolerant": TOLERANT, "never": NEVER, "crashes": CRASHES, "noise": CRASHES_ON_NOISE}
    found = probes_of(list(sources.values()), experts)
    keys = [(name, source) for name in NAMES for source in sources]
    return dict(zip(keys, found, strict=True))


def test_there_is_a_probe_for_each_change_and_program(probes: dict[tuple[str, str], Probe]) -> None:
    assert [each.name for each in probes.values()] == [name for name in NAMES for _ in range(5)]
    assert [each.subtask for each in probes.values()] == [f"task-{number}" for number in range(5)] * 4
    assert not any(each.strict or each.rejects for each in probes.values())


def test_a_program_that_compares_colours_exactly_fails_under_noise(probes: dict[tuple[str, str], Probe]) -> None:
    noise = probes["noise", "exact"]
    assert noise.passed is False
    # Without any red left it says no to all: right about the frames before, wrong about those at the end.
    assert (noise.values["frames"], noise.values["experts"]) == (28, 4)
    assert noise.values["answers_same"] < 0.9
    assert noise.values["firing_same"] == 0
    assert "in 0 of 4 expert episodes" in noise.said
    assert probes["brightness", "exact"].passed is False
    assert probes["shift", "exact"].values["answers_same"] > noise.values["answers_same"]


def test_a_tolerant_program_passes(probes: dict[tuple[str, str], Probe]) -> None:
    for name in NAMES:
        probe = probes[name, "tolerant"]
        assert (probe.passed, probe.values["answers_same"], probe.values["firing_same"]) == (True, 1.0, 1.0), name


def test_a_program_that_knows_one_place_fails_under_a_shift(experts: list[Trajectory]) -> None:
    passed = [each.passed for each in probes_of([EXACT_PLACE], [experts[2]])]
    assert passed == [True, True, False, True]


def test_one_that_is_never_done_stays_so(probes: dict[tuple[str, str], Probe]) -> None:
    assert all(probes[name, "never"].values["firing_same"] == 1 for name in NAMES)


def test_one_that_fails_anyway_is_not_asked(probes: dict[tuple[str, str], Probe]) -> None:
    for name in NAMES:
        assert probes[name, "crashes"].passed is None
        assert "it fails on frames as they are" in probes[name, "crashes"].said


def test_one_that_failed_on_another_episode_is_not_asked(experts: list[Trajectory]) -> None:
    black = Trajectory.of([np.zeros((SIDE, SIDE, 3), np.uint8)], "random")
    assert [each.passed for each in probes_of([CRASHES_ON_NOISE], [black, *experts])] == [None] * 4


def test_no_answer_is_not_the_same_answer(probes: dict[tuple[str, str], Probe]) -> None:
    assert probes["noise", "noise"].values["answers_same"] == 0
    assert probes["shift", "noise"].values["answers_same"] == 1


def test_one_that_runs_for_ever_on_changed_frames_costs_its_limit_once(experts: list[Trajectory]) -> None:
    noise, *others = probes_of([HANGS_ON_NOISE], experts, limits=Limits(frame_seconds=0.2, lives=0))
    assert (noise.passed, noise.values["answers_same"]) == (False, 0)
    assert all(each.passed is None and "ran out of time under another change" in each.said for each in others)


def test_of_two_variants_the_worse_counts(probes: dict[tuple[str, str], Probe]) -> None:
    probe = probes["shift", "exact"]
    shares = [probe.values[f"answers_same, {variant}"] for variant in PERTURBATIONS["shift"]]
    assert probe.values["answers_same"] == min(shares)
    assert probe.values["variant"] in PERTURBATIONS["shift"]
    assert "the worse of 2 changes" in probe.said


def test_two_runs_say_the_same_and_another_seed_something_else(experts: list[Trajectory]) -> None:
    edge = EXACT.replace("(current == RED).all(axis=-1)", "(abs(current - RED) < 3).all(axis=-1)").replace("> 0", "> 8")
    first, again = (probes_of([edge], experts) for _ in range(2))
    assert first == again
    assert first[0].values["answers_same"] < 1
    assert any(first[0].values != probes_of([edge], experts, seed)[0].values for seed in range(1, 6))


def test_the_order_of_the_episodes_does_not_matter(experts: list[Trajectory]) -> None:
    assert probes_of([EXACT, TOLERANT], experts) == probes_of([EXACT, TOLERANT], experts[::-1])


def test_only_experts_are_asked_about(experts: list[Trajectory]) -> None:
    random = Trajectory.of(experts[0].frames, "random")
    assert probes_of([TOLERANT], [*experts, random]) == probes_of([TOLERANT], experts)
    assert [each.said for each in probes_of([TOLERANT], [random])] == [
        "The program was not asked about changed frames: there is no expert."
    ] * 4


@pytest.mark.parametrize(("scale", "asked"), [(1, 200), (40, 128), (50, 100)])
def test_of_many_frames_those_around_the_first_time_are_asked(scale: int, asked: int) -> None:
    """A corner is only just bright enough in the first frame in which it is: darker, all are done one frame later."""
    done = "def check(found, current):\n    return bool(current[0, 0, 0] > 110)\n"
    values = probes_of([done], [_brighter(first, scale) for first in (20, 57, 71)])[1].values
    assert (values["frames"], values["firing_same"]) == (asked, 0.0)
    assert values["answers_same"] == (asked - 3) / asked


def _brighter(first: int, scale: int) -> Trajectory:
    """80 distinct frames, brighter in a corner from the time `first` on."""
    frames = np.zeros((80, 4, 4, 3), np.uint8)
    frames[:, 1, 0, 0] = np.arange(80)
    frames[first:, 0, 0] = 115
    frames[first + 1 :, 0, 0] = 180
    return Trajectory.of(frames.repeat(scale, axis=1).repeat(scale, axis=2), "expert")


def test_a_shift_repeats_the_edge(experts: list[Trajectory]) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    padded = np.pad(frame, ((1, 1), (1, 1), (0, 0)), mode="edge")
    possible = [padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]]
    first, (current, again) = SHIFT_BOTH(frame, np.stack([frame, frame]), 0)
    assert any((first == each).all() for each in possible)
    assert (first == current).all()
    assert (first == again).all()
    first, (current,) = SHIFT_CURRENT(frame, frame[None], 0)
    assert (first == frame).all()
    assert any((current == each).all() for each in possible)


def test_a_shift_goes_every_way() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (40, 5, 5, 3), np.uint8)
    _, shifted = SHIFT_CURRENT(frames[0], frames, 0)
    down = sum((after[1:] == before[:-1]).all() for before, after in zip(frames, shifted, strict=True))
    right = sum((after[:, 1:] == before[:, :-1]).all() for before, after in zip(frames, shifted, strict=True))
    assert 2 < down < 25
    assert 2 < right < 25


def test_noise_is_as_strong_as_said_and_another_in_the_first_frame() -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    first, (current, again) = NOISE(grey, np.stack([grey, grey]), 0)
    added = current.astype(int) - 128
    assert abs(added.std() - 4.0) < 0.2
    assert abs(added.mean()) < 0.2
    assert (current == again).all()
    assert (first != current).any()
    assert (NOISE(grey, grey[None], 1)[1] != current).any()


def test_brightness_is_clipped_in_all_frames() -> None:
    frame = np.zeros((4, 4, 3), np.uint8)
    frame[0, :, 0] = 5, 100, 250, 255
    first, (current,) = BRIGHTER(frame, frame[None], 0)
    assert first[0, :, 0].tolist() == current[0, :, 0].tolist() == [17, 112, 255, 255]
    first, (current,) = DARKER(frame, frame[None], 0)
    assert first[0, :, 0].tolist() == current[0, :, 0].tolist() == [0, 88, 238, 243]


def test_jpeg_changes_a_little_and_keeps_the_colours_in_their_places() -> None:
    frame = np.zeros((32, 32, 3), np.uint8)
    frame[:, 16:] = (200, 40, 0)
    first, (current,) = JPEG(frame, frame[None], 0)
    assert (first == current).all()
    assert np.abs(first.astype(int) - frame).max() > 0
    assert np.abs(first.astype(int) - frame).mean() < 6
