"""A person with a chat window instead of an API key: questions and answers are files."""

import json
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from car.errors import UserError
from car.files import write_atomically, write_text
from car.frames import to_png
from car.vlm import Picture, Reply, Request
from car.vlm.terminal import Terminal, told

FORMAT = "car-manual/1"
PROMPT, REPLY = "prompt.md", "reply.md"
_REFUSED = "reply.not-usable-"
_ABOUT = "request.json"
_LONGEST = 60


class ManualVLM:
    """Writes each question into a folder of its own and waits for the answer there.

    A question has `prompt.md` and its pictures as PNG files; the answer is `reply.md`. A question that was asked
    before, in this run or in one that was stopped, is found again with its answer.

    Where a person sits at a terminal, the answer may also be pasted there, or written in an editor. An answer that is
    malformed is put aside and asked for again; handed in once more as it is, it is taken.

    Args:
        folder: where the questions' folders are made.
        wait: called with the seconds until the next look, where there is no terminal.
        poll_seconds: how often to look.
        console: where it says where to look; None for stderr.
        terminal: the descriptor that a person types at; used if it is a terminal and the console is one.
        problem: what is wrong with a text as the answer to a request, in a sentence; "" for nothing.
    """

    name = "manual"

    def __init__(
        self,
        folder: Path,
        wait: Callable[[float], object] = time.sleep,
        poll_seconds: float = 0.5,
        console: Console | None = None,
        terminal: int = 0,
        problem: Callable[[Request, str], str] = lambda request, text: "",
    ) -> None:
        self.folder, self._wait, self._poll_seconds = folder, wait, poll_seconds
        self._console = console or Console(stderr=True)
        self._terminal, self._problem = terminal, problem
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._announced: set[str] = set()

    def ask(self, request: Request) -> Reply:
        """The answer that somebody handed in, once it is there, not empty and no longer growing.

        Raises:
            UserError: the answer is not UTF-8 text.
            OSError: the question cannot be written, or the answer not read.
        """
        with self._lock:
            folder = self._found(request.sha256) or self._written(request)
        while True:
            text = self._saved(folder / REPLY) or self._awaited(request, folder)
            if self._accepts(request, text, folder / REPLY):
                return Reply(text, model=self.name)

    def _found(self, sha256: str) -> Path | None:
        matches = (path.parent for path in self.folder.glob(f"[0-9]*/{_ABOUT}") if _sha256_in(path) == sha256)
        return min(matches, default=None)

    def _written(self, request: Request) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        # A folder appears under its name only when all of it is there, whenever this process is killed.
        unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=self.folder))
        unfinished.chmod(0o755)
        _write(request, unfinished)
        return unfinished.rename(self.folder / f"{self._next():02d}-{_title(request)}")

    def _next(self) -> int:
        numbers = (re.match(r"(\d+)-", path.name) for path in self.folder.iterdir())
        return 1 + max((int(match[1]) for match in numbers if match), default=0)

    def _saved(self, path: Path) -> str:
        size = _size(path)
        if not size:
            return ""
        self._wait(self._poll_seconds)
        text = _text(path) if size == _size(path) else ""
        return text if text.strip() else ""

    def _awaited(self, request: Request, folder: Path) -> str:
        if not self._console.is_interactive:
            self._announce(request, folder)
            return self._text_in(folder / REPLY, self._wait)
        # Of several questions at one terminal the second waits for the first one's answer.
        with self._turn:
            terminal = Terminal(self._console, self._terminal, folder / REPLY)
            if self._is_news(request):
                terminal.tell(list(_names(request.pictures)))
            with terminal:
                return self._text_in(folder / REPLY, terminal.wait)

    def _announce(self, request: Request, folder: Path) -> None:
        if self._is_news(request):
            words = (
                f"Waiting for an answer. In {folder}: give {PROMPT} and its pictures to a VLM, and save what it says "
                f"as {REPLY}. Ctrl-C stops; the same command goes on."
            )
            told(self._console, words)

    def _is_news(self, request: Request) -> bool:
        with self._lock:
            news = request.sha256 not in self._announced
            self._announced.add(request.sha256)
        return news

    def _text_in(self, path: Path, wait: Callable[[float], object]) -> str:
        before = 0
        while True:
            size = _size(path)
            # A file that is still being saved grows from one look to the next.
            if size and size == before and (text := _text(path)).strip():
                return text
            handed_in = wait(self._poll_seconds) is True
            before = _size(path) if handed_in else size

    def _accepts(self, request: Request, text: str, path: Path) -> bool:
        said = self._problem(request, text)
        refused = list(path.parent.glob(f"{_REFUSED}*.md"))
        if not said or any(_text(each).strip() == text.strip() for each in refused):
            return True
        numbers = (each.stem.removeprefix(_REFUSED) for each in refused)
        number = 1 + max((int(each) for each in numbers if each.isdecimal()), default=0)
        kept = path.rename(path.with_name(f"{_REFUSED}{number}.md"))
        words = f"This answer cannot be used. {said} It is kept as {kept.name}; handed in once more, it is taken."
        told(self._console, words, style="yellow")
        return False


def _sha256_in(path: Path) -> str | None:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return about.get("request_sha256") if isinstance(about, dict) else None


def _write(request: Request, folder: Path) -> None:
    names = list(_names(request.pictures))
    for picture, name in zip(request.pictures, names, strict=True):
        with write_atomically(folder / name) as stream:
            stream.write(to_png(picture.frame))
    write_text(folder / PROMPT, _prompt(request, names))
    write_text(folder / _ABOUT, _about(request))


def _names(pictures: Sequence[Picture]) -> Iterator[str]:
    for number, picture in enumerate(pictures, start=1):
        yield f"{number}-{_slug(picture.caption) or 'picture'}.png"


def _prompt(request: Request, names: Sequence[str]) -> str:
    files = iter(names)
    parts = [part if isinstance(part, str) else _link(part.caption, next(files)) for part in request.parts]
    return "\n\n".join([f"> Save the answer in this folder as `{REPLY}`.", request.system, *parts]) + "\n"


def _link(caption: str, name: str) -> str:
    words = re.sub(r"([\[\]\\])", r"\\\1", " ".join(caption.split()))
    return f"![{words}]({name})"


def _about(request: Request) -> str:
    values = {
        "format": FORMAT,
        "request_sha256": request.sha256,
        "stage": request.stage,
        "subject": request.subject,
        "attempt": request.attempt,
    }
    return json.dumps(values, indent=1) + "\n"


def _title(request: Request) -> str:
    attempt = f"attempt-{request.attempt}" if request.attempt > 1 else ""
    return "-".join(filter(None, [_slug(request.stage), _slug(request.subject), attempt]))


def _slug(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower())[:_LONGEST].strip("-")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _text(path: Path) -> str:
    try:
        # Some editors begin a UTF-8 file with a byte order mark.
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text; save it as UTF-8 and start again.") from error
