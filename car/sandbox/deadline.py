"""How long a checker may take: a limit of processor time, and a hard one by the wall clock."""

import time

from car.sandbox.child import Child


class Deadline:
    """The time for one answer.

    The worker's processor time counts, so that a loaded machine fails no honest checker. It is looked at only once the
    limit has passed by the wall clock, so that an answer in time costs nothing. A worker that sleeps then has nothing
    to wait for that would come: it is late at once.

    Args:
        seconds: of processor time.
        patience: how many times as long it may take by the wall clock.
    """

    def __init__(self, seconds: float, patience: float) -> None:
        self.seconds = seconds
        self._hard = seconds * patience
        self._since = time.monotonic()
        self._used: float | None = None

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._since

    def restart(self) -> None:
        """The next answer begins."""
        self._since = time.monotonic()
        self._used = None

    def passed(self, child: Child) -> bool:
        """Whether the worker is late; to be asked a few times within the limit, for the clock starts at the first."""
        waited = time.monotonic() - self._since
        used = child.processor_seconds()
        if self._used is None:
            self._used = used
        if waited < self.seconds:
            return False
        if waited >= self._hard or used is None or self._used is None:
            return True
        return used - self._used >= self.seconds or child.sleeps()
