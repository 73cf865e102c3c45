"""A session that asks nothing twice."""

import hashlib
from collections import OrderedDict
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from car.frames import Frame, Frames
from car.sandbox import Answers, Crashed, Refused, Session, TimedOut
from car.sandbox.isolation import Isolation

_NOT_ASKED = -1


class RememberingSession:
    """A session around a session that remembers what each checker said of each (first frame, frame).

    Exact, because checkers are pure: the answers are those that the session behind it would give. Failures are not
    remembered, since some of them (a time-out, a lack of memory) depend on the machine and not on the frame.

    A batch that is read-only and the same object as the one before it is not hashed again.

    Args:
        session: who is asked what is not known yet.
        size: how many pairs of frames are remembered; the one that was not met for longest is forgotten first.
    """

    def __init__(self, session: Session, size: int = 100_000) -> None:
        self.checkers = session.checkers
        self._session = session
        self._size = size
        self._known: OrderedDict[bytes, tuple[NDArray[np.int8], NDArray[np.float64]]] = OrderedDict()
        self._initial_names, self._frame_names = _Names(), _Names()

    @property
    def isolation(self) -> Isolation:
        """The session's."""
        return self._session.isolation

    def renew(self) -> None:
        """Renews the session's workers; what they said is still remembered.

        A fresh worker would say the same, or the reward is wrong altogether and `WatchedSession` is there to find that
        out. Until then equal frames pay the same, as a reward must.
        """
        self._session.renew()

    def run(
        self, initial: Frames, frames: Frames, ask: NDArray[np.bool_] | None = None, explain: bool = False
    ) -> Answers:
        """The session's answers, see `Session.run`; `explain` always asks it."""
        if explain:
            return self._session.run(initial, frames, ask, explain)
        shape = (len(frames), len(self.checkers))
        ask = np.ones(shape, np.bool_) if ask is None else ask
        keys = self._keys(initial, frames)
        done, progress = self._recalled(keys, ask)
        failures: dict[tuple[int, int], Crashed | TimedOut | Refused] = {}
        missing = ask & (done == _NOT_ASKED)
        if missing.any():
            failures = self._fill(keys, missing, initial, frames, done, progress)
        return Answers(done, progress, failures)

    def _keys(self, initial: Frames, frames: Frames) -> list[bytes]:
        firsts = self._initial_names.of(initial if initial.ndim == 4 else initial[None])
        if initial.ndim == 3:
            firsts = firsts * len(frames)
        return [first + frame for first, frame in zip(firsts, self._frame_names.of(frames), strict=True)]

    def _recalled(self, keys: list[bytes], ask: NDArray[np.bool_]) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
        done, progress = np.full(ask.shape, _NOT_ASKED, np.int8), np.full(ask.shape, np.nan)
        for row, key in enumerate(keys):
            if (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                done[row], progress[row] = known
        done[~ask], progress[~ask] = _NOT_ASKED, np.nan
        return done, progress

    def _fill(
        self,
        keys: list[bytes],
        missing: NDArray[np.bool_],
        initial: Frames,
        frames: Frames,
        done: NDArray[np.int8],
        progress: NDArray[np.float64],
    ) -> dict[tuple[int, int], Crashed | TimedOut | Refused]:
        """Asks the session, once for equal rows, and writes what it said into `done` and `progress`."""
        rows = np.flatnonzero(missing.any(axis=1))
        place: dict[bytes, int] = {}
        where = np.array([place.setdefault(keys[row], len(place)) for row in rows])
        ask = np.zeros((len(place), missing.shape[1]), np.bool_)
        np.logical_or.at(ask, where, missing[rows])
        chosen = rows[np.unique(where, return_index=True)[1]]
        answers = self._session.run(initial if initial.ndim == 3 else initial[chosen], frames[chosen], ask)
        failures = {}
        for row, at in zip(rows.tolist(), where.tolist(), strict=True):
            new = missing[row]
            done[row, new], progress[row, new] = answers.done[at, new], answers.progress[at, new]
            for checker in np.flatnonzero(new & (answers.done[at] < _NOT_ASKED)).tolist():
                failures[row, checker] = answers.failures[at, checker]
        for key, at in place.items():
            self._remember(key, answers.done[at], answers.progress[at])
        return failures

    def _remember(self, key: bytes, done: NDArray[np.int8], progress: NDArray[np.float64]) -> None:
        answered = done >= 0
        if not answered.any():
            return
        if key not in self._known:
            self._known[key] = np.full(done.shape, _NOT_ASKED, np.int8), np.full(done.shape, np.nan)
        known_done, known_progress = self._known[key]
        known_done[answered], known_progress[answered] = done[answered], progress[answered]
        if len(self._known) > self._size:
            self._known.popitem(last=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._known.clear()
        self._session.__exit__(kind, error, trace)


class _Names:
    """The digests of a batch's frames; those of the last batch are kept for as long as nobody can have changed it."""

    def __init__(self) -> None:
        self._batch: Frames | None = None
        self._names: list[bytes] = []

    def of(self, batch: Frames) -> list[bytes]:
        if batch is self._batch:
            return self._names
        names = [_digest(frame) for frame in batch]
        if not batch.flags.writeable and batch.base is None:
            self._batch, self._names = batch, names
        return names


def _digest(frame: Frame) -> bytes:
    hashed = hashlib.sha256(repr(frame.shape).encode())
    hashed.update(np.ascontiguousarray(frame).data)
    return hashed.digest()
