"""Planted programs measured on real fresh episodes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from car.checker import Checker
from car.cli.evaluate import evaluation_table
from car.errors import BadFrame, BadTask, UnknownName, UserError
from car.evaluate import FRESH_SEEDS, Evaluation, SubTaskFigures, evaluate
from car.record import RANDOM_SEEDS, Stage
from car.record.labelled import policy_of
from car.sandbox.process import ProcessSandbox
from car.task import Task
from car.tasks import find_task
from car.train.settings import EVALUATION_SEED
from tests.planted import doorkey as planted
from tests.planted.bundle import planted_bundle
from tests.unit.refine.scripted import InThisProcess


def _measured(checkers: Sequence[Checker], pairs: int = 200, **more: Any) -> Evaluation:
    return evaluate(planted_bundle(checkers), InThisProcess(), pairs=pairs, episodes=4, **more)


def _of(found: Evaluation) -> tuple[SubTaskFigures, SubTaskFigures, SubTaskFigures]:
    key, door, goal = found.subtasks
    return key, door, goal


@pytest.fixture(scope="module")
def right() -> Evaluation:
    return evaluate(planted_bundle(planted.chain()), ProcessSandbox(), pairs=200, episodes=4)


class TestPlantedPrograms:
    def test_right_ones_are_right_on_every_frame_and_exact(self, right: Evaluation) -> None:
        assert [each.predicate for each in right.subtasks] == ["key-picked-up", "door-open", "goal-reached"]
        for each in right.subtasks:
            assert each.frames is not None
            assert each.first is not None
            assert (each.frames.precision.value, each.frames.recall.value, each.frames.frames) == (
                1.0,
                1.0,
                right.pairs,
            )
            assert (each.first.exact.value, each.first.largest) == (1.0, 0)
            assert (each.first.never, each.first.false) == (0, 0)
            assert set(each.by_kind) == {"expert", "mixed", "random"}

    def test_what_it_was_measured_on_is_told(self, right: Evaluation) -> None:
        assert right.pairs >= 200
        assert [each.kind for each in right.played] == ["expert", "mixed", "random"]
        assert min(each.episodes for each in right.played) >= 4
        assert right.seeds == (FRESH_SEEDS, FRESH_SEEDS + right.matching + sum(p.episodes for p in right.played) - 1)
        assert (right.skipped, right.matching, right.without_program) == (0, 30, ())
        first = right.subtasks[0].first
        assert first is not None
        counted = first.exact.total + first.never + first.false + first.neither
        assert counted == sum(each.episodes for each in right.played)

    def test_the_same_seed_measures_the_same(self) -> None:
        bundle = planted_bundle(planted.chain())
        one, again = (evaluate(bundle, InThisProcess(), pairs=1, episodes=1).as_dict() for _ in range(2))
        assert again == one

    def test_a_goal_that_fires_a_step_early_is_told(self) -> None:
        *others, goal = _of(_measured(planted.chain(goal=planted.GOAL_ONE_STEP_EARLY)))
        assert goal.frames is not None
        assert goal.first is not None
        assert goal.frames.recall.value == 1.0
        assert goal.frames.precision.hits < goal.frames.precision.total
        assert goal.first.exact.hits == 0
        assert goal.first.median is not None
        assert -3 <= goal.first.median <= -1
        assert all(each.frames and each.frames.precision.value == 1.0 for each in others)

    def test_one_that_fires_on_some_layouts_is_told(self, right: Evaluation) -> None:
        half = planted.RIGHT_GOAL.replace(
            "def identify(initial):\n    return tile_of(green(initial))",
            "def identify(initial):\n    return *tile_of(green(initial)), tile_of(red(initial))[0] == 8",
        )
        half = half.replace("row, column = found", "row, column, fires = found")
        half = half.replace(".sum() > 5)", ".sum() > 5 and fires)")
        goal = _of(_measured(planted.chain(goal=half)))[2]
        assert goal.frames is not None
        assert goal.first is not None
        assert goal.frames.precision.value == 1.0
        assert 0 < goal.frames.recall.hits < goal.frames.recall.total
        assert (goal.first.exact.value, goal.first.false) == (1.0, 0)
        whole = _of(right)[2].first
        assert whole is not None
        assert 0 < goal.first.never == whole.exact.total - goal.first.exact.total

    def test_one_that_never_fires_has_no_counterpart_and_one_that_fails_is_not_done(self) -> None:
        fails = "def check(found, current):\n    return 1 // 0 > 2\n"
        found = _measured(planted.chain(key=planted.ALWAYS_FALSE, goal=fails), pairs=100)
        key, door, goal = _of(found)
        assert (key.predicate, max(key.agreement.values())) == (None, 0.0)
        assert door.frames is not None
        assert (door.predicate, door.frames.recall.value) == ("door-open", 1.0)
        assert door.first is not None
        assert door.first.exact.total == 0, "what must come first is never credited"
        assert goal.frames is not None
        assert (goal.frames.unanswered, goal.frames.recall.hits) == (found.pairs, 0)
        assert "no counterpart, at best" in _shown(found)
        assert f"{planted.GOAL.name} gave no answer on {found.pairs} frames" in _shown(found)

    def test_a_predicate_can_be_asked_for_and_a_sub_task_without_a_program_is_named(self) -> None:
        found = _measured(planted.chain()[:2], pairs=100, match={planted.DOOR.name: "key-picked-up"})
        key, door = found.subtasks
        assert door.predicate == "key-picked-up"
        assert key.predicate is None, "its own is given away, and it agrees with no other well enough"
        assert found.without_program == (planted.GOAL.name,)
        assert f"No program was found for {planted.GOAL.name}." in _shown(found)
        assert "no counterpart: key-picked-up" in _shown(found)
        assert "is another's (1.00)" in _shown(found)


def _shown(found: Evaluation) -> str:
    """The table as a terminal shows it."""
    console = Console(width=120)
    with console.capture() as text:
        console.print(evaluation_table(found))
    return text.get()


class TestFreshEpisodes:
    def test_their_seeds_are_far_from_all_others(self) -> None:
        assert 100 * RANDOM_SEEDS < FRESH_SEEDS
        assert FRESH_SEEDS >= EVALUATION_SEED + 100 * RANDOM_SEEDS

    def test_they_begin_at_the_seed_and_one_that_the_bundle_was_judged_with_is_left_out(self) -> None:
        task = find_task("doorkey-5x5")
        with Stage(task) as stage:
            known = stage.play(task.make_expert, "expert", FRESH_SEEDS + 5).sha256()
        manifest = {**planted_bundle(planted.chain()).manifest, "trajectories": {"refine": [], "verdict": [known]}}
        found = evaluate(
            planted_bundle(planted.chain(), manifest=manifest), InThisProcess(), pairs=1, episodes=1, seed=5
        )
        assert found.skipped == 1
        assert found.seeds == (FRESH_SEEDS + 5, FRESH_SEEDS + 5 + 30 + 3)

    def _actions(self, kind: str, slips: float, task: Task | None = None) -> list[int]:
        task = task or find_task("doorkey-5x5")
        with Stage(task) as stage:
            made = stage.play(lambda env: policy_of(kind, task, env, 7, slips), "random", 7, max_steps=100)
        assert made.actions is not None
        return made.actions.tolist()

    def test_a_mixed_episode_lies_between_the_others(self) -> None:
        expert, random = self._actions("expert", 0.0), self._actions("random", 0.0)
        assert self._actions("mixed", 0.0) == expert
        assert self._actions("mixed", 1.0) == random
        assert self._actions("mixed", 0.5) == self._actions("mixed", 0.5)
        assert self._actions("mixed", 0.5) not in (expert, random)

    def test_an_expert_who_finds_no_way_on_acts_at_random(self) -> None:
        hopeless = replace(find_task("doorkey-5x5"), expert="tests.unit.test_evaluate_fresh:plans_at_the_start_only")
        assert len(self._actions("mixed", 0.3, hopeless)) == 100

    def test_a_task_without_an_expert_is_said_so(self) -> None:
        with pytest.raises(BadTask, match="names no expert"):
            self._actions("mixed", 1.0, replace(find_task("doorkey-5x5"), expert=None))


def plans_at_the_start_only(env: Any) -> Any:
    """An expert that only turns, and that is at a loss after the first step."""
    if env.unwrapped.step_count:
        raise BadTask("There is no way on.")
    return lambda observation: 0


def marked(*given: Any) -> Any:
    """What a planted manifest names; it must never be called."""
    raise AssertionError("a bundle's manifest decided what is run")


class TestAManifestThatNamesCode:
    def test_its_expert_is_not_imported(self) -> None:
        evil = replace(find_task("doorkey-5x5"), expert="tests.unit.test_evaluate_fresh:marked")
        found = evaluate(planted_bundle(planted.chain(), evil), InThisProcess(), pairs=20, episodes=1)
        assert found.task == "doorkey-5x5"

    def test_its_camera_is_refused(self) -> None:
        evil = replace(find_task("doorkey-5x5"), camera="tests.unit.test_evaluate_fresh:marked")
        with pytest.raises(BadTask, match="those that this bundle is for come from 'tests"):
            evaluate(planted_bundle(planted.chain(), evil), InThisProcess())


class TestBadInput:
    def test_a_task_without_ground_truth(self) -> None:
        mine = replace(find_task("doorkey-5x5"), name="mine")
        with pytest.raises(UnknownName, match="There is no ground truth for the task 'mine'"):
            evaluate(planted_bundle(planted.chain(), mine), InThisProcess())

    def test_a_task_that_has_only_the_name(self) -> None:
        other = replace(find_task("doorkey-5x5"), env_id="MiniGrid-Empty-5x5-v0")
        with pytest.raises(BadTask, match="its environment is MiniGrid-Empty-5x5-v0"):
            evaluate(planted_bundle(planted.chain(), other), InThisProcess())

    def test_frames_of_another_size(self) -> None:
        with pytest.raises(BadFrame, match="gives frames of 40 x 40 pixels here, but the bundle planted is for frames"):
            evaluate(planted_bundle(planted.chain(), frame_shape=(64, 48, 3)), InThisProcess())

    @pytest.mark.parametrize(
        ("match", "said"),
        [
            ({"open-sesame": "door-open"}, "no sub-task with a program 'open-sesame'. There are: pick-up-the-key"),
            ({planted.KEY.name: "key"}, "no true predicate of doorkey-5x5 'key'. There are: key-picked-up"),
        ],
    )
    def test_an_unknown_name_to_match(self, match: dict[str, str], said: str) -> None:
        with pytest.raises(UnknownName, match=re.escape(said)):
            evaluate(planted_bundle(planted.chain()), InThisProcess(), match=match)

    @pytest.mark.parametrize("wrong", [{"pairs": 0}, {"episodes": 0}, {"episodes": 501}, {"seed": -1}, {"slips": 1.5}])
    def test_numbers_out_of_their_range(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(UserError, match="There must be at least 1 pair"):
            evaluate(planted_bundle(planted.chain()), InThisProcess(), **wrong)
