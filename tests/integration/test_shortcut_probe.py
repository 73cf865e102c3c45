"""A weak sub-task is named from random continuations, and sub-tasks that are steps on the way are not."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from car.checker import Checker
from car.record import Stage, random_policy, record_expert
from car.refine.continuing import shortcuts
from car.sandbox.process import ProcessSandbox
from car.task import Env, Policy, Task
from car.tasks import find_task
from car.truth import truth_for
from car.verify import Observation, Probe, observe
from tests.planted import doorkey, unlockpickup

UNLOCK_PICKUP = find_task("unlockpickup")


def probed(task: Task, chain: Sequence[Checker], experts: int = 5, known: bool = True, **named: Any) -> list[Probe]:
    trajectories = list(record_expert(task, experts))
    if not known:
        trajectories = [replace(each, actions=None) for each in trajectories]
    with ProcessSandbox().open(chain) as session:
        return shortcuts(task, observe(session, trajectories), chain, session, **named)


@pytest.fixture(scope="module")
def weak() -> list[Probe]:
    return probed(UNLOCK_PICKUP, unlockpickup.weak_chain())


def test_what_can_be_done_anywhere_is_named(weak: list[Probe]) -> None:
    assert {each.subtask: each.passed for each in weak} == {
        "key-picked-up": True,
        "door-open": True,
        "key-put-down": False,
        "box-picked-up": True,
    }


def test_by_a_wide_margin(weak: list[Probe]) -> None:
    shares = {each.subtask: each.values["share_for_nothing"] for each in weak}
    assert shares.pop("key-put-down") > 0.45
    assert max(shares.values()) < 0.2


def test_and_the_fact_is_told(weak: list[Probe]) -> None:
    named = weak[2]
    assert not named.rejects
    assert named.values["left"] >= named.values["before"] > named.values["own"]
    assert named.values["reached"] == named.values["asked"] > 0
    assert f"{named.values['completed']} of 40 random continuations" in named.said
    assert "the goal is no nearer than before" in named.said


@pytest.mark.parametrize(
    ("task", "chain"),
    [("unlockpickup", unlockpickup.strong_chain()), ("doorkey-6x6", doorkey.chain())],
    ids=["unlockpickup", "doorkey-6x6"],
)
def test_steps_on_the_way_are_not_named(task: str, chain: list[Checker]) -> None:
    told: list[tuple[int, int]] = []
    probes = probed(find_task(task), chain, on_step=lambda done, of: told.append((done, of)))
    assert [each.passed for each in probes] == [True] * len(chain)
    assert max(each.values["share_for_nothing"] for each in probes) < 0.2
    assert told == [(number, len(chain)) for number in range(1, len(chain) + 1)]


def test_equal_arguments_give_equal_probes() -> None:
    few: dict[str, Any] = {"experts": 1, "per_expert": 10, "steps": 15}
    one, again = (probed(UNLOCK_PICKUP, unlockpickup.weak_chain(), **few) for _ in range(2))
    assert one == again
    assert one != probed(UNLOCK_PICKUP, unlockpickup.weak_chain(), **few, seed=1)


def test_without_an_expert_for_the_middle_only_what_is_done_seldom_passes() -> None:
    nobody = replace(UNLOCK_PICKUP, expert=f"{__name__}:clueless")
    trajectories = list(record_expert(UNLOCK_PICKUP, 3))
    chain = unlockpickup.weak_chain()
    with ProcessSandbox().open(chain) as session:
        probes = shortcuts(nobody, observe(session, trajectories), chain, session, per_expert=5)
    assert [each.passed for each in probes[:3]] == [True, True, None]
    assert "no expert can go on from there" in probes[2].said


def clueless(env: Env) -> Policy:
    """An expert for the first frame alone."""
    raise LookupError


def test_a_film_says_why_nothing_could_be_probed() -> None:
    probes = probed(UNLOCK_PICKUP, unlockpickup.weak_chain(), experts=2, known=False)
    assert [each.passed for each in probes] == [None] * 4
    assert {each.said for each in probes} == {
        "The episode was recorded without its actions, so it cannot be played again."
    }


def test_a_subtask_that_no_expert_does_says_so() -> None:
    chain = doorkey.chain(door=doorkey.ALWAYS_FALSE)
    probes = probed(find_task("doorkey-6x6"), chain, experts=2, steps=5)
    assert [each.passed for each in probes] == [True, None, None]
    assert probes[1].said == probes[2].said == "In no expert's episode is this sub-task done after it became possible."


class _Noted:
    """Expert for some steps, random from then on; notes what holds at each."""

    def __init__(self, env: Env, expert_steps: int, seed: int) -> None:
        self._env, self._expert_steps = env, expert_steps
        self._random = random_policy(env.action_space, seed)
        self._truth = {each.name: each.holds for each in truth_for("unlockpickup")}
        self.held: list[list[bool | None]] = []

    def begun(self, env: Env) -> Policy:
        self._expert = UNLOCK_PICKUP.make_expert(env)
        return self

    def __call__(self, observation: Any) -> Any:
        self.note()
        return (self._expert if len(self.held) <= self._expert_steps else self._random)(observation)

    def note(self) -> None:
        world: Any = self._env.unwrapped
        key, opened, room, box = (holds(self._env) for holds in self._truth.values())
        door = next(each for each in world.grid.grid if each is not None and each.type == "door")
        # An opened box is gone like one that was taken: nothing in the picture tells which.
        opened_box = not box and world.obj not in world.grid.grid
        self.held.append([key, opened, room, not key and not door.is_locked, None if opened_box else box])


def test_the_planted_programs_say_what_is_true() -> None:
    checkers = [*unlockpickup.strong_chain()[:3], *unlockpickup.weak_chain()[2:]]
    wrong, held = 0, []
    with Stage(UNLOCK_PICKUP) as stage, ProcessSandbox().open(checkers) as session:
        for seed, expert_steps in enumerate([0, 0, 6, 9, 9, 12, 12, 100, 100]):
            noted = _Noted(stage.env, expert_steps, seed)
            episode = stage.play(noted.begun, "random", seed)
            noted.note()
            (seen,) = observe(session, [episode])
            assert seen.failures == {}
            wrong += _disagreements(seen, noted.held)
            held += noted.held
    assert wrong == 0
    assert len(held) > 1500
    assert min(sum(row[each] is True for row in held) for each in range(5)) >= 2


def _disagreements(seen: Observation, held: list[list[bool | None]]) -> int:
    pairs = zip(seen.done.tolist(), held, strict=True)
    return sum(
        truth is not None and said != truth for row, true in pairs for said, truth in zip(row, true, strict=True)
    )


def test_the_planted_goal_is_not_done_where_nothing_is_seen() -> None:
    (expert,) = record_expert(UNLOCK_PICKUP, 1)
    shape = expert.frame(0).shape
    noise = np.random.default_rng(0).integers(0, 256, (3, *shape)).astype(np.uint8)
    frames = np.stack([np.zeros(shape, np.uint8), np.full(shape, 100, np.uint8), np.full(shape, 255, np.uint8), *noise])
    chain = unlockpickup.weak_chain()
    with ProcessSandbox().open(chain) as session:
        answers = session.run(expert.frame(0), frames)
    assert (answers.done == 0).all()
