"""One episode as a bundle's reward saw it, beside what the environment says of it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from car.checker import Checker
from car.refine import Flaw
from car.trajectory import Trajectory
from car.verify import Observation
from car.verify.credit import credited, prerequisites

TRAINING, EVALUATION = "training", "evaluation"
CONTRARY = "training and evaluation where success costs"
FROM_AGENT, FROM_EXPERT = "at random from an agent's episode", "at random from an expert's episode"
OWN = (TRAINING, EVALUATION, CONTRARY)
"""How the episodes of agents themselves came about."""

EXPERT = "of an expert, in new layouts"
HOWS = (*OWN, EXPERT, FROM_AGENT, FROM_EXPERT)
"""How an episode came about."""

_GAMMA = 0.99


@dataclass(frozen=True)
class Played:
    """An episode and what a bundle's reward made of it.

    Args:
        trajectory: T+1 frames; its seed and its actions play it again.
        how: how it came about, one of `HOWS`.
        times: when each sub-task was credited, or None, (k,).
        flaw: in what the goal and the environment's success disagree; None if they do not.
        paid: what the reward pays for it, discounted by 0.99 a step; 1 is the whole chain at once.
    """

    trajectory: Trajectory
    how: str
    times: tuple[int | None, ...]
    flaw: Flaw | None
    paid: float

    @property
    def way(self) -> tuple[int, ...]:
        """The sub-tasks that were credited, in the order in which they were."""
        known = [(time, index) for index, time in enumerate(self.times) if time is not None]
        return tuple(index for _, index in sorted(known))


def seen(checkers: Sequence[Checker], observation: Observation, how: str) -> Played:
    """The episode that the checkers of a whole chain have looked at."""
    times = credited(observation.done, prerequisites(checkers))
    goal = next(index for index, each in enumerate(checkers) if each.subtask.goal)
    paid = sum(_GAMMA**time for time in times if time) / len(checkers)
    trajectory = observation.trajectory
    return Played(trajectory, how, tuple(times), flaw_of(trajectory, times[goal]), round(paid, 6))


def flaw_of(trajectory: Trajectory, goal: int | None) -> Flaw | None:
    """In what the goal's program and the environment disagree about an episode, as verification would hold it against.

    A goal must not be credited in an episode without success, nor before the last frame where success ended the
    episode. Besides, a success must not go uncredited; for random agents, who seldom have one, nobody looks at that.

    Args:
        trajectory: an episode whose success is known.
        goal: when the goal was credited, or None.
    """
    if not trajectory.success:
        return None if goal is None else Flaw.UNCONFIRMED
    if goal is None:
        return Flaw.MISSED
    return Flaw.EARLY if trajectory.terminated and goal < len(trajectory) - 1 else None


def confirmed(experts: Sequence[Trajectory], tallies: Iterable["Tally"]) -> bool:
    """Whether the environment's success can be held against the goal.

    Not where it was never reported, not even of an expert: such an environment has no success.

    Args:
        experts: experts' episodes; without any, one cannot tell, and the task's word for it is taken.
        tallies: how all other episodes went.
    """
    return not experts or any(each.success for each in experts) or any(each.successes for each in tallies)


@dataclass(frozen=True)
class Tally:
    """How the episodes of one kind went.

    Args:
        how: their kind, one of `HOWS`.
        episodes: how many.
        steps: of all of them.
        goals: in how many the goal was credited.
        successes: in how many the environment reports success.
        flaws: how many disagreements there were, by name.
    """

    how: str
    episodes: int = 0
    steps: int = 0
    goals: int = 0
    successes: int = 0
    flaws: tuple[tuple[str, int], ...] = ()

    def with_one(self, played: Played, goal: int) -> "Tally":
        """The tally with one more episode; `goal` is the index of the goal."""
        flaws = dict(self.flaws)
        if played.flaw is not None:
            flaws[str(played.flaw)] = flaws.get(str(played.flaw), 0) + 1
        return replace(
            self,
            episodes=self.episodes + 1,
            steps=self.steps + len(played.trajectory) - 1,
            goals=self.goals + (played.times[goal] is not None),
            successes=self.successes + bool(played.trajectory.success),
            flaws=tuple(sorted(flaws.items())),
        )

    def as_dict(self) -> dict[str, Any]:
        """The tally as JSON-serialisable fields; `Tally.of` makes it again."""
        return {**asdict(self), "flaws": dict(self.flaws)}

    @classmethod
    def of(cls, fields: dict[str, Any]) -> "Tally":
        """The tally with these fields."""
        return cls(**{**fields, "flaws": tuple(sorted(fields["flaws"].items()))})
