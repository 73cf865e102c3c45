"""The whole of a verification, from programs and trajectories to a verdict."""

from collections.abc import Callable, Sequence

from car.checker import Checker, SubTask
from car.sandbox import Limits, Sandbox, Session
from car.trajectory import Trajectory
from car.verify.bar import Bar
from car.verify.blank import asked_about_blank
from car.verify.cost import cost_probe, limit_us, measure
from car.verify.judge import judge
from car.verify.observe import Observation, observe, twice
from car.verify.probe import Probe
from car.verify.robustness import robustness
from car.verify.verdict import Verdict

Further = Callable[[Session, Sequence[Observation]], Sequence[Probe]]
"""Probes that need more than the trajectories: of the live checkers, and what they said of each trajectory."""


def verdict_on(
    checkers: Sequence[Checker],
    trajectories: Sequence[Trajectory],
    sandbox: Sandbox,
    bar: Bar = Bar(),
    subtasks: Sequence[SubTask] | None = None,
    limits: Limits = Limits(),
    on_trajectory: Callable[[Trajectory], None] | None = None,
    reported: bool = True,
    further: Further = lambda session, observations: (),
) -> Verdict:
    """Runs the checkers on the trajectories, twice, and judges them.

    Args:
        checkers: in the chain's order.
        trajectories: experts and random ones.
        sandbox: where checkers run.
        bar: what they must reach.
        subtasks: all sub-tasks that the chain must have; None takes those of the checkers.
        limits: what each checker may use.
        on_trajectory: called after each trajectory.
        reported: whether to make the probes too that are only reported; they decide nothing.
        further: makes more of both kinds. Where a program fails, none of these are made.

    Raises:
        BadTrajectory: there is no expert or no random trajectory.
        SandboxUnavailable: checkers cannot be run on this machine.
    """
    with twice(sandbox, checkers, limits) as (first, second):
        observations = observe(first, trajectories, second, on_trajectory=on_trajectory, thorough=False)
        blank = asked_about_blank(first, observations)
        probes: list[Probe] = []
        # A program that hangs or dies is rejected as it is, and would cost its time limit at every further look.
        answering = not any(each.failures for each in observations)
        if answering:
            probes += further(first, observations)
        if answering and reported:
            probes += robustness(first, observations)
    if answering and reported:
        probes += _costs(checkers, trajectories, sandbox, limits, bar)
    return judge(checkers, observations, bar, subtasks, blank, probes)


def _costs(
    checkers: Sequence[Checker],
    trajectories: Sequence[Trajectory],
    sandbox: Sandbox,
    limits: Limits,
    bar: Bar,
) -> list[Probe]:
    limit = limit_us(trajectories[0].frame(0).shape, bar.frame_us)
    return [cost_probe(each, measure(sandbox, each, trajectories, limits), limit) for each in checkers]
