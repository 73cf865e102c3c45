"""The side of the process that carries out an errand: what it is told, and how it says what happens."""

import json
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import IO, Any

from car.errands.message import error_line
from car.errors import CarError

INTERRUPTED = 130


class Mouth:
    """Says JSON objects, one a line, to whoever started the process.

    Args:
        stream: where they are written.
        interruption: what came in between.
    """

    def __init__(self, stream: IO[str], interruption: "_Interruption") -> None:
        self._stream = stream
        self._interruption = interruption

    def tell(self, **fields: Any) -> None:
        """Says an object; ``kept=True`` in it means that what is on disk now should be kept wherever this goes on.

        Raises:
            KeyboardInterrupt: Ctrl-C came before, or nobody listens any more; the work shall save what it has and end.
        """
        try:
            self.say(fields)
        except BrokenPipeError as error:
            raise KeyboardInterrupt from error
        if self._interruption.came:
            raise KeyboardInterrupt

    def say(self, fields: dict[str, Any]) -> None:
        """Says an object, whatever came in between.

        Raises:
            BrokenPipeError: nobody listens any more.
        """
        self._stream.write(json.dumps(fields) + "\n")
        self._stream.flush()


def carry_out(work: Callable[[dict[str, Any], Mouth], None]) -> int:
    """Does the work with what is read from standard input, and gives the exit code."""
    interruption = _Interruption()
    # Whoever was started in the background ignores Ctrl-C, and so would this process.
    signal.signal(signal.SIGINT, interruption)
    # Ray's processes block it.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    mouth = Mouth(_own_output(), interruption)
    try:
        work(json.loads(sys.stdin.read()), mouth)
    except CarError as error:
        mouth.say(error_line(error))
        return error.exit_code
    except (KeyboardInterrupt, BrokenPipeError):
        return INTERRUPTED
    return 0


class _Interruption:
    """What Ctrl-C does; remembers that it came, since a library can lose the exception."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, signal_number: int, frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt


def _own_output() -> IO[str]:
    """Our standard output, which from now on nobody else writes to: some simulators print greetings."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream
