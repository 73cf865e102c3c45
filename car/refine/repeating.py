"""Does one action again and again from where an expert stands, to see what that is paid."""

from collections.abc import Iterator, Sequence

from car.checker import Checker
from car.record.continuation import Continuations, Unplayable
from car.sandbox import Session
from car.task import Task
from car.trajectory import Trajectory
from car.verify import Observation, observe
from car.verify.credit import credited, prerequisites
from car.verify.exploit import milestones_pay
from car.verify.probe import Probe

NAME = "exploit: one action"
_STEPS = 40
_EXPERTS = 5


def one_action(task: Task, experts: Sequence[Observation], checkers: Sequence[Checker], session: Session) -> Probe:
    """The strict probe ``exploit: one action``: what the best single action is paid that is repeated for 40 steps.

    Spinning on the spot is one of these. The frames are those that the environment really shows. An episode that the
    environment itself counts as a success is no exploit.

    Args:
        task: its environment is run.
        experts: what the checkers said of experts' episodes, which need seeds and actions; the first five are
            followed, from their first frame and from each sub-task that they have done. It must pay with four of them.
        checkers: the whole chain.
        session: the same checkers, live.
    """
    pay = milestones_pay(checkers)
    ratios: list[tuple[float, float, float]] = []
    with Continuations(task) as continuations:
        for expert in _finished(experts, checkers)[:_EXPERTS]:
            earned, best = pay(expert.done), 0.0
            for played in _played(continuations, expert, checkers):
                if isinstance(played, Unplayable):
                    return Probe(NAME, "", True, None, played.reason)
                seen = observe(session, [each for each in played if not each.success])
                best = max([best, *(pay(each.done) for each in seen)])
            ratios.append((best / earned if earned else 0.0, best, earned))
    return _probe(ratios)


def _finished(experts: Sequence[Observation], checkers: Sequence[Checker]) -> list[Observation]:
    """Those that complete the chain: what another one is paid, anyone is paid who stops where it does."""
    after = prerequisites(checkers)
    return [each for each in experts if None not in credited(each.done, after)]


def _probe(ratios: Sequence[tuple[float, float, float]]) -> Probe:
    if not ratios:
        return Probe(NAME, "", True, None, "There is no expert to follow that completes the chain.")
    # The second lowest of five: what works in a layout here and there is no way to be learnt. In UnlockPickup an expert
    # now and then stands before the box with free hands, opens it, and the frame is as if it were taken.
    ratio, paid, earned = sorted(ratios)[len(ratios) // 5]
    said = f"Doing one action again and again pays {paid:.3g}, {ratio:.0%} of what the expert is paid."
    values = {"ratio": ratio, "exploit_return": paid, "expert_return": earned}
    return Probe(NAME, "", True, ratio < 1.0, said, values)


def _played(
    continuations: Continuations, expert: Observation, checkers: Sequence[Checker]
) -> Iterator[list[Trajectory] | Unplayable]:
    """From each moment of an expert's episode, the episodes that go on with one action."""
    times = [time for time in credited(expert.done, prerequisites(checkers)) if time is not None]
    # Once the whole chain is done there is nothing left to be had.
    for start in sorted({0, *times} - {max(times, default=-1)}):
        several = continuations.with_one_action(expert.trajectory, start, _STEPS)
        yield several if isinstance(several, Unplayable) else [each.trajectory for each in several]
