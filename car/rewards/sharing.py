"""One session for many users in one process."""

import os
import threading
import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from car.errors import UserError
from car.frames import Frame, Frames
from car.rewards.memo import REMEMBERED, RememberingSession
from car.rewards.watch import Watch, WatchedSession
from car.sandbox import Answers, Session


class _Shared:
    """A session that is watched below its memory, how many use it, and what it is registered as."""

    def __init__(self, session: Session, watch: Watch, key: Hashable = None, remembered: int = REMEMBERED) -> None:
        self.watched = WatchedSession(session, watch)
        self.session = RememberingSession(self.watched, remembered)
        self.key = key
        self.users = 0
        self.process = os.getpid()


_OPEN: dict[Hashable, _Shared] = {}


class Lease:
    """One user's share in a session; the session ends with its last lease.

    A lease ends when it is given back, when it is garbage-collected and when the process exits. A copy is a lease of
    its own. A session serves one process, and one thread at a time.
    """

    def __init__(self, shared: _Shared) -> None:
        shared.users += 1
        self._shared = shared
        self._end = weakref.finalize(self, _give_back, shared)

    @property
    def watched(self) -> WatchedSession:
        """The session below the memory, which counts what was slipped in."""
        return self._shared.watched

    def run(
        self, initial: Frames | Sequence[Frame], frames: Frames | Sequence[Frame], ask: NDArray[np.bool_]
    ) -> Answers:
        """The session's answers, see `RememberingSession.run`.

        Raises:
            UserError: the lease was given back, or belongs to another process.
            RewardChanged: a checker said something else of a known frame than before.
        """
        if not self._end.alive:
            raise UserError("This reward is closed; open it again to score frames.")
        if self._shared.process != os.getpid():
            raise UserError(_OTHER_PROCESS)
        return self._shared.session.run(initial, frames, ask)

    def give_back(self) -> None:
        """Ends the lease; a second time does nothing."""
        self._end()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Lease":
        return Lease(self._shared)

    def __reduce__(self) -> str:
        raise UserError(_OTHER_PROCESS)


_OTHER_PROCESS = (
    "A reward with live workers cannot be used in another process than the one that opened it; "
    "give the wrapper the bundle's path instead, so that each process opens its own."
)


def lease_of(session: Session, watch: Watch = Watch(), remembered: int = REMEMBERED) -> Lease:
    """A lease of a session that nobody else knows."""
    return Lease(_Shared(session, watch, remembered=remembered))


def lease_shared(
    key: Hashable, start: Callable[[], Session], watch: Watch = Watch(), remembered: int = REMEMBERED
) -> Lease:
    """A lease of this thread's one session for `key` that is watched and remembers so, started if nobody uses it."""
    # A session is for one thread at a time.
    key = (os.getpid(), threading.current_thread(), key, watch, remembered)
    if key not in _OPEN:
        _OPEN[key] = _Shared(start(), watch, key, remembered)
    return Lease(_OPEN[key])


def _give_back(shared: _Shared) -> None:
    if shared.process != os.getpid():
        return
    shared.users -= 1
    if shared.users == 0:
        _OPEN.pop(shared.key, None)
        shared.session.__exit__(None, None, None)
