"""The terminal at which a person is told of a question and hands in the answer."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from car.files import write_text
from car.vlm.keyboard import Keyboard, Paste

PARTIAL = "reply.partial.md"
_TICK = 0.1
_SETTLED = 0.2
_TAIL = 40
_AGAIN = "Ctrl-C stops; the same command goes on."


def told(console: Console, *lines: str, style: str = "") -> None:
    """Prints lines as they are, of whatever length: a path can be copied in one piece."""
    console.print(Text("\n".join(lines), style), soft_wrap=True)


def editor() -> str:
    """The command that opens a file for this person, "" if none is known."""
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    return chosen.strip() or next((name for name in ("nano", "vi") if shutil.which(name)), "")


class Terminal:
    """The wait for one answer, while this is entered: a live line, and an ear for what is typed and pasted.

    What was pasted and not ended is kept in `reply.partial.md` when the wait ends.

    Args:
        console: where it is shown.
        descriptor: of the terminal that is typed at; if it is none, the answer can only be saved as a file.
        reply: the file that the answer becomes.
    """

    def __init__(self, console: Console, descriptor: int, reply: Path) -> None:
        self._console, self._reply = console, reply
        self._descriptor, self._hears = descriptor, os.isatty(descriptor)
        self._editor = editor() if self._hears else ""
        self._keyboard: Keyboard | None = None
        self._spinner = Spinner("dots", style="cyan")
        self._paste = Paste()
        self._began = self._heard_at = time.monotonic()

    def __enter__(self) -> Self:
        self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.close()
        self._keep()

    def tell(self, pictures: Sequence[str]) -> None:
        """Says where the question lies, which pictures belong to it, and how to answer."""
        folder, prompt = self._reply.parent, "prompt.md"
        ways = [f"save it as {self._reply.name} in the same folder"]
        if self._editor:
            ways.insert(0, f"press Enter to write it with {self._editor}")
        if self._hears:
            ways.insert(0, "paste it here, and end it with a line that holds only END (or Ctrl-D)")
        lines = [f"Question  {folder / prompt}"]
        if pictures:
            lines.append(f"Pictures  {self._listed(pictures)}")
        lines.append(f"Answer    {ways[0]}")
        told(self._console, *lines, *(f"       or {way}" for way in ways[1:]))

    def wait(self, seconds: float) -> bool:
        """Listens so many seconds, or until the answer is in its file.

        Returns:
            whether the person has handed it in here, so that it is whole.
        """
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._live.refresh()
            if self._handed_in(min(left, _TICK)):
                return True
        return False

    def __rich__(self) -> Spinner:
        """The live line."""
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        waited = f"{minutes}:{seconds:02d}"
        if self._paste.blank:
            said = f"{waited}  waiting for the answer. {_AGAIN}"
        else:
            here = "".join(each if each.isprintable() else " " for each in self._paste.line[-_TAIL:])
            count = f"{len(self._paste.lines)} line{'s' * (len(self._paste.lines) != 1)} so far"
            said = f"{waited}  {count}; a line END or Ctrl-D ends it  {here}"
        self._spinner.update(text=Text(said, no_wrap=True, overflow="ellipsis"))
        return self._spinner

    def _show(self) -> None:
        self._shown = ExitStack()
        with self._shown:
            if self._hears:
                self._keyboard = self._shown.enter_context(Keyboard(self._descriptor))
            # Refreshed between two looks, and by no thread.
            self._live = Live(
                self,
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._shown.enter_context(self._live)
            self._shown = self._shown.pop_all()

    def _listed(self, pictures: Sequence[str]) -> str:
        names = ", ".join(pictures)
        if len(pictures) < 3 or len(names) < self._console.width - 10:
            return names
        return f"all {len(pictures)} PNG files there, {pictures[0]} to {pictures[-1]}"

    def _handed_in(self, seconds: float) -> bool:
        if self._keyboard is None:
            time.sleep(seconds)
            return False
        try:
            data = self._keyboard.read(seconds)
        except EOFError:
            # The answer can still come as a file.
            self._keyboard = None
            self._keep()
            return False
        if data:
            self._heard_at = time.monotonic()
            self._paste.add(data)
            return self._paste.ended and self._pasted()
        # A pasted text may begin with an empty line; Enter is followed by nothing.
        quiet = time.monotonic() - self._heard_at > _SETTLED
        return quiet and bool(self._editor) and self._paste.is_enter and self._edited()

    def _pasted(self) -> bool:
        text, self._paste = self._paste.text, Paste()
        if text:
            write_text(self._reply, text)
        else:
            told(self._console, "Nothing was pasted.", style="yellow")
        return bool(text)

    def _edited(self) -> bool:
        self._paste = Paste()
        self._shown.close()
        try:
            self._open()
        finally:
            self._show()
        if self._reply.is_file() and self._reply.read_bytes().strip():
            return True
        told(self._console, f"{self._reply.name} is still empty.", style="yellow")
        return False

    def _open(self) -> None:
        # Standard output may be a file or a pipe; an editor needs the terminal.
        screen = os.open(os.ttyname(self._descriptor), os.O_RDWR | os.O_NOCTTY)
        try:
            # The variables hold a command for the shell, perhaps with arguments.
            command = ["/bin/sh", "-c", f'{self._editor} "$@"', self._editor, str(self._reply)]
            subprocess.run(command, stdin=screen, stdout=screen, stderr=screen, check=False)
        finally:
            os.close(screen)

    def _keep(self) -> None:
        if text := self._paste.text:
            kept = self._reply.with_name(PARTIAL)
            write_text(kept, text)
            told(self._console, f"What was pasted is kept in {kept}.", style="yellow")
        self._paste = Paste()
