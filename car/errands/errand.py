"""What is handed to a process of its own, here or on another machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Errand:
    """A piece of work for a process of its own.

    The process reads a JSON object with what it is told, and writes one JSON object a line; `car.errands.child` is its
    side. Paths are kept apart from the rest of what it is told, so that they can be others on another machine.

    Args:
        title: what it is, as the beginning of a sentence.
        module: what the process runs, as ``python -m module``.
        fields: what it is told, JSON-serialisable; two errands at a time may not write the same files.
        folder: where it writes; told under the name ``folder``.
        parts: what of the folder is its own: names of files and folders in it, ``.`` for all.
        reads: files and folders that it reads, by the names under which they are told.
        log: the file in `folder` for what the process and its libraries write on standard error.
        again: what it is told otherwise where it goes on after its machine or its process there was lost.
        environment: variables that it needs from the environment here.
    """

    title: str
    module: str
    fields: Mapping[str, Any]
    folder: Path
    parts: tuple[str, ...] = (".",)
    reads: Mapping[str, Path] = field(default_factory=dict)
    log: str = "log.txt"
    again: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def told(self) -> str:
        """What the process reads."""
        reads = {name: str(path) for name, path in self.reads.items()}
        return json.dumps({**self.fields, **reads, "folder": str(self.folder)})

    def once_more(self) -> Self:
        """The same, to go on with what is in the folder."""
        return replace(self, fields={**self.fields, **self.again})

    def placed(self, folder: Path, reads: Mapping[str, Path]) -> Self:
        """The same with other paths."""
        return replace(self, folder=folder, reads=reads)
