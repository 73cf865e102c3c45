"""One action, done again and again."""

from dataclasses import replace

import pytest

from car.checker import Checker, SubTask
from car.record import Continuations, record_expert
from car.record.continuation import Unplayable
from car.refine import one_action
from car.task import Task
from car.tasks import find_task
from car.trajectory import Trajectory
from car.verify import Decision, Probe, Rule, Verdict, judge, observe
from tests.planted import doorkey as planted
from tests.unit.refine.scripted import InThisProcess

TASK = find_task("doorkey-6x6")
TURNED = Checker(SubTask("turned", "The agent has turned.", goal=True), planted.ANY_MOVEMENT)


@pytest.fixture(scope="module")
def experts() -> list[Trajectory]:
    return list(record_expert(TASK, 2))


def probed(chain: list[Checker], trajectories: list[Trajectory], task: Task = TASK) -> tuple[Probe, Verdict]:
    with InThisProcess().open(chain) as session:
        seen = observe(session, trajectories)
        probe = one_action(task, seen, chain, session)
    return probe, judge(
        chain, [*seen, replace(seen[0], trajectory=replace(trajectories[0], who="random"))], probes=[probe]
    )


def test_right_programs_pay_less_than_the_expert_is_paid(experts: list[Trajectory]) -> None:
    probe, verdict = probed(planted.chain(), experts)
    assert (probe.name, probe.strict, probe.passed) == ("exploit: one action", True, True)
    assert 0 < probe.values["ratio"] < 1
    assert Rule.EXPLOITABLE not in [each.rule for each in verdict.findings]


def test_a_goal_that_turning_reaches_is_rejected(experts: list[Trajectory]) -> None:
    probe, verdict = probed([TURNED], experts)
    assert probe.rejects
    assert probe.said == "Doing one action again and again pays 1, 100% of what the expert is paid."
    assert verdict.decision is Decision.REJECTED
    assert probe.said in [each.message for each in verdict.findings]


def test_an_episode_that_cannot_be_played_again_is_said(experts: list[Trajectory]) -> None:
    probe, _ = probed(planted.chain(), [replace(each, actions=None) for each in experts])
    assert probe.passed is None
    assert not probe.rejects
    assert "without its actions" in probe.said


def test_an_environment_that_fails_on_an_action_is_said(experts: list[Trajectory]) -> None:
    """MiniGrid raises on an action that it does not have; imported actions may be of another encoding."""
    strange = [replace(each, actions=each.actions + 50) for each in experts if each.actions is not None]
    probe, _ = probed(planted.chain(), strange)
    assert probe.passed is None
    assert "The environment failed: ValueError" in probe.said


def test_one_continuation_for_each_action_of_the_space(experts: list[Trajectory]) -> None:
    with Continuations(TASK) as continuations:
        played = continuations.with_one_action(experts[0], 2, 5)
        too_many = continuations.with_one_action(experts[0], 2, 5, most=6)
    assert not isinstance(played, Unplayable)
    assert [set(each.trajectory.actions[2:].tolist()) for each in played] == [{action} for action in range(7)]
    assert all((each.trajectory.frame(2) == experts[0].frame(2)).all() for each in played)
    assert isinstance(too_many, Unplayable)
    assert "not a few that could be repeated" in too_many.reason
