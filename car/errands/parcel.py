"""Files on the way from one machine to another."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from car.errors import CarError
from car.files import write_atomically

_State = tuple[int, int]


@dataclass(frozen=True)
class Parcel:
    """Files by their names in a folder.

    Args:
        files: names, with ``/`` on every system, and contents, in the order in which the files were written.
        gone: names of files that are there no more.
    """

    files: tuple[tuple[str, bytes], ...]
    gone: tuple[str, ...] = ()

    def unpack(self, folder: Path) -> None:
        """Writes the files, each whole or not at all; what is gone goes last.

        Raises:
            CarError: a name leads out of the folder.
            OSError: the disk is full or the folder cannot be written.
        """
        for name in (*(name for name, _ in self.files), *self.gone):
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise CarError(f"Another machine has sent a file for {name!r}, which is not in {folder}.")
        for name, content in self.files:
            with write_atomically(folder / name) as stream:
                stream.write(content)
        for name in self.gone:
            (folder / name).unlink(missing_ok=True)


class Sender:
    """Packs what has changed in a folder since the last time.

    Args:
        folder: the folder.
        parts: files and folders in it that are packed, ``.`` for all. Hidden files in these are left out: they are
            locks, and files that are not whole yet.
    """

    def __init__(self, folder: Path, parts: tuple[str, ...]) -> None:
        self._folder, self._parts = folder, parts
        self._sent: dict[str, _State] = {}

    def changes(self) -> Parcel:
        """What is new, and what is gone."""
        files: list[tuple[str, bytes]] = []
        found = {name: state for name in self._names() if (state := _state(self._folder / name))}
        for name, state in sorted(found.items(), key=lambda each: each[1]):
            if self._sent.get(name) == state:
                continue
            try:
                files.append((name, (self._folder / name).read_bytes()))
                self._sent[name] = state
            except FileNotFoundError:
                # Just now; an old checkpoint, for example.
                del found[name]
        gone = tuple(sorted(self._sent.keys() - found.keys()))
        for name in gone:
            del self._sent[name]
        return Parcel(tuple(files), gone)

    def _names(self) -> Iterator[str]:
        for part in self._parts:
            root = self._folder / part
            for path in [root] if root.is_file() else root.rglob("*"):
                if not any(each.startswith(".") for each in path.relative_to(root).parts):
                    yield path.relative_to(self._folder).as_posix()


def packed(path: Path) -> Parcel:
    """A file, or all files of a folder, under its own name."""
    return Sender(path.parent, (path.name,)).changes()


def _state(path: Path) -> _State | None:
    """When it was written and how long it is; None if it is no file, or gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return (found.st_mtime_ns, found.st_size) if path.is_file() else None
