"""Replies on disk before anyone reads them, so that a run that was killed asks nothing twice."""

import fcntl
import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from car.errors import UserError
from car.files import write_text
from car.vlm import VLM, Finish, Leaver, Reply, Request, Usage
from car.vlm.recording import Exchange, field

FORMAT = "car-journal/1"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keeps other processes from work with the same journal as long as the block lasts: they would ask the same.

    Raises:
        UserError: another process is at work with it.
        OSError: the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"Another command is at work with the replies in {folder}, and would pay for the same questions; wait "
                "until it ends, or give another folder with --rewards."
            ) from None
        yield


class Journal:
    """Keeps every reply of a VLM in a folder, one file each, and answers a request that it knows from there.

    Truncated and refused replies are kept too: they were paid for, and the next attempt is another request. Only where
    an answer may now be longer is a truncated one asked for anew.

    Args:
        vlm: the one to ask.
        folder: where the replies lie; made if it is not there.
        max_output: the most tokens that an answer may have; 0 if that is not known.

    Attributes:
        asked: how many requests went to the VLM.
        reused: how many were answered from the folder.
        usage: the tokens of all replies, each distinct request counted once, whenever it was asked.
        spent: the tokens of the replies that were asked for now.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, vlm: VLM, folder: Path, max_output: int = 0) -> None:
        # Now, and not when the first reply has been paid for.
        folder.mkdir(parents=True, exist_ok=True)
        self._vlm, self._folder, self._lock = vlm, folder, threading.Lock()
        self._max_output = max_output
        self._turns: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
        self._counted: set[str] = set()
        self.asked, self.reused = 0, 0
        self.usage, self.spent = Usage(), Usage()

    @property
    def name(self) -> str:
        """The name of the VLM that is asked."""
        return self._vlm.name

    def ask(self, request: Request) -> Reply:
        """The reply, from the folder if it is there; otherwise it is there, on disk, before it is returned.

        Raises:
            ProviderError: from the VLM that is asked; nothing is kept.
            OSError: the reply cannot be written.
        """
        path = self.path(request)
        with self._lock:
            turn = self._turns[path]
        # Of two threads with the same question the second waits for the first one's reply.
        with turn:
            kept = self._kept(path, request)
            reply = self._vlm.ask(request) if kept is None else kept
            if kept is None:
                self._keep(path, request, reply)
        self._count(path.stem, reply.usage, new=kept is None)
        return reply

    def leave(self) -> None:
        """Tells the VLM that nobody waits any longer, if it can be told."""
        if isinstance(self._vlm, Leaver):
            self._vlm.leave()

    def path(self, request: Request) -> Path:
        """The file for the reply to a request."""
        key = hashlib.sha256(f"{self.name}\n{request.sha256}".encode()).hexdigest()
        return self._folder / f"{key}.json"

    def kept(self, request: Request) -> Usage | None:
        """What the reply to a request has used, if it is in the folder and will be given from there."""
        reply = self._kept(self.path(request), request)
        return None if reply is None else reply.usage

    def _kept(self, path: Path, request: Request) -> Reply | None:
        try:
            values, reply = self._read(path, request)
            return None if self._too_short(values, reply) else reply
        except FileNotFoundError:
            return None
        except ValueError:
            path.replace(path.with_name(f"{path.name}.damaged"))
            return None

    def _too_short(self, values: Mapping[str, object], reply: Reply) -> bool:
        """Whether it was cut off where it might go on now."""
        limit = values.get("max_output", 0)
        return reply.finish is Finish.TRUNCATED and isinstance(limit, int) and 0 < limit < self._max_output

    def _read(self, path: Path, request: Request) -> tuple[Mapping[str, object], Reply]:
        values = json.loads(path.read_text(encoding="utf-8"))
        exchange = Exchange.from_json(values)
        if field(values, "format", str) != FORMAT or exchange.request_sha256 != request.sha256:
            raise ValueError("the file is of another format or for another request")
        return values, exchange.reply

    def _keep(self, path: Path, request: Request, reply: Reply) -> None:
        limit = {"max_output": self._max_output} if self._max_output else {}
        values = {"format": FORMAT, "vlm": self.name, **limit, **Exchange.of(request, reply).to_json()}
        if path.exists():
            # One that was cut off; only now is there something in its place.
            path.replace(_free(path))
        write_text(path, json.dumps(values, indent=1) + "\n")

    def _count(self, key: str, usage: Usage, new: bool) -> None:
        with self._lock:
            self.asked += new
            self.reused += not new
            self.spent += usage if new else Usage()
            self.usage += Usage() if key in self._counted else usage
            self._counted.add(key)


def _free(path: Path) -> Path:
    """A name beside the file for a reply that is put aside."""
    number = 1
    while (aside := path.with_name(f"{path.name}.truncated-{number}")).exists():
        number += 1
    return aside
