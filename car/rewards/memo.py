"""A session that asks nothing twice."""

from collections import OrderedDict
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from car.frames import Frame, Frames
from car.rewards.names import FrameNames
from car.sandbox import Answers, Crashed, Refused, Session, TimedOut
from car.sandbox.isolation import Isolation

REMEMBERED = 100_000
"""Pairs of frames."""

_NOT_ASKED = -1


class RememberingSession:
    """A session around a session that remembers what each checker said of each (first frame, frame).

    Exact, because checkers are pure: the answers are those that the session behind it would give. Failures are not
    remembered, since some of them (a time-out, a lack of memory) depend on the machine and not on the frame.

    Frames need not be stacked: what is known of one is found without looking at its pixels where it is a read-only
    array, and the same object as before. Only what the session is asked about is stacked.

    Args:
        session: who is asked what is not known yet.
        size: how many pairs of frames are remembered, some 600 bytes each; the one that was not met for longest is
            forgotten first.
    """

    def __init__(self, session: Session, size: int = REMEMBERED) -> None:
        self.checkers = session.checkers
        self._session = session
        self._size = size
        self._known: OrderedDict[bytes, tuple[NDArray[np.int8], NDArray[np.float64]]] = OrderedDict()
        self._names = FrameNames()

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
        self,
        initial: Frames | Sequence[Frame],
        frames: Frames | Sequence[Frame],
        ask: NDArray[np.bool_] | None = None,
        explain: bool = False,
    ) -> Answers:
        """The session's answers, see `Session.run`; `explain` always asks it.

        Args:
            initial: the first frame of the episode of each row, stacked or not, or (H, W, 3) for all rows.
            frames: the frames to judge, stacked or not.
            ask: which checker is asked about which row, (n, k); None asks all.
            explain: also call `explain` where a checker has it.
        """
        if explain:
            return self._session.run(np.asarray(initial), np.asarray(frames), ask, explain)
        ask = np.ones((len(frames), len(self.checkers)), np.bool_) if ask is None else ask
        firsts = [initial] * len(frames) if isinstance(initial, np.ndarray) and initial.ndim == 3 else initial
        keys = [self._names.of(first) + self._names.of(frame) for first, frame in zip(firsts, frames, strict=True)]
        done, progress = self._recalled(keys, ask)
        failures: dict[tuple[int, int], Crashed | TimedOut | Refused] = {}
        missing = ask & (done == _NOT_ASKED)
        if missing.any():
            failures = self._fill(keys, missing, firsts, frames, done, progress)
        return Answers(done, progress, failures)

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
        initial: Frames | Sequence[Frame],
        frames: Frames | Sequence[Frame],
        done: NDArray[np.int8],
        progress: NDArray[np.float64],
    ) -> dict[tuple[int, int], Crashed | TimedOut | Refused]:
        """Asks the session, once for equal rows, and writes what it said into `done` and `progress`."""
        places: dict[bytes, list[int]] = {}
        for row in np.flatnonzero(missing.any(axis=1)).tolist():
            places.setdefault(keys[row], []).append(row)
        chosen = [rows[0] for rows in places.values()]
        ask = missing[chosen]
        for at, rows in enumerate(places.values()):
            for row in rows[1:]:
                ask[at] |= missing[row]
        firsts, asked = np.array([initial[row] for row in chosen]), np.array([frames[row] for row in chosen])
        answers = self._session.run(firsts, asked, ask)
        failures = {}
        for at, (key, rows) in enumerate(places.items()):
            self._remember(key, answers.done[at], answers.progress[at])
            for row in rows:
                np.copyto(done[row], answers.done[at], where=missing[row])
                np.copyto(progress[row], answers.progress[at], where=missing[row])
                if answers.failures:
                    for checker in np.flatnonzero(done[row] < _NOT_ASKED).tolist():
                        failures[row, checker] = answers.failures[at, checker]
        return failures

    def _remember(self, key: bytes, done: NDArray[np.int8], progress: NDArray[np.float64]) -> None:
        answered = done >= 0
        if (known := self._known.get(key)) is not None:
            np.copyto(known[0], done, where=answered)
            np.copyto(known[1], progress, where=answered)
        elif answered.any():
            self._known[key] = np.maximum(done, _NOT_ASKED), np.where(answered, progress, np.nan)
            if len(self._known) > self._size:
                self._known.popitem(last=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._known.clear()
        self._session.__exit__(kind, error, trace)
