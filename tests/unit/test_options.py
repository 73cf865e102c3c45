"""The sub-tasks of a bundle as options, and an environment for one of them."""

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

import car
from car.bundle import load_bundle
from car.checker import SubTask
from car.errors import BadBundle, BadFrame, UnknownName, UserError
from car.milestones import Milestones
from car.option import OptionEnv, Options, PolicyOverOptions
from car.rewards.code import CodeReward
from car.sandbox import Crashed, Ran
from car.tasks import find_task
from car.wrapper import DenseReward, FrameTap
from tests.unit.rewards.fake_session import FakeSession, grey
from tests.unit.wrapper.hallway import CELLS, Corridor, TableReward, chain

BUNDLE = Path(__file__).parents[2] / "generated_rewards" / "doorkey-8x8"
KEY, DOOR, GOAL = "key-picked-up", "door-opened", "agent-on-goal-square"


@pytest.fixture(scope="module")
def opened() -> Iterator[Options]:
    with car.options(BUNDLE) as options:
        yield options


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """An expert's episode in DoorKey-8x8."""
    task = find_task("doorkey-8x8")
    env = FrameTap(task.make_env(), task.make_camera())
    observation, info = env.reset(seed=7)
    expert = task.make_expert(env)
    seen, over = [info["car/frame"]], False
    while not over:
        observation, _, terminated, truncated, info = env.step(expert(observation))
        seen.append(info["car/frame"])
        over = terminated or truncated
    return np.stack(seen)


def test_the_shipped_bundle_has_an_option_for_each_sub_task(opened: Options) -> None:
    assert opened.names == (KEY, DOOR, GOAL)
    assert [each.name for each in opened] == [KEY, DOOR, GOAL]
    assert [each.after for each in opened] == [(), (KEY,), (KEY, DOOR)]
    assert [each.subtask.goal for each in opened] == [False, False, True]
    assert len(opened) == 3
    assert opened[DOOR] is opened[1]
    assert list(opened[1:]) == [opened[DOOR], opened[GOAL]]
    with pytest.raises(UnknownName, match=r"no option 'ball'\. There are: key-picked-up, door-opened"):
        opened["ball"]


def test_an_option_may_begin_where_all_before_it_is_credited_and_it_is_not(opened: Options) -> None:
    credited: list[list[str]] = [[], [KEY], [KEY, DOOR], [KEY, DOOR, GOAL]]
    assert [[each.available(some) for each in opened] for some in credited] == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
        [False, False, False],
    ]
    assert [opened.choose(some).name for some in credited] == [KEY, DOOR, GOAL, GOAL]
    assert opened.choose([KEY], running=DOOR).name == DOOR
    assert opened.choose([KEY, DOOR], running=DOOR).name == GOAL


def test_an_expert_ends_each_option_and_frames_alone_say_the_same_as_batches(
    opened: Options, frames: np.ndarray
) -> None:
    ends = opened.terminations(frames[0], frames)
    assert ends.shape == (len(frames), 3)
    assert not ends[0].any()
    first = [int(np.flatnonzero(column)[0]) for column in ends.T]
    assert first == sorted(first)
    assert first[0] > 0
    assert first[2] == len(frames) - 1
    for option, column in zip(opened, ends.T, strict=True):
        assert [option.terminates(frames[0], frame) for frame in frames] == column.tolist()
        np.testing.assert_array_equal(option.terminations(frames[0], frames), column)
        np.testing.assert_array_equal(option.pseudo_rewards(frames[0], frames), column.astype(float))
        assert [option.pseudo_reward(frames[0], frame) for frame in frames] == column.astype(float).tolist()


def test_answers_do_not_depend_on_what_was_asked_before(opened: Options, frames: np.ndarray) -> None:
    order = np.random.default_rng(0).permutation(len(frames))
    wanted = opened.terminations(frames[0], frames)
    initials = np.stack([frames[0]] * len(frames))
    np.testing.assert_array_equal(opened.terminations(initials, frames[order]), wanted[order])
    with car.options(BUNDLE) as others:
        np.testing.assert_array_equal(others.terminations(frames[0], frames[order])[np.argsort(order)], wanted)
    np.testing.assert_array_equal(opened.terminations(frames[0], frames, [GOAL, KEY]), wanted[:, [2, 0]])


def test_what_is_no_frame_of_the_bundle_is_refused(opened: Options, frames: np.ndarray) -> None:
    with pytest.raises(BadFrame, match=r"has shape \(32, 32, 3\), but 'doorkey-8x8' works on \(64, 64, 3\)"):
        opened[KEY].terminates(frames[0], frames[0][:32, :32])
    with pytest.raises(BadFrame, match="dtype float64"):
        opened[KEY].terminates(frames[0] / 255.0, frames[0])
    with pytest.raises(BadFrame, match="There are 2 first frames for 3 frames"):
        opened[KEY].terminations(frames[:2], frames[:3])
    assert opened.terminations(frames[0], frames[:0]).shape == (0, 3)


def test_a_loaded_bundle_will_do_and_one_that_changed_since_will_not() -> None:
    loaded = load_bundle(BUNDLE)
    with car.options(loaded) as options:
        assert options.names == (KEY, DOOR, GOAL)
    with pytest.raises(BadBundle, match="was changed since it was loaded"):
        car.options(dataclasses.replace(loaded, manifest_sha256="0" * 64))


def test_a_bundle_that_nobody_approved_is_refused_unless_that_is_allowed(tmp_path: Path) -> None:
    copied = tmp_path / "bundle"
    shutil.copytree(BUNDLE, copied)
    (copied / "approval.json").unlink()
    with pytest.raises(BadBundle, match="Nobody has approved"):
        car.options(copied)
    with pytest.raises(BadBundle, match="Nobody has approved"):
        OptionEnv(Corridor(), copied, KEY)
    with car.options(copied, allow_unreviewed=True) as options:
        assert len(options) == 3


def test_closed_options_answer_no_more(frames: np.ndarray) -> None:
    options = car.options(BUNDLE)
    options.close()
    options.close()
    with pytest.raises(UserError, match="closed"):
        options[KEY].terminates(frames[0], frames[0])


def test_a_program_that_fails_has_not_seen_its_sub_task_done() -> None:
    failing = FakeSession([lambda initial, current: Crashed("check", "ValueError: no"), lambda *_: Ran(True)])
    subtasks = [SubTask("first", "."), SubTask("second", ".", ("first",), goal=True)]
    with Options(subtasks, CodeReward(failing, subtasks, "failing")) as options:
        assert options.terminations(grey(1)[0], grey(1, 2)).tolist() == [[False, True]] * 2
        assert options.reward.failures == {("first", "check: ValueError: no"): 2}  # type: ignore[attr-defined]
    assert failing.ended == 1


def test_progress_is_not_an_end() -> None:
    subtasks = [SubTask("only", ".", goal=True)]
    reward = CodeReward(FakeSession([lambda initial, current: Ran(bool(current[0, 0, 0] > 1), 0.9)]), subtasks, "near")
    assert Options(subtasks, reward).terminations(grey(1)[0], grey(1, 2)).tolist() == [[False], [True]]


def test_nothing_is_loaded_before_options_are_asked_for() -> None:
    code = "import sys, car; before = 'numpy' in sys.modules; car.options; print(before, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    assert not hasattr(car, "choices")


@st.composite
def orders(draw: st.DrawFn) -> list[list[int]]:
    count = draw(st.integers(1, 5))
    place = draw(st.permutations(range(count)))
    return [[other for other in range(count) if place[other] < place[own] and draw(st.booleans())]
            for own in range(count)]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(orders(), st.data())
def test_what_may_begin_is_what_could_be_credited_next(after: list[list[int]], data: st.DataObject) -> None:
    reward = TableReward(np.zeros((3, CELLS, len(after))), after)
    over, episode = PolicyOverOptions(reward), reward.episode()
    running = None
    for _ in range(8):
        credited = episode.milestones.astype(bool).tolist()
        np.testing.assert_array_equal(over.available(credited), episode.wanted)
        chosen = over.choose(credited, running)
        if running is not None and not credited[running]:
            assert chosen == running
        elif not all(credited):
            assert chosen == int(np.flatnonzero(episode.wanted)[0])
        else:
            assert chosen == len(after) - 1
        running = chosen
        signals = data.draw(st.lists(st.sampled_from([0.0, 1.0, np.nan]), min_size=len(after), max_size=len(after)))
        episode.step(np.array(signals), False, False)


class Eager(TableReward):
    """Wants to be asked about everything, always."""

    def episode(self) -> Milestones:
        episode = super().episode()
        episode.also_wanted = lambda signals: np.ones(len(signals), np.bool_)  # type: ignore[method-assign]
        return episode


def test_what_is_credited_does_not_begin_again_whatever_a_reward_asks_about() -> None:
    over = PolicyOverOptions(Eager(np.zeros((3, CELLS, 3)), [[], [], []]))
    assert over.available([True, False, False]).tolist() == [False, True, True]
    assert over.choose([True, False, False], running=0) == 1


def described(reward: TableReward, after: Sequence[Sequence[int]] = ((), (0,), (1,))) -> Options:
    """Options whose programs are a table; by default to reach cell 3, then 4, then 5."""
    names = reward.names
    return Options([SubTask(name, ".", tuple(names[each] for each in some))
                    for name, some in zip(names, after, strict=True)], reward)  # fmt: skip


def right(observation: Any) -> int:
    return 1


def left(observation: Any) -> int:
    return 0


def test_the_first_option_is_learnt_from_the_reset_on() -> None:
    env = OptionEnv(Corridor(), described(chain()), "task-0")
    _, info = env.reset(seed=3)
    assert info["car/option"] == "task-0"
    start = env.unwrapped.start  # type: ignore[attr-defined]
    for cell in range(start + 1, 4):
        _, reward, terminated, truncated, info = env.step(1)
        assert (reward, terminated, truncated) == (float(cell == 3), cell == 3, False)
    assert info["car/milestones"] == {"task-0": True, "task-1": False, "task-2": False}
    with pytest.raises(UserError, match="Call reset"):
        env.step(1)


def test_a_later_option_begins_where_the_policies_of_the_earlier_ones_have_led() -> None:
    env = OptionEnv(Corridor(), described(chain()), "task-2", {"task-0": right, "task-1": right})
    for seed in range(5):
        observation, info = env.reset(seed=seed)
        assert observation[0] == pytest.approx(4 / CELLS)
        assert info["car/milestones"] == {"task-0": True, "task-1": True, "task-2": False}
        _, reward, terminated, _, info = env.step(0)
        assert (reward, terminated) == (0.0, False)
        env.step(1)
        _, reward, terminated, _, info = env.step(1)
        assert (reward, terminated, info["car/env_reward"]) == (1.0, True, 1.0)


def test_each_policy_acts_while_its_own_option_runs() -> None:
    acted: list[str] = []

    def noting(name: str) -> Any:
        return lambda observation: acted.append(name) or 1

    env = OptionEnv(Corridor(), described(chain()), "task-2", {"task-0": noting("a"), "task-1": noting("b")})
    env.reset(seed=3)
    start = env.unwrapped.start  # type: ignore[attr-defined]
    assert acted == ["a"] * (3 - start) + ["b"]


def test_after_an_episode_that_ended_on_the_way_the_first_policy_acts_again() -> None:
    acted: list[str] = []

    def first(observation: Any) -> int:
        acted.append("a")
        return 1

    def second(observation: Any) -> int:
        acted.append("b")
        return int(acted.count("b") > 6)

    # Six steps to and fro use up the first episode.
    env = OptionEnv(Corridor(max_steps=6), described(chain()), "task-2", {"task-0": first, "task-1": second})
    env.reset(seed=3)
    tail = "".join(acted).lstrip("a").lstrip("b")
    assert tail
    assert tail.startswith("a")


def test_episodes_in_which_the_option_is_done_before_it_can_be_learnt_are_passed_over() -> None:
    # Done on the first frame where the start is 0 or 1; from 2 on, both are done at once in cell 3.
    table = np.zeros((3, CELLS, 2))
    table[:2, :, 0] = table[2, 3:, 0] = 1
    table[0, :, 1] = table[2, 3:, 1] = 1
    reward = TableReward(table, [[], [0]])
    env = OptionEnv(Corridor(), described(reward, [[], [0]]), "task-1", {"task-0": right})
    for seed in range(10):
        env.reset(seed=seed)
        assert env.unwrapped.start == 1  # type: ignore[attr-defined]
    table[1] = table[0]
    never = OptionEnv(Corridor(), described(reward, [[], [0]]), "task-1", {"task-0": right}, patience=50)
    with pytest.raises(UserError, match="could not begin within 50 steps"):
        never.reset(seed=0)


def test_options_that_are_not_needed_are_passed_over() -> None:
    table = np.zeros((3, CELLS, 3))
    table[:, 3:, 1] = table[:, 5, 2] = 1
    env = OptionEnv(
        Corridor(), described(TableReward(table, [[], [], [1]]), [[], [], [1]]), "task-2", {"task-1": right}
    )
    _, info = env.reset(seed=0)
    assert info["car/milestones"] == {"task-0": False, "task-1": True, "task-2": False}


def test_an_episode_that_ends_without_the_option_is_not_paid() -> None:
    env = OptionEnv(Corridor(max_steps=2), described(chain()), "task-0")
    env.reset(seed=0)
    env.step(0)
    _, reward, terminated, truncated, _ = env.step(0)
    assert (reward, terminated, truncated) == (0.0, False, True)


def test_a_policy_that_is_missing_or_gets_nowhere_is_named() -> None:
    options = described(chain())
    with pytest.raises(UserError, match=r"begins after 'task-1'; give a policy .* policies=\{'task-1': \.\.\.\}"):
        OptionEnv(Corridor(), options, "task-2", {"task-0": right})
    with pytest.raises(UnknownName, match="no option 'ball'"):
        OptionEnv(Corridor(), options, "ball")
    env = OptionEnv(Corridor(), options, "task-1", {"task-0": left}, patience=100)
    with pytest.raises(UserError, match=r"'task-1' could not begin within 100 steps; .*\(task-0\)"):
        env.reset(seed=0)


def test_it_is_a_gymnasium_environment_and_made_again_from_its_spec() -> None:
    gym.register("CarTest/OptionCorridor-v0", Corridor)
    try:
        options = described(chain())
        env = OptionEnv(gym.make("CarTest/OptionCorridor-v0"), options, "task-1", {"task-0": right})
        with pytest.warns(UserWarning, match="is different from the unwrapped version"):
            check_env(env, skip_render_check=True, skip_close_check=True)
        again = gym.make(env.spec)  # type: ignore[arg-type]
        assert again.reset(seed=4)[0].tolist() == env.reset(seed=4)[0].tolist()
        assert str(again) == str(env)
    finally:
        gym.registry.pop("CarTest/OptionCorridor-v0")


def test_options_that_were_given_are_left_open() -> None:
    reward = chain()
    OptionEnv(Corridor(), described(reward), "task-0").close()
    assert reward.closed == 0


def test_the_shipped_bundle_around_its_own_environment() -> None:
    task = find_task("doorkey-8x8")
    expert = iter(_plan(task, 7))
    env = OptionEnv(task.make_env(), BUNDLE, DOOR, {KEY: lambda observation: next(expert)})
    _, info = env.reset(seed=7)
    assert [name for name, done in info["car/milestones"].items() if done] == [KEY]
    paid, terminated = 0.0, False
    while not terminated:
        _, reward, terminated, _, info = env.step(next(expert))
        paid += reward
    assert paid == 1.0
    assert [name for name, done in info["car/milestones"].items() if done] == [KEY, DOOR]
    env.close()


def _plan(task: Any, seed: int) -> list[Any]:
    """The actions of an expert in the episode of a seed."""
    env = task.make_env()
    observation, _ = env.reset(seed=seed)
    expert, actions, over = task.make_expert(env), [], False
    while not over:
        actions.append(expert(observation))
        observation, _, terminated, truncated, _ = env.step(actions[-1])
        over = terminated or truncated
    return actions


def test_a_script_can_follow_the_options_with_what_the_wrapper_tells() -> None:
    options = described(chain())
    env = DenseReward(Corridor(), options.reward)
    _, info = env.reset(seed=0)
    ran, over = [], False
    option = options.choose(())
    while not over:
        ran.append(option.name)
        _, _, terminated, truncated, info = env.step(1)
        over = terminated or truncated
        option = options.choose([name for name, done in info["car/milestones"].items() if done], option.name)
    assert ran[-2:] == ["task-1", "task-2"]
    assert set(ran[:-2]) == {"task-0"}
