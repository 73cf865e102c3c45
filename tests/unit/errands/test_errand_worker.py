"""What a machine of a cluster does, done in this process."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from car.errands import Errand
from car.errands.parcel import Parcel, Sender, packed
from car.errands.worker import Begun, Ended, Item, carry_out
from tests.unit.errands.counting import errand


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of the machine."""
    folder = tmp_path / "machine"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def carried(given: Errand, stopping: Callable[[], bool] = lambda: False) -> Iterator[Item]:
    files = Sender(given.folder, given.parts).changes()
    reads = {name: packed(path) for name, path in given.reads.items()}
    return carry_out(given, files, reads, stopping, 20.0)


def contents(items: list[Item]) -> dict[str, bytes]:
    return {name: content for item in items if isinstance(item, Parcel) for name, content in item.files}


def test_files_go_there_and_come_back(tmp_path: Path, machine: Path) -> None:
    (tmp_path / "here" / "own").mkdir(parents=True)
    (tmp_path / "here" / "own" / "count.txt").write_text("4")
    (tmp_path / "step.txt").write_text("2")
    given = errand(tmp_path / "here", 8, tmp_path / "step.txt").once_more()
    items = list(carried(given))
    begun, kept, *_, ended = items
    assert isinstance(begun, Begun)
    # What is to be kept comes before the process is heard to say so.
    assert int(contents([kept])["own/count.txt"]) >= 6
    assert [item["count"] for item in items if isinstance(item, dict)] == [6, 8]
    assert contents(items) == {"own/count.txt": b"8", "log.txt": b"said aside\nthe variable is seen\n"}
    assert ended == Ended(None)
    # Nothing was written where the errand came from, and nothing is left on the machine.
    assert (tmp_path / "here" / "own" / "count.txt").read_text() == "4"
    assert list(machine.iterdir()) == []


def test_an_error_speaks_of_the_paths_here(tmp_path: Path) -> None:
    (tmp_path / "step.txt").write_text("1")
    given = errand(tmp_path / "here", 1, tmp_path / "step.txt", end="bad")
    *_, ended = carried(given)
    said = f"The bundle in {tmp_path / 'here'} is bad, and so is {tmp_path / 'step.txt'}."
    assert ended == Ended({"error": said, "kind": "BadBundle"})


def test_it_saves_what_it_has_when_it_shall_stop(tmp_path: Path) -> None:
    items: list[Item] = []
    for item in carried(errand(tmp_path / "here", 10_000, pause=0.05), lambda: len(items) > 4):
        items.append(item)
    assert contents(items)["own/interrupted.txt"] == b"saved"
    assert isinstance(items[-1], Ended)


def test_what_killed_ones_have_left_is_removed(tmp_path: Path, machine: Path) -> None:
    (machine / "car-errand-999999999-abc" / "writes").mkdir(parents=True)
    (machine / "car-errand-1-abc").mkdir()
    list(carried(errand(tmp_path / "here", 1)))
    assert [each.name for each in machine.iterdir()] == ["car-errand-1-abc"]


def test_a_machine_without_room_says_so(tmp_path: Path, machine: Path) -> None:
    machine.rmdir()
    *_, ended = carried(errand(tmp_path / "here", 1))
    assert isinstance(ended, Ended)
    assert ended.error is not None
    assert ended.error["kind"] == "UserError"
    assert "On the machine " in ended.error["error"]
