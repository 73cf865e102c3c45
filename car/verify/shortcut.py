"""Whether a sub-task can be done at random without coming nearer to the goal.

A sub-task can be told rightly by its program and still be weak: "the key lies on the floor again" happens to whoever
acts at random for a while, anywhere. Its credit then rewards no way to the goal. Two facts show it together, and
neither does alone. That acting at random does a sub-task soon is no fault: the open door may be the cell ahead. That
the goal is no nearer afterwards is none either, if it is seldom so. So what counts is the share of all random
continuations that are credited for nothing: the sub-task is done, and the same expert needs as many steps to the goal
as before, or more.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from car.verify.credit import credited
from car.verify.observe import Observation
from car.verify.probe import Probe

MOST_FOR_NOTHING = 1 / 3
"""A sub-task for which more random continuations than this are credited for nothing is weak.

Measured with five experts and 40 continuations each: "the key lies on the floor again" in UnlockPickup had 50% to 83%
on nine sets of layouts; the right sub-tasks of the built-in tasks had none at all but for the room of the box (up to
10%) and the key put down in KeyCorridor (up to 20%).
"""

FEWEST_TRIALS = 10
FEWEST_KNOWN = 5


@dataclass(frozen=True)
class Opening:
    """Where a sub-task can be done in one episode.

    Args:
        start: the time at which all that it comes after are credited.
        end: the time at which it is credited itself.
    """

    start: int
    end: int

    @property
    def lead(self) -> int:
        """Steps from the one to the other."""
        return self.end - self.start


def opening(seen: Observation, index: int, after: Sequence[Sequence[int]]) -> Opening | None:
    """Where sub-task `index` can be done in an episode; None if it is not credited there.

    Args:
        seen: what the checkers of the whole chain said.
        index: which sub-task.
        after: for each sub-task the indices of those before it, see `prerequisites`.
    """
    times = credited(seen.done, after)
    end = times[index]
    return None if end is None else Opening(max((times[each] or 0 for each in after[index]), default=0), end)


@dataclass(frozen=True)
class Trial:
    """One random continuation from where an expert could do the sub-task.

    Args:
        lead: steps that the expert took for it, at least 1.
        taken: steps after which the random continuation had it done; None if it had not.
        before: steps from the start of the continuation to the goal, for an expert; None if not known.
        own: the same from where the expert had done the sub-task; None if not known.
        reached: whether an expert that took over where the continuation had done it came to the goal; None if it was
            not asked to, or if it is not known.
        left: steps that it took for that; None if it did not come there.
    """

    lead: int
    taken: int | None
    before: int | None = None
    own: int | None = None
    reached: bool | None = None
    left: int | None = None

    @property
    def for_nothing(self) -> bool | None:
        """Whether the sub-task was done and the goal is no nearer for it; None if that is not known."""
        if self.taken is None:
            return False
        if self.before is None or self.reached is None:
            return None
        return self.left is None or self.left >= self.before


@dataclass(frozen=True)
class Shortcut:
    """What random continuations showed of one sub-task.

    Args:
        subtask: its name.
        steps: how long each continuation lasted at the most.
        continuations: how many there were.
        completed: how many of them have it done.
        completed_steps: steps until half of those that have it done had it done; None if none has.
        expert_steps: what half of the experts need.
        within_lead: how many have it done as soon as the expert from whose episode they continue.
        asked: how many of those that have it done are known to go on to the goal or not to.
        reached: how many of these an expert could finish.
        for_nothing: after how many of these the goal is no nearer than before, or out of reach.
        before: steps to the goal before the sub-task, for an expert, the median; None if not known.
        left: the same after it was done at random; None if not known.
        own: the same after the expert did it; None if not known.
    """

    subtask: str
    steps: int
    continuations: int
    completed: int
    completed_steps: float | None
    expert_steps: float | None
    within_lead: int
    asked: int
    reached: int
    for_nothing: int
    before: float | None
    left: float | None
    own: float | None

    @classmethod
    def of(cls, subtask: str, steps: int, trials: Sequence[Trial]) -> "Shortcut":
        """The facts of one sub-task from its trials."""
        done = [each for each in trials if each.taken is not None]
        known = [each for each in done if each.for_nothing is not None]
        return cls(
            subtask=subtask,
            steps=steps,
            continuations=len(trials),
            completed=len(done),
            completed_steps=_median([each.taken for each in done]),
            expert_steps=_median([each.lead for each in trials]),
            within_lead=sum(each.taken is not None and each.taken <= each.lead for each in trials),
            asked=len(known),
            reached=sum(each.reached is True for each in known),
            for_nothing=sum(each.for_nothing is True for each in known),
            before=_median([each.before for each in known]),
            left=_median([each.left for each in known]),
            own=_median([each.own for each in known]),
        )

    @property
    def share(self) -> float:
        """The share of the continuations that have it done."""
        return self.completed / self.continuations if self.continuations else 0.0

    @property
    def share_for_nothing(self) -> float | None:
        """The share of the continuations that have it done without coming nearer to the goal; None if not known.

        Those after which no expert was asked count as those after which one was.
        """
        if self.completed and self.asked < min(FEWEST_KNOWN, self.completed):
            return None
        return self.share * self.for_nothing / self.asked if self.asked else 0.0

    @property
    def weak(self) -> bool | None:
        """Whether it is done at random for nothing too often; None if there is too little to say so."""
        if self.continuations < FEWEST_TRIALS:
            return None
        if self.share <= MOST_FOR_NOTHING:
            return False
        return None if self.share_for_nothing is None else self.share_for_nothing > MOST_FOR_NOTHING

    def probe(self) -> Probe:
        """The probe ``shortcut``: a weak sub-task is named and not rejected, for its program may be right."""
        weak = self.weak
        values = {**asdict(self), "share": self.share, "share_for_nothing": self.share_for_nothing}
        return Probe("shortcut", self.subtask, False, None if weak is None else not weak, self._said(), values)

    def _said(self) -> str:
        if self.continuations < FEWEST_TRIALS:
            return (
                f"Only {self.continuations} random continuations could be played from where this sub-task becomes "
                f"possible and is not done yet; {FEWEST_TRIALS} are needed."
            )
        done = f"{self.completed} of {self.continuations} random continuations of expert episodes"
        soon = f"{done} have this sub-task done within {self.steps} steps"
        if not self.completed:
            return f"{soon}; an expert needs {self.expert_steps:g}."
        pace = f"{soon}, half of these within {self.completed_steps:g}; an expert needs {self.expert_steps:g}"
        return f"{pace}. {self._nearer()}"

    def _nearer(self) -> str:
        if not self.asked:
            return "Whether the goal is nearer then is not known: no expert can go on from there."
        counted = f"After {self.for_nothing} of the {self.asked} that an expert then took over, the goal is no nearer"
        if self.left is None or self.before is None:
            return f"{counted} than before: it is out of reach."
        own = "" if self.own is None else f" and {self.own:g} from where it has done the sub-task itself"
        steps = f"{self.left:g} steps from there, {self.before:g} from the start{own}"
        return f"{counted} than before; half of the times it needs at most {steps}."


def _median(numbers: Sequence[int | None]) -> float | None:
    known = [each for each in numbers if each is not None]
    return float(median(known)) if known else None
