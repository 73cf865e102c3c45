import errno
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pytest
from corridor_envs import corridor, flawed

from car.errors import BadFrame, BadTask, BadTrajectory, UnknownName, UserError
from car.record import (
    RANDOM_SEEDS,
    Progress,
    add_to,
    load_set,
    random_policy,
    record,
    record_expert,
    record_to,
)
from car.task import Env, Task
from car.trajectory import Trajectory, load_trajectories, save_trajectories

silent = pytest.mark.filterwarnings("ignore::UserWarning:gymnasium")


def clumsy() -> Any:
    """Its expert fails for the seeds 1, 6 and 9, of those below 10."""
    return corridor(expert="corridor_envs:clumsy")


def test_an_experts_episode_holds_what_happened() -> None:
    (trajectory,) = record(corridor(), "expert", [3])
    steps = len(trajectory) - 1
    assert trajectory.actions is not None
    assert trajectory.actions.tolist() == [1] * steps
    assert trajectory.rewards is not None
    assert trajectory.rewards.tolist() == [0.0] * (steps - 1) + [1.0]
    assert (trajectory.seed, trajectory.who, trajectory.success, trajectory.terminated) == (3, "expert", True, True)
    red = [int(np.argmax(each[0, :, 0] > 0)) // 8 for each in trajectory.frames]
    assert red == list(range(steps + 1))


def test_an_episode_that_the_environment_cuts_off_is_no_success() -> None:
    (trajectory,) = record(corridor(expert="corridor_envs:loser"), "expert", [0])
    assert len(trajectory) == 31
    assert (trajectory.success, trajectory.terminated) == (False, False)


def test_max_steps_cuts_episodes_off() -> None:
    (trajectory,) = record(corridor(expert="corridor_envs:loser"), "expert", [0], max_steps=5)
    assert len(trajectory) == 6
    assert (trajectory.success, trajectory.terminated) == (False, False)


def test_success_is_what_the_task_says() -> None:
    (won,) = record(corridor(success="info:won"), "expert", [0])
    (never,) = record(corridor(success="info:nothing"), "expert", [0])
    assert (won.success, never.success) == (True, False)


def test_an_episode_depends_on_its_seed_alone() -> None:
    for who in ("expert", "random"):
        alone = [next(record(corridor(), who, [seed])).sha256() for seed in (4, 5, 6)]
        together = [each.sha256() for each in record(corridor(), who, [6, 4, 5])]
        assert together == [alone[2], alone[0], alone[1]]


def test_random_actions_come_from_the_seed_and_not_from_the_environments_generators() -> None:
    space = gym.spaces.Discrete(5)
    space.seed(0)
    before = space.np_random.bit_generator.state
    policy = random_policy(space, 7)
    drawn = [policy(None) for _ in range(200)]
    assert space.np_random.bit_generator.state == before
    again = random_policy(space, 7)
    assert [again(None) for _ in range(200)] == drawn
    other = random_policy(space, 8)
    assert [other(None) for _ in range(200)] != drawn
    assert min(drawn.count(action) for action in range(5)) > 20
    layout = np.random.default_rng(7)
    assert drawn[:20] != [int(layout.integers(5)) for _ in range(20)]


def test_actions_keep_the_form_of_their_space() -> None:
    (continuous,) = record(flawed("continuous"), "random", [0], max_steps=4)
    assert continuous.actions is not None
    assert continuous.actions.dtype == np.float32
    assert continuous.actions.shape == (len(continuous) - 1, 2)
    (composite,) = record(flawed("composite"), "random", [0], max_steps=4)
    assert composite.actions is None


def test_each_episode_is_told_as_it_ends() -> None:
    told: list[Trajectory] = []
    stream = record(corridor(), "random", [1, 2], on_episode=told.append)
    assert next(stream) is told[0]
    assert len(told) == 1
    assert [*stream] == told[1:]


def test_the_environment_is_closed_when_the_reader_stops() -> None:
    class Watched(Task):
        def make_env(self) -> Env:
            env = super().make_env()
            made.append(env)
            env.unwrapped.close = lambda: closed.append(True)  # type: ignore[method-assign]
            return env

    made: list[Env] = []
    closed: list[bool] = []
    stream = record(Watched(**corridor().as_dict()), "expert", [0, 1, 2])
    next(stream)
    next(stream)
    assert (len(made), closed) == (1, [])
    stream.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_someone_unknown_cannot_act() -> None:
    with pytest.raises(UnknownName, match=r"There is no policy 'nobody'. There are: expert, random"):
        next(record(corridor(), "nobody", [0]))


def test_a_task_without_expert_says_what_to_do() -> None:
    with pytest.raises(BadTask, match="names no expert: give it one, or import"):
        next(record(corridor(expert=None), "expert", [0]))


@silent
def test_an_environment_without_rgb_array_is_refused() -> None:
    with pytest.raises(BadTask, match=r"cannot render 'rgb_array' \(its render modes are: none\); give the task a cam"):
        next(record(corridor(env_id="CarTest/Blind-v0"), "random", [0]))


@silent
def test_an_environment_without_render_is_refused() -> None:
    class Claims(gym.Env[Any, Any]):
        metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 1}
        observation_space = action_space = gym.spaces.Discrete(2)

        def __init__(self, render_mode: str) -> None:
            self.render_mode = render_mode

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            return 0, {}

    gym.register("CarTest/Claims-v0", Claims)
    try:
        with pytest.raises(BadTask, match="has no render"):
            next(record(corridor(env_id="CarTest/Claims-v0"), "random", [0]))
    finally:
        del gym.registry["CarTest/Claims-v0"]


@silent
@pytest.mark.parametrize(("flaw", "complaint"), [("float", "dtype float64"), ("grey", r"shape \(8, 48\)")])
def test_pictures_that_are_no_frames_are_refused(flaw: str, complaint: str) -> None:
    with pytest.raises(BadFrame, match=complaint):
        next(record(flawed(flaw), "expert", [0]))


def test_frames_of_different_sizes_in_an_episode_are_refused() -> None:
    with pytest.raises(BadTrajectory, match="this one is 56 x 8 pixels, those before it are 48 x 8 pixels"):
        next(record(flawed("grows"), "expert", [0]))


def test_frames_of_different_sizes_between_episodes_are_refused() -> None:
    with pytest.raises(BadTrajectory, match="some are 48 x 8 pixels and some are 56 x 8"):
        list(record(flawed("wider by seed"), "expert", [0, 1]))


@silent
def test_a_reward_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadTrajectory, match="the reward of step 0 is nan"):
        next(record(flawed("nan"), "random", [0]))


def test_an_expert_that_never_succeeds_is_refused() -> None:
    lost = corridor(expert="corridor_envs:loser")
    with pytest.raises(BadTrajectory) as caught:
        list(record_expert(lost, 2, seed=5))
    assert str(caught.value) == (
        "The expert of task 'corridor' failed in 4 of 4 episodes, and 2 successes are needed; "
        "it failed for the seeds 5, 6, 7, 8."
    )
    with pytest.raises(BadTrajectory, match="seeds 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 10 more"):
        list(record_expert(lost, 10))


def test_further_seeds_take_the_place_of_those_on_which_an_expert_fails() -> None:
    told: list[Trajectory] = []
    kept = list(record_expert(clumsy(), 6, on_episode=told.append))
    assert [each.seed for each in kept] == [0, 2, 3, 4, 5, 7]
    assert all(each.success for each in kept)
    assert [each.seed for each in told if not each.success] == [1, 6]


def test_a_recording_lies_in_two_files(tmp_path: Path) -> None:
    summary = record_to(tmp_path, corridor(), expert=3, random=4, seed=2)
    experts, randoms = load_set(tmp_path, "corridor")
    assert [each.seed for each in experts] == [2, 3, 4]
    assert [each.seed for each in randoms] == [RANDOM_SEEDS + 2 + each for each in range(4)]
    assert {each.who for each in randoms} == {"random"}
    assert summary.folder == tmp_path / "corridor"
    assert (summary.expert, summary.random, summary.new_expert, summary.new_random) == (3, 4, 3, 4)
    assert summary.failed_seeds == ()
    assert summary.frames == sum(map(len, [*experts, *randoms]))
    assert summary.distinct == len(experts[0].pictures) + len(randoms[0].pictures) < summary.frames


def contents(folder: Path) -> list[bytes]:
    return [(folder / "corridor" / f"{who}.npz").read_bytes() for who in ("expert", "random")]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    record_to(tmp_path / "a", corridor(), expert=3, random=5)
    record_to(tmp_path / "b", corridor(), expert=3, random=5)
    record_to(tmp_path / "c", corridor(), expert=3, random=5, seed=1)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_what_is_there_is_not_played_again(tmp_path: Path) -> None:
    record_to(tmp_path / "a", corridor(), expert=2, random=2)
    told: list[Progress] = []
    summary = record_to(tmp_path / "a", corridor(), expert=3, random=4, progress=told.append)
    assert [(each.who, each.done, each.wanted) for each in told] == [
        ("expert", 3, 3),
        ("random", 3, 4),
        ("random", 4, 4),
    ]
    assert (summary.new_expert, summary.new_random) == (1, 2)
    record_to(tmp_path / "b", corridor(), expert=3, random=4)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_when_all_is_there_no_environment_is_made(tmp_path: Path) -> None:
    record_to(tmp_path, corridor(), expert=2, random=2)
    before = contents(tmp_path)
    summary = record_to(tmp_path, corridor(env_id="Nowhere-v0"), expert=2, random=2)
    assert (summary.expert, summary.new_expert, summary.new_random) == (2, 0, 0)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("stop", range(1, 9))
def test_an_interrupted_recording_goes_on_to_the_same_bytes(tmp_path: Path, stop: int) -> None:
    told: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        told.append(progress)
        if len(told) == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_to(tmp_path / "a", clumsy(), expert=4, random=3, progress=interrupt)
    done = [each for each in told if each.who == "random" or each.trajectory.success]
    files = (tmp_path / "a" / "corridor").glob("*.npz") if done else []
    assert sum(len(load_trajectories(each)) for each in files) == len(done)
    record_to(tmp_path / "a", clumsy(), expert=4, random=3)
    record_to(tmp_path / "b", clumsy(), expert=4, random=3)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_long_recording_saves_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "corridor" / "expert.npz"
    there: list[int] = []

    def look(progress: Progress) -> None:
        there.append(len(load_trajectories(path)) if path.exists() else 0)

    record_to(tmp_path / "often", corridor(), expert=1, random=0, save_seconds=0)
    record_to(tmp_path, corridor(), expert=4, random=0, progress=look, save_seconds=0)
    assert there[0] == 1
    rarely = tmp_path / "rarely"
    path = rarely / "corridor" / "expert.npz"
    record_to(rarely, corridor(), expert=4, random=0, progress=look, save_seconds=1000)
    assert there[4:] == [0, 0, 0, 0]


def test_a_full_disk_leaves_what_was_saved_and_goes_on_to_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_to(tmp_path, corridor(), expert=2, random=2)
    before = contents(tmp_path)

    def full(*args: Any, **arrays: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space left"):
        record_to(tmp_path, corridor(), expert=4, random=2)
    assert contents(tmp_path) == before
    assert sorted(each.name for each in (tmp_path / "corridor").iterdir()) == ["expert.npz", "random.npz"]


def test_an_expert_that_succeeds_too_rarely_is_refused_and_its_successes_kept(tmp_path: Path) -> None:
    with pytest.raises(BadTrajectory, match=r"failed in 3 of 4 episodes, and 2 successes are needed; .* 0, 2, 3"):
        record_to(tmp_path, corridor(expert="corridor_envs:poor"), expert=2, random=2)
    (kept,) = load_trajectories(tmp_path / "corridor" / "expert.npz")
    assert kept.seed == 1


def test_the_summary_names_the_seeds_on_which_the_expert_failed(tmp_path: Path) -> None:
    summary = record_to(tmp_path, clumsy(), expert=6, random=0)
    assert (summary.new_expert, summary.failed_seeds) == (6, (1, 6))


@pytest.mark.parametrize("wrong", [{"expert": -1}, {"random": -1}, {"seed": -1}, {"seed": RANDOM_SEEDS}])
def test_counts_and_seeds_out_of_range_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(UserError, match="must be 0 or more, and the seeds of experts below 1,000,000"):
        record_to(tmp_path, corridor(), **wrong)


def imported(shades: tuple[int, ...], who: str = "expert", width: int = 48) -> Trajectory:
    return Trajectory.of([np.full((8, width, 3), shade, np.uint8) for shade in shades], who, success=True)


def test_imported_trajectories_join_those_that_are_there_once(tmp_path: Path) -> None:
    record_to(tmp_path, corridor(), expert=1, random=1)
    assert add_to(tmp_path, "corridor", [imported((1, 2)), imported((1, 2)), imported((3,), "random")]) == 2
    assert add_to(tmp_path, "corridor", [imported((1, 2)), imported((5,))]) == 1
    experts, randoms = load_set(tmp_path, "corridor")
    assert [each.seed for each in experts] == [0, None, None]
    assert [each.seed for each in randoms] == [RANDOM_SEEDS, None]


def test_imported_demonstrations_replace_an_expert(tmp_path: Path) -> None:
    add_to(tmp_path, "corridor", [imported((1, 2))])
    summary = record_to(tmp_path, corridor(expert=None), expert=20, random=2)
    assert (summary.expert, summary.new_expert, summary.random) == (1, 0, 2)


def test_imported_trajectories_of_another_size_are_refused(tmp_path: Path) -> None:
    record_to(tmp_path, corridor(), expert=1, random=1)
    before = contents(tmp_path)
    with pytest.raises(BadTrajectory, match="some are 40 x 8 pixels and some are 48 x 8"):
        add_to(tmp_path, "corridor", [imported((1, 2), width=40)])
    assert contents(tmp_path) == before


def test_a_set_that_is_missing_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(BadTrajectory, match=r"There are no expert trajectories of the task 'corridor'.*`car record"):
        load_set(tmp_path, "corridor")
    record_to(tmp_path, corridor(), expert=1, random=0)
    with pytest.raises(BadTrajectory, match="There are no random trajectories of the task 'corridor'"):
        load_set(tmp_path, "corridor")


def test_a_set_of_another_task_is_refused(tmp_path: Path) -> None:
    record_to(tmp_path, corridor(), expert=1, random=1)
    (tmp_path / "corridor").rename(tmp_path / "maze")
    with pytest.raises(BadTrajectory, match="of the task 'corridor', not of 'maze'"):
        load_set(tmp_path, "maze")


def test_a_set_whose_files_are_swapped_or_empty_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "corridor" / "expert.npz"
    for content in ([imported((1,), "random")], []):
        save_trajectories(path, content, "corridor")
        with pytest.raises(BadTrajectory, match=r"expert\.npz must hold expert trajectories and nothing else"):
            load_set(tmp_path, "corridor")


def test_a_set_of_two_sizes_is_refused(tmp_path: Path) -> None:
    save_trajectories(tmp_path / "corridor" / "expert.npz", [imported((1,))], "corridor")
    save_trajectories(tmp_path / "corridor" / "random.npz", [imported((1,), "random", 40)], "corridor")
    with pytest.raises(BadTrajectory, match="some are 40 x 8 pixels and some are 48 x 8"):
        load_set(tmp_path, "corridor")
