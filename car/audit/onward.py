"""Goes on at random from where little is missing for the next pay: looks for what is paid, not for what is natural."""

from collections.abc import Iterable, Iterator, Sequence

from car.audit.played import Played
from car.audit.settings import Effort
from car.checker import Checker
from car.record import Continuations, Unplayable
from car.task import Task
from car.trajectory import Trajectory
from car.verify.credit import prerequisites


def gone_on(
    task: Task, starts: Sequence[Played], checkers: Sequence[Checker], effort: Effort
) -> Iterator[list[Trajectory] | Unplayable]:
    """For each episode, others that begin like it and go on at random.

    They leave it where a sub-task has just become possible, because all that it comes after are credited. The last of
    these places is the one at which nothing but the goal is missing.

    Args:
        task: its environment is run.
        starts: episodes with seeds and actions.
        checkers: the whole chain.
        effort: how many continuations from each place, and how long.
    """
    after = prerequisites(checkers)
    with Continuations(task) as continuations:
        for start in starts:
            made: list[Trajectory] = []
            problem: Unplayable | None = None
            for time in _places(start, after):
                several = continuations.at_random(start.trajectory, time, effort.each, effort.onward)
                if isinstance(several, Unplayable):
                    problem = several
                else:
                    made += [each.trajectory for each in several]
            yield problem if problem is not None and not made else made


def _places(start: Played, after: Sequence[Sequence[int]]) -> Iterable[int]:
    """The times at which some sub-task has become possible, the goal's last; not the first frame, and not the end."""
    last = len(start.trajectory) - 1
    possible = set()
    for before in after:
        times = [start.times[each] for each in before]
        known = [each for each in times if each is not None]
        if known and len(known) == len(times):
            possible.add(max(known))
    return sorted(time for time in possible if 0 < time < last)
