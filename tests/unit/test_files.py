import stat
from pathlib import Path

import pytest

from car.files import write_atomically, write_text


def test_a_file_appears_whole_and_its_folders_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    with write_atomically(path) as stream:
        stream.write(b"half")
        assert not path.exists()
        stream.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert [each.name for each in path.parent.iterdir()] == ["b.txt"]


def test_others_may_read_it(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "text")
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o644


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "b.txt"
    path.write_text("before")

    def write() -> None:
        with write_atomically(path) as stream:
            stream.write(b"half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["b.txt"]


def test_a_block_that_fails_leaves_nothing_where_nothing_was(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), write_atomically(tmp_path / "b.txt"):
        raise ValueError("stop")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"), write_atomically(tmp_path / "file" / "b.txt"):
        pass


def test_text_is_utf_8_and_replaces_what_was_there(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "first")
    write_text(tmp_path / "a.txt", "zweitens: ü\n")
    assert (tmp_path / "a.txt").read_bytes() == "zweitens: ü\n".encode()
