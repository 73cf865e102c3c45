"""Agents that are paid by a bundle alone, in the corridor: all that they play is looked at, also after an interrupt."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from car.audit import AuditFolder, Effort, Findings, Told, asked_of, audit
from car.audit.folder import State
from car.audit.onward import gone_on
from car.audit.played import CONTRARY, EVALUATION, EXPERT, FROM_AGENT, FROM_EXPERT, TRAINING, seen
from car.bundle import Bundle, Provenance, load_bundle, save_bundle
from car.checker import Checker, SubTask
from car.record import Unplayable, record
from car.refine import Flaw, generate
from car.sandbox.process import ProcessSandbox
from car.task import Task
from car.train.folder import RunFolder
from car.verify import observe, split
from tests.unit.corridor_envs import Corridor, corridor
from tests.unit.refine.scripted import InThisProcess, Scripted, naming, program

LEFT = SubTask("leave-the-start", "The red square has left the left end.")
GOAL = SubTask("reach-the-green", "The red square covers the green one.", (LEFT.name,), goal=True)
CHAIN = [
    Checker(LEFT, "def check(found, current):\n    return bool(current[0, 0, 0] == 0)\n"),
    Checker(
        GOAL, "def check(found, current):\n    return bool(not (current[..., 1] > 0).any() and (current > 0).any())\n"
    ),
]
EFFORT = Effort(steps=2048, seeds=1, contrary=1, episodes=3, starts=2, each=2, onward=10)


def numbered(env: Any) -> Any:
    """The state as one number: an observation that no milestones can be put into."""
    return gym.wrappers.TransformObservation(env, lambda seen: int(seen[0] * 6 + seen[1]), gym.spaces.Discrete(36))


class Fickle(Corridor):
    """Each picture is a little brighter than the one before, in whatever episode: no seed decides that."""

    drawn = 0

    def render(self) -> Any:
        Fickle.drawn += 1
        return np.maximum(super().render() // 2, np.uint8(Fickle.drawn % 100))


if "CarTest/Fickle-v0" not in gym.registry:
    gym.register("CarTest/Fickle-v0", Fickle)

TASK = corridor(agent_view=f"{__name__}:numbered", env_kwargs={"limit": 12})


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    parts = split(list(record(TASK, "expert", range(4))), list(record(TASK, "random", range(100, 106))))
    script = {
        ("subtasks", "", 1): naming(LEFT, GOAL),
        **{("checker", each.subtask.name, 1): program(each.source) for each in CHAIN},
        **{("refine", each.subtask.name, n): program(each.source) for each in CHAIN for n in range(2, 6)},
    }
    draft = generate(parts, Scripted(script), InThisProcess())
    return load_bundle(save_bundle(tmp_path_factory.mktemp("rewards"), TASK, draft, Provenance("planted", ())))


def without_goal(bundle: Bundle) -> Bundle:
    """The bundle, whose goal is true nowhere."""
    never = Checker(GOAL, "def check(found, current):\n    return False\n")
    return replace(bundle, checkers=(bundle.checkers[0], never))


def test_an_expert_whose_success_is_not_seen_speaks_against_the_goal(bundle: Bundle, tmp_path: Path) -> None:
    state = State(done={f"seed {seed}{more}" for seed in range(2) for more in ("", " examined")})
    folder, effort = AuditFolder(tmp_path), replace(EFFORT, each=0)
    folder.save(asked_of(bundle, TASK, effort), state)
    findings = audit(without_goal(bundle), TASK, ProcessSandbox(), folder, effort)
    assert findings.flaws() == {Flaw.MISSED: 2}
    assert {findings.episodes[number - 1].how for number, _ in findings.disagreements} == {EXPERT}


def test_what_is_done_again_is_not_counted_twice(bundle: Bundle, tmp_path: Path) -> None:
    def audited_in(folder: AuditFolder, listen: Any = lambda told: None) -> Findings:
        if not folder.about.exists():
            done = {f"seed {seed}{more}" for seed in range(2) for more in ("", " examined")}
            folder.save(asked_of(bundle, TASK, EFFORT), State(done=done))
        return audit(bundle, TASK, ProcessSandbox(), folder, EFFORT, listen)

    def interrupting(each: Told) -> None:
        if each.doing.endswith("2 of 2"):
            raise KeyboardInterrupt

    whole, twice = AuditFolder(tmp_path / "whole"), AuditFolder(tmp_path / "twice")
    with pytest.raises(KeyboardInterrupt):
        audited_in(twice, interrupting)
    assert audited_in(twice).tallies == audited_in(whole).tallies


@pytest.fixture(scope="module")
def audited(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditFolder, Findings, list[Told]]:
    """An audit that was interrupted at the end of training, and went on."""
    folder, told = AuditFolder(tmp_path_factory.mktemp("audit")), list[Told]()

    def interrupting(each: Told) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit(bundle, TASK, ProcessSandbox(), folder, EFFORT, interrupting)
    return folder, audit(bundle, TASK, ProcessSandbox(), folder, EFFORT, told.append), told


def test_every_episode_of_the_training_was_looked_at(audited: tuple[AuditFolder, Findings, list[Told]]) -> None:
    folder, findings, _ = audited
    tallies = {each.how: each for each in findings.tallies}
    assert tallies[TRAINING].episodes == RunFolder(folder.run(0)).lines()[-1].episodes > 0
    assert tallies[EVALUATION].episodes == EFFORT.episodes
    contrary = RunFolder(folder.run(1)).lines()[-1].episodes
    assert tallies[CONTRARY].episodes == contrary + EFFORT.episodes
    assert set(tallies) == {TRAINING, EVALUATION, CONTRARY, EXPERT, FROM_EXPERT, FROM_AGENT}
    assert tallies[EXPERT].episodes == EFFORT.starts
    assert not findings.found
    assert tallies[TRAINING].goals == tallies[TRAINING].successes > 0


def test_the_environment_pays_nothing_and_success_costs_the_last_agent(
    audited: tuple[AuditFolder, Findings, list[Told]],
) -> None:
    plain, contrary = (RunFolder(audited[0].run(seed)) for seed in (0, 1))
    settings = plain.read_settings()["settings"]
    assert (settings["env_reward"], settings["observe_milestones"]) == ("replace", False)
    assert contrary.read_settings()["settings"]["env_reward"] == "add"
    last = contrary.lines()[-1]
    # What it costs is what one of the two sub-tasks pays; success stays the environment's own.
    assert last.train_reward == pytest.approx(-0.5 * (last.train_success or 0.0), abs=0.02)


def test_tells_how_far_it_is(audited: tuple[AuditFolder, Findings, list[Told]]) -> None:
    told = audited[2]
    assert told[-1] == Told(f"{FROM_EXPERT}: 2 of 2", None, None, 0)


def test_continuations_leave_an_episode_where_a_sub_task_has_become_possible() -> None:
    long = [each for each in record(TASK, "expert", range(20)) if len(each) > 3][:2]
    with InThisProcess().open(CHAIN) as session:
        starts = [seen(CHAIN, each, FROM_EXPERT) for each in observe(session, long)]
    several = list(gone_on(TASK, starts, CHAIN, EFFORT))
    assert [len(some) for some in several if not isinstance(some, Unplayable)] == [2, 2]
    for start, some in zip(starts, several, strict=True):
        left = start.times[0] or 0
        assert not isinstance(some, Unplayable)
        assert all((each.frames[: left + 1] == start.trajectory.frames[: left + 1]).all() for each in some)
        assert all(len(each) - 1 <= left + EFFORT.onward for each in some)


def test_an_environment_that_acts_by_chance_cannot_be_continued() -> None:
    task = Task(name="fickle", env_id="CarTest/Fickle-v0", expert=TASK.expert)
    long = [each for each in record(task, "expert", range(20)) if len(each) > 3][:1]
    with InThisProcess().open(CHAIN) as session:
        starts = [seen(CHAIN, each, FROM_EXPERT) for each in observe(session, long)]
    starts = [type(starts[0])(starts[0].trajectory, FROM_EXPERT, (1, None), None, 0.5)]
    (problem,) = gone_on(task, starts, CHAIN, EFFORT)
    assert isinstance(problem, Unplayable)
