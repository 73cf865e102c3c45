"""One run in a process of its own: reads a `Job` from its input, writes a JSON line for each line of progress."""

import json
import os
import signal
import sys
from types import FrameType
from typing import IO, Any

from car.errors import CarError
from car.train.many import Job, kind_of
from car.train.run import train
from car.train.settings import Progress

INTERRUPTED = 130


def main() -> int:
    """Runs the job; gives the exit code."""
    interruption = _Interruption()
    # Whoever was started in the background ignores Ctrl-C, and so would this process.
    signal.signal(signal.SIGINT, interruption)
    mouth = _Mouth(_own_output(), interruption)
    try:
        job = Job.from_json(sys.stdin.read())
        train(
            job.task,
            job.reward,
            job.settings,
            job.folder,
            mouth.report,
            job.resume,
            job.allow_unreviewed,
            job.isolation,
        )
    except CarError as error:
        mouth.say({"error": str(error), "kind": kind_of(error)})
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


class _Interruption:
    """What Ctrl-C does; remembers that it came, since a library can lose the exception."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, signal_number: int, frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt


class _Mouth:
    def __init__(self, stream: IO[str], interruption: _Interruption) -> None:
        self._stream = stream
        self._interruption = interruption

    def report(self, line: Progress) -> None:
        """Says a line of progress.

        Raises:
            KeyboardInterrupt: Ctrl-C came before, or nobody listens any more; the run shall save a checkpoint and end.
        """
        try:
            self.say({"progress": line.as_dict()})
        except BrokenPipeError as error:
            raise KeyboardInterrupt from error
        if self._interruption.came:
            raise KeyboardInterrupt

    def say(self, fields: dict[str, Any]) -> None:
        """Says one JSON object."""
        self._stream.write(json.dumps(fields) + "\n")
        self._stream.flush()


def _own_output() -> IO[str]:
    """Our standard output, which from now on nobody else writes to: some simulators print greetings."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream


if __name__ == "__main__":
    sys.exit(main())
