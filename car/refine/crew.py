"""Work that goes on side by side in threads."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Crew(Generic[T]):
    """Runs pieces of work, several at once.

    The threads do not keep the process alive: whoever is interrupted twice wants to leave.

    Args:
        limit: how many at once, each in a thread; 0 for none, one after another in the caller's own.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._results: SimpleQueue[tuple[int, T | BaseException]] = SimpleQueue()
        self.busy = 0

    @property
    def full(self) -> bool:
        """Whether no further work can begin now."""
        return self.busy >= max(self._limit, 1)

    def begin(self, key: int, work: Callable[[], T]) -> None:
        """Begins a piece of work; its result comes under this key."""
        self.busy += 1
        if self._limit:
            threading.Thread(target=self._run, args=(key, work), daemon=True).start()
            return
        try:
            self._results.put((key, work()))
        except Exception as error:
            self._results.put((key, error))
        except BaseException:
            # An interrupt is the caller's own affair: there is no result to wait for.
            self.busy -= 1
            raise

    def result(self) -> tuple[int, T | BaseException]:
        """The key and the result, or what was raised, of the next work that ends; waits for it."""
        ended = self._results.get()
        self.busy -= 1
        return ended

    def _run(self, key: int, work: Callable[[], T]) -> None:
        try:
            self._results.put((key, work()))
        except BaseException as error:
            # Whatever it is, whoever waits must hear of it.
            self._results.put((key, error))
