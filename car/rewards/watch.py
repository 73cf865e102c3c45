"""A session that is asked again, at times that it cannot foresee, about frames that it has judged before.

Verification shows that a checker is pure on the frames that it was asked about then. In training it is asked a thousand
times more, and one that answers otherwise after its thousandth call would change the reward under the learner. So known
frames are slipped in among the new ones, and workers are renewed.
"""

import math
import random
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from car.errors import RewardChanged, UserError
from car.frames import Frame, Frames
from car.sandbox import Answers, Session
from car.sandbox.isolation import Isolation

_LOOKS = 16
"""How many frames are looked at, as ones to keep, for each that is slipped in; at the beginning nearly all are."""

_EPOCHS = 8
"""A sample is full when it has grown by a factor of e so many times; after a million frames or so."""


@dataclass(frozen=True)
class Watch:
    """How closely a session is watched.

    Args:
        every: one known frame is slipped in for so many frames asked, on average; 0 for never.
        renew_every: one in so many known frames meets fresh workers, on average.
        kept: how many known pairs of frames are kept at most, over all checkers, but at least one for each. Two
            pictures of 64 x 64 pixels are 24 KB, two of 400 x 600 are 1.4 MB.

    Raises:
        UserError: a number out of its range.
    """

    every: int = 1000
    renew_every: int = 20
    kept: int = 256

    def __post_init__(self) -> None:
        for name, least in (("every", 0), ("renew_every", 1), ("kept", 1)):
            if (value := getattr(self, name)) < least:
                raise UserError(f"{name} is {value}; it must be at least {least}.")


class WatchedSession:
    """A session around a session that slips in frames whose answers are known, and compares.

    It lies below the memory, `RememberingSession(WatchedSession(session))`, so that what is slipped in is really asked.

    Of the pairs (first frame, frame) that were answered, it keeps a sample for each checker, so that a sub-task that is
    asked about seldom is watched as often as the first one. The sample is even over the logarithm of time: it holds as
    many pairs from the questions 100 to 1,000 as from 1,000 to 10,000. So whenever a checker changed, a good part of
    the sample is from before. Of a sample that is even over time hardly any is, if the change came early, and a checker
    that keeps a flag for ever is of that kind.

    At random times a pair goes in as one more row of a batch, at a random place, so that neither time nor place tells
    it; a batch of one frame stays one, and the known frame goes alone before it. At random ones of these times the
    workers are renewed first: a fresh worker then meets what an old one said. A checker that fails on a known frame has
    not disagreed, since time-outs depend on the machine; it is counted.

    A disagreement ends the run: `RewardChanged` is raised, and the answers of that batch are lost. To go on would be to
    train on a reward that nobody has verified, for hours perhaps, and nobody reads a warning that is hours old. Nothing
    is lost by stopping, because `car train` saves what was learnt before it ends. A pure checker never stops a run.

    No watching finds every impure checker. One escapes if it wakes up after the last known frame, or changes only what
    it says of frames that are rarer than the sample is large. So does one that hoards what it was shown and recognises
    a known frame, because an old first frame comes back or the pair repeats (the memory above hides nearly all other
    repeats), and then says what it said before. A renewal takes its hoard: what it said before is new to it
    then, and gives it away where it would answer otherwise now.

    Args:
        session: who is asked.
        watch: how closely.
        seed: of the times, places and choices, for tests; None takes them from the operating system.

    Attributes:
        asked: frames asked about so far, without the known ones.
        slipped: known frames that were slipped in.
        renewed: how often the workers were renewed.
        failed: how often a checker failed on a known frame.
    """

    def __init__(self, session: Session, watch: Watch = Watch(), seed: int | None = None) -> None:
        self.asked = self.slipped = self.renewed = self.failed = 0
        self.checkers = session.checkers
        self._session, self._watch = session, watch
        self._random = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311
        self._samples = [_Sample(max(1, watch.kept // len(self.checkers))) for _ in self.checkers]
        self._next_slip = self._next_look = math.inf
        if watch.every:
            self._next_slip, self._next_look = self._gap(watch.every), 1
        self._next = min(self._next_slip, self._next_look)

    @property
    def isolation(self) -> Isolation:
        """The session's."""
        return self._session.isolation

    def run(
        self, initial: Frames, frames: Frames, ask: NDArray[np.bool_] | None = None, explain: bool = False
    ) -> Answers:
        """The session's answers, see `Session.run`; with `explain`, nothing is slipped in.

        Raises:
            RewardChanged: a checker said something else of a known frame than before.
        """
        if explain or not len(frames):
            return self._session.run(initial, frames, ask, explain)
        self.asked += len(frames)
        if self.asked < self._next:
            return self._session.run(initial, frames, ask)
        return self._attend(initial, frames, ask)

    def renew(self) -> None:
        """Renews the session's workers; what is known of them stays."""
        self._session.renew()
        self.renewed += 1

    def _gap(self, mean: int) -> int:
        """Frames until something happens next; how many have passed says nothing of how many are left."""
        return 1 + int(self._random.expovariate(1.0) * (mean - 1)) if mean > 1 else 1

    def _attend(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_] | None) -> Answers:
        if self.asked >= self._next_slip:
            answers = self._slip(initial, frames, ask)
            self._next_slip = self.asked + self._gap(self._watch.every)
        else:
            answers = self._session.run(initial, frames, ask)
        begun = self.asked - len(frames)
        while self._next_look <= self.asked:
            # After a batch that was interrupted, the frame to look at may be one of those.
            row = max(0, int(self._next_look) - begun - 1)
            self._look(initial if initial.ndim == 3 else initial[row], frames[row], answers, row, begun + row + 1)
            self._next_look += self._gap(min(self._watch.every, self.asked) // _LOOKS)
        self._next = min(self._next_slip, self._next_look)
        return answers

    def _look(self, initial: Frame, frame: Frame, answers: Answers, row: int, question: int) -> None:
        """Keeps a pair of frames, perhaps."""
        answered = answers.done[row] >= 0
        keepers = [self._samples[each] for each in np.flatnonzero(answered) if self._samples[each].wants(self._random)]
        if not keepers:
            return
        done, progress = answers.done[row].copy(), answers.progress[row].copy()
        known = _Known(initial.copy(), frame.copy(), answered, done, progress, question)
        for sample in keepers:
            sample.keep(known, self._random)

    def _slip(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_] | None) -> Answers:
        """Asks the session, and about one known frame besides."""
        known = self._chosen(frames.shape[1:])
        if known is None:
            return self._session.run(initial, frames, ask)
        if fresh := self._random.random() * self._watch.renew_every < 1:
            self.renew()
        self.slipped += 1
        if len(frames) == 1:
            # Two rows would tell a checker that is always asked about one.
            said = self._session.run(known.initial[None], known.frame[None], known.answered[None])
            self._compare(known, said, 0, fresh)
            return self._session.run(initial, frames, ask)
        place = self._random.randrange(len(frames) + 1)
        said = self._session.run(*_with(known, place, initial, frames, ask))
        self._compare(known, said, place, fresh)
        return _without(place, said)

    def _chosen(self, shape: tuple[int, ...]) -> "_Known | None":
        """A known pair of this shape, of any checker; None if there is none."""
        fitting = [[each for each in sample.pairs if each.frame.shape == shape] for sample in self._samples]
        some = [pairs for pairs in fitting if pairs]
        return self._random.choice(self._random.choice(some)) if some else None

    def _compare(self, known: "_Known", said: Answers, row: int, fresh: bool) -> None:
        done, progress = said.done[row], said.progress[row]
        sound = known.answered & (done >= 0)
        self.failed += int((known.answered & ~sound).sum())
        differs = (done != known.done) | ~np.isclose(progress, known.progress, equal_nan=True)
        for checker in np.flatnonzero(differs & sound).tolist():
            self._accuse(checker, known, _words(done[checker], progress[checker]), fresh)

    def _accuse(self, checker: int, known: "_Known", now: str, fresh: bool) -> NoReturn:
        before = _words(known.done[checker], known.progress[checker])
        worker = ", in a fresh worker" if fresh else ""
        raise RewardChanged(
            f"The program for {self.checkers[checker].subtask.name!r} is not pure: of one and the same frame it first "
            f"said {before!r} (at question {known.question:,}) and now {now!r} (at question {self.asked:,}{worker}). "
            "What was trained in between rests on a reward that changed. Judge the programs again with `car verify "
            "TASK`, and have them written again with `car generate TASK --fresh`."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.__exit__(kind, error, trace)


@dataclass(frozen=True)
class _Known:
    """A pair of frames, what the checkers that answered said of it, and the number of the question, from 1."""

    initial: Frame
    frame: Frame
    answered: NDArray[np.bool_]
    done: NDArray[np.int8]
    progress: NDArray[np.float64]
    question: int


class _Sample:
    """Some of all pairs that were met, even over the logarithm of how many were met before them."""

    def __init__(self, size: int) -> None:
        self.pairs: list[_Known] = []
        self._size = size
        self._met = 0

    def wants(self, chance: random.Random) -> bool:
        """Whether the pair that is met now is to be kept."""
        self._met += 1
        return chance.random() * self._met < max(1.0, self._size / _EPOCHS)

    def keep(self, known: _Known, chance: random.Random) -> None:
        """Keeps a pair; of a full sample, any other one goes."""
        if len(self.pairs) < self._size:
            self.pairs.append(known)
        else:
            self.pairs[chance.randrange(self._size)] = known


def _with(
    known: _Known, place: int, initial: Frames, frames: Frames, ask: NDArray[np.bool_] | None
) -> tuple[Frames, Frames, NDArray[np.bool_]]:
    """A batch with a known frame as one more row."""
    asked = np.ones((len(frames), len(known.answered)), np.bool_) if ask is None else ask
    firsts = np.broadcast_to(initial, frames.shape)
    parts = (firsts, known.initial), (frames, known.frame), (asked, known.answered)
    mixed = [np.concatenate([batch[:place], row[None], batch[place:]]) for batch, row in parts]
    return mixed[0], mixed[1], mixed[2]


def _without(place: int, said: Answers) -> Answers:
    """The answers but for one row."""
    failures = {
        (row - (row > place), checker): failure for (row, checker), failure in said.failures.items() if row != place
    }
    return Answers(np.delete(said.done, place, axis=0), np.delete(said.progress, place, axis=0), failures)


def _words(done: np.int8, progress: np.float64) -> str:
    said = "done" if done else "not done"
    return said if np.isnan(progress) else f"{said}, progress {progress:.6g}"
