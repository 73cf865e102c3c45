import sys
import threading
from pathlib import Path

import pytest

from car.errors import SandboxUnavailable
from car.sandbox import worker
from car.sandbox.isolation import Layer
from car.sandbox.launch import Gone, Zygote, zygote_for
from car.screen import ALLOWED_MODULES, ALLOWED_SUBMODULES

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.mark.parametrize(
    ("executable", "sentence"),
    [
        ("/bin/false", r"could not start \(exit code 1\)"),
        ("/nowhere/python", "could be started: .*No such file"),
        ("", "interpreter is unknown"),
    ],
)
def test_a_python_that_does_not_work_is_not_the_checkers_fault(
    monkeypatch: pytest.MonkeyPatch, executable: str, sentence: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(SandboxUnavailable, match=sentence):
        Zygote((), 0)


def test_what_the_screen_allows_is_what_a_worker_has_loaded() -> None:
    assert set(worker.MODULES) == {*ALLOWED_MODULES, *ALLOWED_SUBMODULES}


def test_one_zygote_serves_all_that_ask_for_the_same() -> None:
    assert zygote_for([Layer.LIMITS], 0) is zygote_for((Layer.LIMITS, Layer.LIMITS), 0)
    assert zygote_for([Layer.LIMITS], 0) is not zygote_for([Layer.LIMITS], 1)


def test_a_zygote_that_ended_is_replaced() -> None:
    first = zygote_for([], 7)
    first.close()
    assert not first.alive
    with pytest.raises(Gone):
        first.end(1)
    second = zygote_for([], 7)
    assert second.alive
    second.close()


def test_a_zygote_outlives_the_thread_that_started_it() -> None:
    thread = threading.Thread(target=zygote_for, args=((), 8))
    thread.start()
    thread.join()
    zygote = zygote_for((), 8)
    assert zygote.alive
    zygote.close()


@linux
def test_the_zygote_has_nothing_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_API_KEY", "sk-secret")
    zygote = Zygote((), 9)
    process = Path(f"/proc/{zygote._process.pid}")
    environment = (process / "environ").read_bytes()
    assert b"sk-secret" not in environment
    # Else large temporaries are mapped and unmapped at every call.
    assert b"MALLOC_MMAP_THRESHOLD_=" in environment
    files = {int(each.name): str(each.readlink()) for each in (process / "fd").iterdir()}
    assert len([each for each in files.values() if each == "/dev/null"]) == 3
    assert len(files) == 5, files
    assert [each for each in files.values() if "socket:" in each]
    zygote.close()


def test_layers_say_what_they_are() -> None:
    said = zygote_for(tuple(Layer), 0).layers
    assert set(said) <= set(Layer)
    assert all(said.values())
