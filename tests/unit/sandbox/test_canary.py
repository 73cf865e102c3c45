"""What the canary finds with every layer, with each taken away, and with none."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from car.checker import Checker, SubTask
from car.errors import SandboxUnavailable
from car.sandbox import Crashed, Kind, Ran, TimedOut
from car.sandbox.canary import PROBES, _lay_out, _was_stopped, too_weak
from car.sandbox.isolation import MEANING, Isolation, Layer, isolation_from
from car.sandbox.process import ProcessSandbox

EVERY_HARM = tuple(each.harm for each in PROBES)
CHECKER = Checker(SubTask("it", "It is done."), "def check(found, current): return True")
FRAME = np.zeros((1, 8, 8, 3), np.uint8)

linux = pytest.mark.skipif(sys.platform != "linux", reason="the layers are those of Linux")
root = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root to give it up")


def without(*layers: Layer) -> Isolation:
    return ProcessSandbox(0, [each for each in Layer if each not in layers]).isolation


@linux
def test_with_all_layers_nothing_succeeds() -> None:
    found = ProcessSandbox().isolation
    assert found.could == ()
    assert found.level >= 2
    assert {Layer.LIMITS, Layer.FILTER} <= set(found.layers)


@root
def test_with_no_layer_every_harm_is_done() -> None:
    found = without(*Layer)
    assert (found.level, found.could, found.layers) == (0, EVERY_HARM, {})


@linux
def test_without_the_filter_a_program_can_look_around() -> None:
    found = without(Layer.FILTER)
    assert found.level == 1
    assert "see which files exist" in found.could
    assert "read files" not in found.could


@linux
def test_without_limits_a_program_can_take_all_memory() -> None:
    found = without(Layer.LIMITS)
    assert (found.level, found.could) == (0, ("take memory",))


@linux
def test_without_landlock_files_are_stopped_once_only() -> None:
    found = without(Layer.LANDLOCK, Layer.NAMESPACES)
    assert (found.level, found.could) == (2, ())


@root
def test_a_worker_that_stays_root_is_held_by_the_filter_only() -> None:
    assert without(Layer.USER).level == 2
    assert without(Layer.USER, Layer.FILTER).level == 0


@linux
def test_namespaces_are_not_what_holds() -> None:
    assert without(Layer.NAMESPACES).level == without().level


@pytest.mark.parametrize("level", [0, 1])
def test_below_what_is_asked_nothing_runs(level: int) -> None:
    missing = Layer.FILTER if level else None
    layers = [each for each in Layer if each is not missing] if missing else []
    with pytest.raises(SandboxUnavailable, match=f"level {level} of 3.*--isolation {level}"):
        ProcessSandbox(layers=layers).open([CHECKER])
    with ProcessSandbox(at_least=level, layers=layers).open([CHECKER]) as session:
        assert session.isolation.level == level
        assert session.run(FRAME[0], FRAME).done.tolist() == [[1]]


def test_a_system_without_processes_to_fork_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(SandboxUnavailable, match="WSL2"):
        ProcessSandbox(at_least=0).open([CHECKER])


@root
def test_a_private_temporary_folder_does_not_pass_for_a_wall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert "remove files" in without(Layer.LIMITS, Layer.LANDLOCK, Layer.FILTER).could


def test_what_is_no_layer_s_doing_counts_as_harm() -> None:
    assert _was_stopped(Crashed("check", "made the system call open, which", kind=Kind.VIOLATION))
    assert _was_stopped(Crashed("check", "PermissionError: [Errno 1]"))
    assert _was_stopped(Ran(False))
    for outcome in (
        Ran(True),
        TimedOut("check", 1.0),
        Crashed("load", "PermissionError: [Errno 1]"),
        Crashed("check", "FileNotFoundError: [Errno 2]"),
        Crashed("check", "exited with code 1", kind=Kind.EXITED),
        Crashed("check", "killed by SIGKILL", kind=Kind.KILLED),
        None,
    ):
        assert not _was_stopped(outcome)


def test_it_leaves_no_folder_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert without(Layer.USER, Layer.NAMESPACES).level in range(4)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("level", range(len(MEANING)))
def test_isolation_survives_json(level: int) -> None:
    found = Isolation(level, ("read files",), {Layer.LIMITS: "no files"})
    assert isolation_from(found.as_dict()) == found


@pytest.mark.parametrize("wrong", [{}, {"level": 4, "could": [], "layers": {}}, {"level": 1, "could": 3, "layers": {}}])
def test_what_is_not_an_isolation_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        isolation_from(wrong)


def test_the_way_out_is_told() -> None:
    said = too_weak(Isolation(0, ("take memory",), {}), 2)
    assert "take memory" in said
    assert "filter, limits, landlock not in force" in said
    assert "--isolation 0" in said
    assert "Docker" in said


def test_its_folder_is_open_to_others_only_when_all_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    write = Path.write_text

    def watched(path: Path, *args: str, **options: str) -> int:
        made.append(path.parent.stat().st_mode & 0o777)
        return write(path, *args, **options)

    tmp_path.chmod(0o700)
    monkeypatch.setattr(Path, "write_text", watched)
    _lay_out(tmp_path)
    assert made == [0o700, 0o700]
    assert tmp_path.stat().st_mode & 0o777 == 0o777
