"""Work that goes on side by side in threads."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
_LOOK = 0.2


class Crew(Generic[T]):
    """Runs pieces of work, several at once.

    The threads do not keep the process alive: whoever is interrupted twice wants to leave.

    Args:
        limit: how many at once, each in a thread; 0 for none, one after another in the caller's own.

    Attributes:
        busy: how many were begun and their results not taken yet.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._results: SimpleQueue[tuple[int, T | BaseException]] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.busy = 0

    @property
    def full(self) -> bool:
        """Whether no further work can begin now."""
        return self.busy >= max(self._limit, 1)

    @property
    def running(self) -> int:
        """How many threads are at work; unlike `busy` it is right after an interrupt too, whenever that came."""
        return sum(each.is_alive() for each in self._threads)

    def begin(self, key: int, work: Callable[[], T]) -> None:
        """Begins a piece of work; its result comes under this key."""
        self.busy += 1
        if self._limit:
            self._threads.append(threading.Thread(target=self._run, args=(key, work), daemon=True))
            self._threads[-1].start()
            return
        try:
            self._results.put((key, work()))
        except Exception as error:
            self._results.put((key, error))

    def result(self) -> tuple[int, T | BaseException]:
        """The key and the result, or what was raised, of the next work that ends; waits for it."""
        ended = self._results.get()
        self.busy -= 1
        return ended

    def wait(self) -> None:
        """Returns when no thread is at work any more; what they have left to be taken does not matter then."""
        while at_work := [each for each in self._threads if each.is_alive()]:
            at_work[0].join(_LOOK)

    def _run(self, key: int, work: Callable[[], T]) -> None:
        try:
            self._results.put((key, work()))
        except BaseException as error:
            # Whatever it is, whoever waits must hear of it.
            self._results.put((key, error))
