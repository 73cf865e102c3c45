"""Continues expert episodes at random, to see whether a sub-task can be done without coming nearer to the goal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from car.checker import Checker
from car.record.continuation import Continuation, Continuations, Onward, Unplayable
from car.sandbox import Session
from car.task import Task
from car.trajectory import Trajectory
from car.verify import Observation, observe
from car.verify.credit import prerequisites
from car.verify.probe import Probe
from car.verify.shortcut import Opening, Shortcut, Trial, opening

OnStep = Callable[[int, int], None]
"""Told how many sub-tasks are looked at, and of how many."""

_TIMES_THE_EXPERT, _SHORTEST, _LONGEST = 10, 20, 40
_MOST_ASKED = 24
# Where there is no way on, a planner searches all there is, for seconds.
_MOST_UNKNOWN = 2


def shortcuts(
    task: Task,
    experts: Sequence[Observation],
    checkers: Sequence[Checker],
    session: Session,
    per_expert: int = 8,
    steps: int | None = None,
    most_experts: int = 5,
    seed: int = 0,
    on_step: OnStep = lambda done, of: None,
) -> list[Probe]:
    """The probe ``shortcut`` for each sub-task, in the chain's order.

    From the time at which a sub-task becomes possible in an expert's episode, several episodes go on at random. Where
    one of them has the sub-task done, the task's expert takes over, and its steps to the goal are held against those
    that it needs from where the random part began. Equal arguments give equal probes.

    Args:
        task: its environment is run.
        experts: what the checkers said of experts' episodes, which need seeds and actions.
        checkers: the whole chain.
        session: the same checkers, live.
        per_expert: continuations for each expert and sub-task.
        steps: how long a continuation lasts at the most; None takes ten times what half of the experts need, and no
            fewer than 20 and no more than 40: with a handful of actions, a step that can be done anywhere is hit upon
            within about that.
        most_experts: how many experts are continued.
        seed: of the random actions.
        on_step: told after each sub-task.

    Returns:
        A probe for each checker; its `passed` is None where the environment cannot be run or the episodes cannot be
        played again, and `said` says why.
    """
    chosen = [each for each in experts if each.trajectory.who == "expert"][:most_experts]
    probes = []
    with Continuations(task) as continuations:
        run = _Run(continuations, chosen, checkers, session, per_expert, seed)
        for index in range(len(checkers)):
            probes.append(run.probe(index, steps))
            on_step(len(probes), len(checkers))
    return probes


@dataclass
class _Run:
    continuations: Continuations
    experts: Sequence[Observation]
    checkers: Sequence[Checker]
    session: Session
    per_expert: int
    seed: int
    _onward: dict[tuple[int, int], Onward] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._after = prerequisites(self.checkers)

    def probe(self, index: int, steps: int | None) -> Probe:
        name = self.checkers[index].subtask.name
        found = [opening(each, index, self._after) for each in self.experts]
        # Where it is done as soon as it is possible, there is nothing to be done at random.
        openings = {expert: each for expert, each in enumerate(found) if each is not None and each.lead > 0}
        if not openings:
            return _unknown(name, "In no expert's episode is this sub-task done after it became possible.")
        most = steps or _window([each.lead for each in openings.values()])
        played = self._played(openings, most)
        if isinstance(played, Unplayable):
            return _unknown(name, played.reason)
        return Shortcut.of(name, most, self._trials(index, openings, played)).probe()

    def _played(self, openings: dict[int, Opening], steps: int) -> list[tuple[int, Continuation]] | Unplayable:
        """The continuations of all experts, the first of each before the second of any; or why there are none."""
        made: list[tuple[int, int, Continuation]] = []
        problem = None
        for expert, each in openings.items():
            trajectory = self.experts[expert].trajectory
            several = self.continuations.at_random(trajectory, each.start, self.per_expert, steps, self.seed)
            if isinstance(several, Unplayable):
                problem = problem or several
            else:
                made += [(number, expert, one) for number, one in enumerate(several)]
        if problem is not None and not made:
            return problem
        return [(expert, one) for _, expert, one in sorted(made, key=lambda each: each[:2])]

    def _trials(
        self, index: int, openings: dict[int, Opening], played: Sequence[tuple[int, Continuation]]
    ) -> list[Trial]:
        seen = observe(self.session, [each.trajectory for _, each in played])
        trials: list[Trial] = []
        asked = unknown = 0
        goal = self.checkers[index].subtask.goal
        for (expert, continuation), observation in zip(played, seen, strict=True):
            own, done = openings[expert], opening(observation, index, self._after)
            trial = Trial(own.lead, None if done is None else done.end - continuation.start)
            if done is not None and asked < _MOST_ASKED and unknown < _MOST_UNKNOWN:
                trial = self._asked(trial, index, expert, own, continuation.trajectory, done.end)
                asked, unknown = asked + 1, unknown + (trial.reached is None and not goal)
            trials.append(trial)
        return trials

    def _asked(self, trial: Trial, index: int, expert: int, own: Opening, continued: Trajectory, time: int) -> Trial:
        """The trial with what an expert that took over needs, if it can go on from where an expert stood."""
        before = self._from(expert, own.start)
        if before.steps is None:
            return trial
        if self.checkers[index].subtask.goal:
            onward = after = self._on(continued, time, most=0)
        else:
            onward, after = self._on(continued, time), self._from(expert, own.end)
        return replace(trial, before=before.steps, own=after.steps, reached=onward.reached, left=onward.steps)

    def _from(self, expert: int, time: int) -> Onward:
        if (expert, time) not in self._onward:
            self._onward[expert, time] = self._on(self.experts[expert].trajectory, time)
        return self._onward[expert, time]

    def _on(self, trajectory: Trajectory, time: int, most: int = 1000) -> Onward:
        onward = self.continuations.by_expert(trajectory, time, most)
        return Onward(None) if isinstance(onward, Unplayable) else onward


def _window(leads: Sequence[int]) -> int:
    return min(max(int(_TIMES_THE_EXPERT * median(leads)), _SHORTEST), _LONGEST)


def _unknown(subtask: str, reason: str) -> Probe:
    return Probe("shortcut", subtask, False, None, reason)
