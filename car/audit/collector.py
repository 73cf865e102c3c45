"""Looks at episodes as they come, and keeps those that are worth a look."""

from collections.abc import Iterable, Sequence

from car.audit.played import CONTRARY, EVALUATION, EXPERT, OWN, TRAINING, Played, Tally, seen
from car.checker import Checker
from car.refine import Flaw
from car.sandbox import Session
from car.train import EVALUATION_SEED
from car.trajectory import Trajectory
from car.verify import observe

MOST_FLAWED = 20
"""So many episodes of each kind of disagreement are kept, the first of each seed."""

MOST_PAID, MOST_CONTINUED = 4, 2
"""So many of the best-paid episodes are kept for each way of being paid: of agents, and of what went on at random.

There much of the pay is for what it began with.
"""

_TOGETHER = 24


class Collector:
    """Has the checkers look at episodes, counts them, and keeps some.

    Args:
        checkers: the whole chain.
        session: the same, live.
        before: episodes that were kept before, and how all of them went.
        tallies: how those went that were counted before.
    """

    def __init__(
        self, checkers: Sequence[Checker], session: Session, before: Iterable[Played], tallies: Iterable[Tally]
    ) -> None:
        self._checkers, self._session = checkers, session
        self._goal = next(index for index, each in enumerate(checkers) if each.subtask.goal)
        self._waiting: list[tuple[Trajectory, str]] = []
        self._tallies: dict[str, Tally] = {}
        self._flawed: dict[Flaw, list[Played]] = {}
        self._paid: dict[tuple[bool, tuple[int, ...]], list[Played]] = {}
        self.begin_again(before, tallies)

    def take(self, trajectory: Trajectory) -> None:
        """Takes an episode of training or, if its seed says so, of an evaluation."""
        evaluated = trajectory.seed is not None and trajectory.seed >= EVALUATION_SEED
        self.add([(trajectory, EVALUATION if evaluated else TRAINING)])

    def take_contrary(self, trajectory: Trajectory) -> None:
        """Takes an episode of an agent for whom success costs."""
        self.add([(trajectory, CONTRARY)])

    def add(self, episodes: Iterable[tuple[Trajectory, str]]) -> None:
        """Takes episodes, with how they came about."""
        self._waiting += episodes
        if len(self._waiting) >= _TOGETHER:
            self.look()

    def look(self) -> None:
        """Looks at those that wait."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        heard = observe(self._session, [trajectory for trajectory, _ in waiting], thorough=False)
        for observation, (_, how) in zip(heard, waiting, strict=True):
            self.note(seen(self._checkers, observation, how))

    def note(self, played: Played) -> None:
        """Takes an episode that the checkers have looked at."""
        tally = self._tallies.get(played.how, Tally(played.how))
        self._tallies[played.how] = tally.with_one(played, self._goal)
        self._keep(played)

    def begin_again(self, kept: Iterable[Played], tallies: Iterable[Tally]) -> None:
        """Forgets all but these episodes and counts."""
        self._waiting, self._flawed, self._paid = [], {}, {}
        self._tallies = {each.how: each for each in tallies}
        for each in kept:
            self._keep(each)

    def _keep(self, played: Played) -> None:
        if played.flaw is not None:
            flawed = self._flawed.setdefault(played.flaw, [])
            if len(flawed) < MOST_FLAWED and _is_new(played, flawed):
                flawed.append(played)
        elif played.paid > 0 and played.how != EXPERT:
            kind = played.how in OWN, played.way
            best = sorted([*self._paid.get(kind, []), played], key=lambda each: -each.paid)
            distinct = [each for place, each in enumerate(best) if _is_new(each, best[:place])]
            self._paid[kind] = distinct[: MOST_PAID if played.how in OWN else MOST_CONTINUED]

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """How the episodes went, by how they came about."""
        return tuple(self._tallies.values())

    @property
    def flaws(self) -> int:
        """In how many episodes the goal and the environment disagreed."""
        return sum(count for each in self._tallies.values() for _, count in each.flaws)

    @property
    def paid(self) -> list[Played]:
        """The best-paid episodes in which nothing disagrees: those of agents first, and of these the longest chains."""
        kinds = sorted(self._paid, key=lambda kind: (not kind[0], -len(kind[1])))
        return [each for kind in kinds for each in self._paid[kind]]

    @property
    def kept(self) -> list[Played]:
        """All that are kept: those that disagree, by kind, and then the best-paid ones."""
        return [*(each for flaw in Flaw for each in self._flawed.get(flaw, [])), *self.paid]


def _is_new(played: Played, among: Sequence[Played]) -> bool:
    """Whether no other of these has the same layout: other episodes show more than the same again."""
    return all(each.trajectory.seed != played.trajectory.seed for each in among)
