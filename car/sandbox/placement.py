"""On which processor the two sides of a call run: on one and the same while answers are short, else on any."""

import ctypes
import os
import time
from functools import cache

_SHORT_SECONDS = {True: 0.020, False: 0.001}
"""What is short, for a single worker and for several, which could work side by side on several processors."""
_TIMES = 3


class Placement:
    """Keeps a worker on the processor of the thread that waits for it, as long as answers are short.

    Left alone, the system wakes each of the two on a processor that is idle. In a virtual machine such a processor
    takes 50 to 100 microseconds to wake up, twice in a call: several times as long as most checkers. While the thread
    only waits, its own processor is free, and to stay there costs 6 microseconds.

    Args:
        alone: whether the session has one worker only.
    """

    def __init__(self, alone: bool) -> None:
        self._short = _SHORT_SECONDS[alone]
        self._near = True
        self._times = 0
        self._began = 0.0
        self._before: set[int] | None = None

    def take(self) -> set[int]:
        """Stays on this thread's processor until `let_go`, if that pays.

        Returns:
            The processors for the workers; none where the system does not say which there are.
        """
        self._began = time.perf_counter()
        before = allowed()
        number = _here() if self._near and len(before) > 1 else -1
        if number < 0:
            return before
        self._before = before
        place(0, {number})
        return {number}

    def let_go(self) -> None:
        """Lets this thread run where it could before."""
        before, self._before = self._before, None
        if before is not None:
            place(0, before)

    def note_end(self) -> None:
        """Takes note that the answers are there."""
        is_short = time.perf_counter() - self._began < self._short
        self._times = 0 if is_short is self._near else self._times + 1
        if self._times >= _TIMES:
            self._near, self._times = is_short, 0


def place(process: int, processors: set[int]) -> None:
    """Lets a process run on these processors only, if the system knows how; 0 is the calling thread."""
    if not processors:
        return
    try:
        os.sched_setaffinity(process, processors)
    except (AttributeError, OSError):
        return


def allowed() -> set[int]:
    """The processors that this thread may run on; none where the system does not say."""
    try:
        return os.sched_getaffinity(0)
    except (AttributeError, OSError):
        return set()


def _here() -> int:
    """The processor that this thread runs on; -1 where the system does not say."""
    find = _sched_getcpu()
    return -1 if find is None else int(find())


@cache
def _sched_getcpu() -> "ctypes._NamedFuncPointer | None":
    # Without letting go of the interpreter's lock, which would cost more than the call.
    found: ctypes._NamedFuncPointer | None = getattr(ctypes.PyDLL(None), "sched_getcpu", None)
    return found
