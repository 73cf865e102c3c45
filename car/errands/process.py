"""A process that carries out an errand, as the one that started it sees it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from queue import Queue
from typing import IO, Any, cast

from car.errands.errand import Errand
from car.errands.message import error_in
from car.errors import CarError, UserError

_LAST_LINES = 15


class Process:
    """A process at work, and the thread that listens to it.

    It gets a session of its own: a Ctrl-C in the terminal would else reach it beside the signal that we send.

    Args:
        errand: what it does.
        said: gets the process with every object that it says, and with None when it says no more.

    Raises:
        UserError: its log cannot be written.
    """

    def __init__(self, errand: Errand, said: "Queue[tuple[Process, Mapping[str, Any] | None]]") -> None:
        self.errand = errand
        self._said = said
        self._error: CarError | None = None
        with _opened(errand) as log:
            self._process = subprocess.Popen(
                # The current folder comes last: a file there may be called like a module of ours.
                [sys.executable, "-P", "-m", errand.module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={
                    **os.environ,
                    **errand.environment,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                },
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )
        self._ear = threading.Thread(target=self._listen, daemon=True)
        self._ear.start()
        _tell(cast(IO[str], self._process.stdin), errand.told)

    def _listen(self) -> None:
        try:
            with cast(IO[str], self._process.stdout) as stdout:
                for line in stdout:
                    self._hear(line)
        finally:
            # Whatever was heard: somebody waits for this without end.
            self._said.put((self, None))

    def _hear(self, line: str) -> None:
        try:
            fields = json.loads(line)
        except ValueError:
            # Printed before the process had its output to itself, or cut off in the middle by its end.
            return
        if not isinstance(fields, dict):
            return
        if "error" in fields:
            self._error = error_in(fields)
        else:
            self._said.put((self, fields))

    def error(self) -> CarError | None:
        """Waits until the process, which says no more, has ended, and gives what went wrong."""
        code = self._process.wait()
        self._ear.join()
        if self._error is not None or code == 0:
            return self._error
        log = self.errand.folder / self.errand.log
        last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return CarError(f"{self.errand.title} {how}. Its last lines:\n{last}")

    def interrupt(self) -> None:
        """Asks the process to save what it has and end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def end_within(self, seconds: float) -> None:
        """Waits until the process has ended; kills it, and whatever it started, if it does not within a while."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends the process and whatever it started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self._process.wait()


def _opened(errand: Errand) -> IO[bytes]:
    log = errand.folder / errand.log
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("wb")
    except OSError as error:
        raise UserError(f"The folder {log.parent} cannot be written: {error.strerror}.") from error


def _tell(stdin: IO[str], text: str) -> None:
    try:
        with stdin:
            stdin.write(text)
    except BrokenPipeError:
        # The process died before it read; its exit code and its last lines say why.
        return
