"""Whether programs say the same of pictures that a camera has changed a little, and not what they show.

Only reported: where frames come from a renderer, exact colours are no mistake.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from car.sandbox import Answers, Session, TimedOut
from car.verify.observe import Observation
from car.verify.perturbation import PERTURBATIONS, Perturbation
from car.verify.probe import Probe
from car.verify.sample import distinct_times, evenly

SAME_SHARE = 0.95
"""At least this share of the answers must stay the same."""

_EXPERTS = 15
_FRAMES, _FEWEST = 200, 100
_PIXELS = 128 * 128


def robustness(session: Session, observations: Sequence[Observation], seed: int = 0) -> list[Probe]:
    """Asks once more about frames of the experts, with noise, brighter and darker, shifted, and through JPEG.

    Of each change some 200 frames of at most 15 experts, fewer where a frame has more than 128 x 128 pixels: those
    around each time at which a sub-task is first done, and as many others, spread evenly, as there is room for. Of the
    variants of a change the worst counts.

    Args:
        session: the checkers.
        observations: what they said of the trajectories as they are; others than the experts' are left out.
        seed: for what is drawn; the answers depend on it and on the pictures alone.

    Returns:
        For each change, ``noise``, ``brightness``, ``shift`` and ``jpeg``, a probe of each checker, in their order.
    """
    experts = [each for each in observations if each.trajectory.who == "expert"]
    experts = [experts[place] for place in evenly(range(len(experts)), _EXPERTS)]
    failed = {checker for each in observations for checker in each.failures}
    looks = _Looks(session, experts, seed, dict.fromkeys(failed, "it fails on frames as they are"))
    return [probe for name in PERTURBATIONS for probe in looks.probes(name)]


@dataclass
class _Kept:
    """What stayed the same under one variant, for each of k checkers.

    Args:
        variant: what was changed.
        answers: how many answers, int64, shape (k,).
        firings: how many experts' first times, int64, shape (k,).
    """

    variant: str
    answers: NDArray[np.int64]
    firings: NDArray[np.int64]

    def rank(self, checker: int) -> tuple[int, int]:
        return int(self.answers[checker]), int(self.firings[checker])


@dataclass
class _Looks:
    session: Session
    experts: Sequence[Observation]
    seed: int
    mute: dict[int, str]
    """By checker, why it is not asked, or not any more."""

    def __post_init__(self) -> None:
        self._times = _sample(self.experts)
        if not self.experts:
            self.mute.update(dict.fromkeys(range(len(self.session.checkers)), "there is no expert"))

    def probes(self, name: str) -> list[Probe]:
        before = dict(self.mute)
        kept = [self._under(variant, change) for variant, change in PERTURBATIONS[name].items()]
        return [
            self._unasked(name, checker, before[checker]) if checker in before else self._probe(name, checker, kept)
            for checker in range(len(self.session.checkers))
        ]

    def _under(self, variant: str, change: Perturbation) -> _Kept:
        count = len(self.session.checkers)
        kept = _Kept(variant, *np.zeros((2, count), np.int64))
        for expert, times in zip(self.experts, self._times, strict=True):
            listens = np.array([checker not in self.mute for checker in range(count)])
            played = expert.trajectory
            first, frames = change(played.frame(0), played.pictures[played.order[times]], self.seed)
            answers = self.session.run(first, frames, np.tile(listens, (len(times), 1)))
            kept.answers += (answers.done == expert.done[times]).sum(axis=0)
            kept.firings += listens & (_first(answers.done == 1) == _first(expert.done[times]))
            self._note_late(answers, variant)
        return kept

    def _note_late(self, answers: Answers, variant: str) -> None:
        # One that never answers would cost its time limit on every frame.
        for (_, checker), outcome in answers.failures.items():
            if isinstance(outcome, TimedOut):
                self.mute[checker] = f"it ran out of time under another change ({variant})"

    def _probe(self, name: str, checker: int, kept: Sequence[_Kept]) -> Probe:
        worst = min(kept, key=lambda each: each.rank(checker))
        frames, experts = sum(map(len, self._times)), len(self.experts)
        answers, firings = worst.rank(checker)
        subtask = self.session.checkers[checker].subtask.name
        which = f"{worst.variant}, the worse of {len(kept)} changes" if len(kept) > 1 else worst.variant
        said = (
            f"With {which}, {answers} of {frames} answers stay the same, and in {firings} of {experts} expert episodes "
            "the time at which the sub-task is first done."
        )
        values: dict[str, float | int | str] = {
            "answers_same": answers / frames,
            "firing_same": firings / experts,
            "frames": frames,
            "experts": experts,
            "variant": worst.variant,
        }
        values |= {f"answers_same, {each.variant}": int(each.answers[checker]) / frames for each in kept}
        return Probe(name, subtask, False, answers >= SAME_SHARE * frames, said, values)

    def _unasked(self, name: str, checker: int, why: str) -> Probe:
        subtask = self.session.checkers[checker].subtask.name
        return Probe(name, subtask, False, None, f"The program was not asked about changed frames: {why}.")


def _first(done: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The first row in which each column is True, or -1; (n, k) -> (k,)."""
    return np.where(done.any(axis=0), done.argmax(axis=0), -1)


def _sample(experts: Sequence[Observation]) -> list[list[int]]:
    """For each expert the times to ask about, in order: a distinct frame each."""
    every = [distinct_times(each.trajectory) for each in experts]
    chosen = [_around_first(each, times) for each, times in zip(experts, every, strict=True)]
    rest = [(n, time) for n, times in enumerate(every) for time in times if time not in chosen[n]]
    room = max(0, _most_frames(experts) - sum(map(len, chosen)))
    for place in evenly(range(len(rest)), room) if room else ():
        number, time = rest[place]
        chosen[number].add(time)
    return [sorted(each) for each in chosen]


def _most_frames(experts: Sequence[Observation]) -> int:
    width, height = experts[0].trajectory.size if experts else (1, 1)
    return max(_FEWEST, min(_FRAMES, _FRAMES * _PIXELS // (width * height)))


def _around_first(expert: Observation, times: Sequence[int]) -> set[int]:
    """The first frame, and the distinct frames before, at and after the first time at which each sub-task is done."""
    around = {0}
    for checker in range(expert.done.shape[1]):
        first = expert.first(checker)
        if first is not None:
            # A program that kept something may have said so of a frame that it had seen before.
            place = min(int(np.searchsorted(times, first)), len(times) - 1)
            around.update(times[max(0, place - 1) : place + 2])
    return around
