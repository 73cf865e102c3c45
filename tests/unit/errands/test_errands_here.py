import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from car.errands import Errand
from car.errors import BadBundle, CarError, UnknownName, UserError
from tests.unit.errands.counting import Heard, errand


def test_several_at_a_time_and_none_stops_another(tmp_path: Path) -> None:
    ends = {"bad": BadBundle, "unknown": UnknownName, "crash": CarError}
    errands = [errand(tmp_path / name, 2, end=name) for name in ends] + [errand(tmp_path / "good", 2)]
    heard = Heard().run(errands, at_once=4)
    assert {index: type(error) for index, error in heard.ends.items()} == dict(enumerate((*ends.values(), type(None))))
    assert all(counts == [1, 2] for counts in heard.counts.values())
    assert str(heard.ends[0]) == f"The bundle in {tmp_path / 'bad'} is bad, and so is None."
    assert str(heard.ends[1]) == "There is no colour 'blu'. There are: blue."
    crash = str(heard.ends[2])
    assert crash.startswith("The counting ended with exit code 1. Its last lines:\n")
    assert crash.endswith("RuntimeError: it broke")
    assert (tmp_path / "good" / "log.txt").read_text() == "said aside\nthe variable is seen\n"
    assert not heard.stopped


def test_whoever_listens_stops_the_others_after_they_saved(tmp_path: Path) -> None:
    def stop(index: int, fields: Mapping[str, Any]) -> None:
        if fields["count"] == 2:
            raise KeyboardInterrupt

    heard = Heard(stop)
    with pytest.raises(KeyboardInterrupt):
        heard.run([errand(tmp_path / "a", 10_000, pause=0.05), errand(tmp_path / "b")])
    assert heard.stopped == 1
    assert (tmp_path / "a" / "own" / "interrupted.txt").exists()
    assert not (tmp_path / "b").exists()
    counted = (tmp_path / "a" / "own" / "count.txt").read_text()
    time.sleep(0.2)
    assert (tmp_path / "a" / "own" / "count.txt").read_text() == counted


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    def stop(index: int, fields: Mapping[str, Any]) -> None:
        raise RuntimeError("enough")

    began = time.monotonic()
    with pytest.raises(RuntimeError, match="enough"):
        Heard(stop).run([errand(tmp_path, 2, pause=60.0, deaf=True)], patience=0.2)
    assert time.monotonic() - began < 30
    assert not (tmp_path / "own" / "interrupted.txt").exists()


@pytest.mark.parametrize(
    ("at_once", "on", "said"), [(0, "here", "at least one"), (1, "mars", "no place to work 'mars'")]
)
def test_what_cannot_be(tmp_path: Path, at_once: int, on: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Heard().run([errand(tmp_path)], at_once, on)
    assert not (tmp_path / "log.txt").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        Heard().run([errand(tmp_path / "file" / "folder")])


@pytest.mark.parametrize(
    ("script", "ends"),
    [
        ("print('Hello')\nprint('[1]')\nprint('{\"count\": 1}')\n", None),
        ("import os, sys\nsys.stdout.write('{\"count\": 1')\nsys.stdout.flush()\nos.kill(os.getpid(), 9)\n", "SIGKILL"),
    ],
)
def test_what_is_no_message_is_passed_over(
    script: str, ends: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "talkative.py").write_text(script)
    monkeypatch.syspath_prepend(tmp_path)
    heard = Heard().run([Errand("The talking", "talkative", {}, tmp_path / "out")])
    assert heard.counts == ({0: [1]} if ends is None else {})
    assert heard.ends[0] is None if ends is None else f"was ended by {ends}" in str(heard.ends[0])


def test_files_in_the_current_folder_do_not_hide_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("car.py", "queue.py"):
        (tmp_path / name).write_text("raise RuntimeError('the wrong one')\n")
    monkeypatch.chdir(tmp_path)
    assert Heard().run([errand(tmp_path / "good", 1)]).ends == {0: None}
