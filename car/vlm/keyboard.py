"""What a person types or pastes into a terminal."""

import os
import select
import termios
from contextlib import suppress
from types import TracebackType
from typing import Self

_END, _CTRL_D, _ERASE = b"END", b"\x04", "\x7f\b"
_CHUNK = 65536


class Paste:
    """Text as it comes in, until a line that holds only ``END``, or Ctrl-D.

    Attributes:
        lines: the whole lines so far.
        ended: whether the end has come; what comes after it is no part of the text.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ended = False
        self._rest = b""

    def add(self, data: bytes) -> None:
        """Takes the next piece, which may end anywhere, within a character too."""
        data, ctrl_d, _ = data.partition(_CTRL_D)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if ctrl_d and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        for line in map(_line, lines):
            if line.strip() == _END.decode():
                self.ended, self._rest = True, b""
                return
            self.lines.append(line)
        self.ended = bool(ctrl_d)

    @property
    def line(self) -> str:
        """The line that has no end yet."""
        return _line(self._rest)

    @property
    def blank(self) -> bool:
        """Whether there is nothing but white space so far."""
        return not any(each.strip() for each in self.lines) and not self.line.strip()

    @property
    def text(self) -> str:
        """All of it; "" if it is blank."""
        return "" if self.blank else "\n".join([*self.lines, self.line]).rstrip("\n") + "\n"

    @property
    def is_enter(self) -> bool:
        """Whether it is Enter on empty lines, or ``e`` and Enter, and nothing else."""
        words = [each.strip() for each in self.lines if each.strip()]
        return bool(self.lines) and words in ([], ["e"]) and not self._rest


class Keyboard:
    """A terminal's input as it comes, while this is entered; as it was before, afterwards.

    Nothing is echoed, for a pasted answer would push everything else off the screen, and what was typed before is
    dropped. Ctrl-C interrupts as ever. The terminal does not wait for whole lines either: where it does, it silently
    drops what a line has beyond 4095 bytes.

    Args:
        descriptor: of the terminal. Python's own `sys.stdin` would read ahead, and `select` would not know of it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> Self:
        self._modes = termios.tcgetattr(self._descriptor)
        if self._in_front():
            modes = termios.tcgetattr(self._descriptor)
            modes[3] &= ~(termios.ICANON | termios.ECHO)
            modes[6][termios.VMIN], modes[6][termios.VTIME] = 1, 0
            termios.tcflush(self._descriptor, termios.TCIFLUSH)
            termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A terminal that was closed meanwhile has no modes any more.
        with suppress(termios.error):
            if self._in_front():
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._modes)

    def read(self, seconds: float) -> bytes:
        """What comes within so many seconds, b"" for nothing.

        Raises:
            EOFError: the terminal was closed.
        """
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        if not ready or not self._in_front():
            return b""
        try:
            data = os.read(self._descriptor, _CHUNK)
        except OSError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        return data

    def _in_front(self) -> bool:
        # A process in the background that reads from its terminal or changes it is stopped.
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:
            return True


def _line(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    if not any(each in text for each in _ERASE):
        return text
    kept: list[str] = []
    for each in text:
        if each in _ERASE:
            del kept[-1:]
        else:
            kept.append(each)
    return "".join(kept)
