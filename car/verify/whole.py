"""The whole of a verification, from programs and trajectories to a verdict."""

from collections.abc import Callable, Sequence

from car.checker import Checker, SubTask
from car.sandbox import Limits, Sandbox
from car.trajectory import Trajectory
from car.verify.bar import Bar
from car.verify.blank import asked_about_blank
from car.verify.judge import judge
from car.verify.observe import observe, twice
from car.verify.verdict import Verdict


def verdict_on(
    checkers: Sequence[Checker],
    trajectories: Sequence[Trajectory],
    sandbox: Sandbox,
    bar: Bar = Bar(),
    subtasks: Sequence[SubTask] | None = None,
    limits: Limits = Limits(),
    on_trajectory: Callable[[Trajectory], None] | None = None,
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

    Raises:
        BadTrajectory: there is no expert or no random trajectory.
        SandboxUnavailable: checkers cannot be run on this machine.
    """
    with twice(sandbox, checkers, limits) as (first, second):
        observations = observe(first, trajectories, second, on_trajectory=on_trajectory)
        return judge(checkers, observations, bar, subtasks, asked_about_blank(first, observations))
