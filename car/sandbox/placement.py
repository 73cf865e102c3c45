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

    def take(self) -> int | None:
        """Stays on this thread's processor until `release`, and names it; None if workers may run on any."""
        self._began = time.perf_counter()
        if not self._near:
            return None
        number, before = _here(), allowed()
        if number < 0 or len(before) < 2:
            return None
        self._before = before
        place(0, {number})
        return number

    def release(self) -> None:
        """Lets this thread run where it could before."""
        if self._before is not None:
            place(0, self._before)
            self._before = None
        is_short = time.perf_counter() - self._began < self._short
        self._times = 0 if is_short is self._near else self._times + 1
        if self._times >= _TIMES:
            self._near, self._times = is_short, 0


def place(process: int, processors: set[int]) -> None:
    """Lets a process run on these processors only, if the system knows how; 0 is the calling thread."""
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
