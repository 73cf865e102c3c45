"""The frames of an episode that can matter: those about which training would ask."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from car.verify.transcript import NOT_ASKED, Transcript


class Frontier:
    """How far the sub-tasks of one episode have come, and about which frames to ask next.

    As in `car.milestones`, the answer about a sub-task counts from the frame on with which those before it are
    credited, until it is credited itself. What its checker would say before and after that, nobody asks in training.
    Besides, every checker is asked about the first frame.

    Args:
        transcript: of the episode; what is entered there moves the frontier.
        after: for each sub-task the indices of those that must be credited before it; None if they are not all known,
            so that every frame can matter.

    Attributes:
        transcript: the same.
    """

    def __init__(self, transcript: Transcript, after: Sequence[Sequence[int] | None]) -> None:
        self.transcript = transcript
        self._after = after
        self._credited: dict[int, int] = {}
        self._ahead: dict[int, deque[tuple[int, int]]] = {}

    def ask(self, most: int) -> NDArray[np.bool_]:
        """Whom to ask about which distinct frames now, (m, k); nobody if whatever can matter is known.

        Args:
            most: how many frames to ask a checker about at once, before it is known whether its sub-task is done on
                the first of them.
        """
        while True:
            known = len(self._credited)
            ask = self._asked(most)
            # Whoever is credited makes others possible, which may have been looked at already.
            if len(self._credited) == known:
                return ask

    def _asked(self, most: int) -> NDArray[np.bool_]:
        done = self.transcript.done
        ask = np.zeros(done.shape, np.bool_)
        ask[0] = done[0] == NOT_ASKED
        for checker, before in enumerate(self._after):
            if before is None:
                ask[:, checker] = done[:, checker] == NOT_ASKED
            elif checker not in self._credited and all(each in self._credited for each in before):
                ask[self._next(checker, before, most), checker] = True
        return ask

    def _next(self, checker: int, before: Sequence[int], most: int) -> list[int]:
        """The next distinct frames about which a checker was not asked; none if it is credited, or at the end."""
        said = self.transcript.done[:, checker]
        if checker not in self._ahead:
            self._ahead[checker] = self._from(max((self._credited[each] for each in before), default=0))
        ahead = self._ahead[checker]
        while ahead and said[ahead[0][0]] not in (NOT_ASKED, 1):
            ahead.popleft()
        if ahead and said[ahead[0][0]] == 1:
            self._credited[checker] = ahead[0][1]
            return []
        return [row for row, _ in islice(ahead, most) if said[row] == NOT_ASKED]

    def _from(self, start: int) -> deque[tuple[int, int]]:
        """The distinct frames from a time on, each with the first time at which it is seen there, in order."""
        first: dict[int, int] = {}
        for time, row in enumerate(self.transcript.rows[start:].tolist(), start):
            first.setdefault(row, time)
        return deque(first.items())
