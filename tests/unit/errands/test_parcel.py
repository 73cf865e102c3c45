import os
from pathlib import Path

import pytest

from car.errands.parcel import Parcel, Sender, packed
from car.errors import CarError


def write(path: Path, text: str, time: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time, time))


def test_what_has_changed_is_sent_once_in_the_order_in_which_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "policy.zip", "p", 3)
    write(tmp_path / "checkpoints" / "step-1.zip", "one", 1)
    write(tmp_path / "checkpoints" / ".step-2.zip.x7", "not whole", 2)
    sender = Sender(tmp_path, (".",))
    assert sender.changes() == Parcel((("checkpoints/step-1.zip", b"one"), ("policy.zip", b"p")))
    assert sender.changes() == Parcel(())
    write(tmp_path / "policy.zip", "q", 4)
    (tmp_path / "checkpoints" / "step-1.zip").unlink()
    assert sender.changes() == Parcel((("policy.zip", b"q"),), ("checkpoints/step-1.zip",))
    assert sender.changes() == Parcel(())


def test_only_its_parts_are_sent(tmp_path: Path) -> None:
    for name in ("mine/a", ".journal/mine/b", ".journal/mine/.lock", "log.txt", "yours/c", ".journal/yours/d"):
        write(tmp_path / name, name, 1)
    parcel = Sender(tmp_path, ("mine", ".journal/mine", "log.txt", "not-there")).changes()
    assert sorted(name for name, _ in parcel.files) == [".journal/mine/b", "log.txt", "mine/a"]


def test_a_parcel_is_unpacked(tmp_path: Path) -> None:
    write(tmp_path / "there" / "old", "old", 1)
    Parcel((("new/file", b"new"),), ("old", "never-there")).unpack(tmp_path / "there")
    assert (tmp_path / "there" / "new" / "file").read_bytes() == b"new"
    assert not (tmp_path / "there" / "old").exists()


def test_a_file_or_a_folder_goes_under_its_own_name(tmp_path: Path) -> None:
    write(tmp_path / "bundle" / "checkers" / "one.py", "1", 1)
    assert packed(tmp_path / "bundle") == Parcel((("bundle/checkers/one.py", b"1"),))
    assert packed(tmp_path / "bundle" / "checkers" / "one.py") == Parcel((("one.py", b"1"),))


@pytest.mark.parametrize("name", ["../outside", "/outside", "in/../../outside"])
def test_nothing_is_written_or_removed_outside(name: str, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    for parcel in (Parcel(((name, b"theirs"),)), Parcel((), (name,))):
        with pytest.raises(CarError, match="Another machine has sent"):
            parcel.unpack(tmp_path / "folder")
    assert (tmp_path / "outside").read_text() == "mine"
    assert not (tmp_path / "folder").exists()
