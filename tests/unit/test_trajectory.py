import json
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from car.errors import BadFrame, BadTrajectory
from car.trajectory import Album, Trajectory, load_trajectories, merged, save_trajectories


def frame(shade: int, height: int = 4, width: int = 6) -> np.ndarray:
    return np.full((height, width, 3), shade, np.uint8)


def made(shades: tuple[int, ...] = (1, 2, 1), seed: int | None = 0, **changes: Any) -> Trajectory:
    known: dict[str, Any] = {
        "actions": np.arange(len(shades) - 1),
        "rewards": np.zeros(len(shades) - 1),
        "seed": seed,
        "success": True,
        **changes,
    }
    return Trajectory.of([frame(shade) for shade in shades], "expert", **known)


def raw(**changes: Any) -> Trajectory:
    fields: dict[str, Any] = {
        "pictures": np.zeros((2, 4, 6, 3), np.uint8),
        "order": np.array([0, 1, 0]),
        "actions": np.zeros(2, np.int64),
        "rewards": np.zeros(2),
        "seed": 0,
        "who": "expert",
        "success": True,
    }
    return Trajectory(**{**fields, **changes})


def same(one: Trajectory, other: Trajectory) -> bool:
    return one.sha256() == other.sha256() and np.array_equal(one.frames, other.frames)


@st.composite
def trajectories(draw: st.DrawFn) -> list[Trajectory]:
    discrete = draw(st.booleans())
    episodes = []
    for _ in range(draw(st.integers(1, 4))):
        steps = draw(st.integers(0, 6))
        shades = draw(st.lists(st.integers(0, 4), min_size=steps + 1, max_size=steps + 1))
        actions = hnp.arrays(np.int64, steps) if discrete else hnp.arrays(np.float32, (steps, 2))
        rewards = hnp.arrays(np.float64, steps, elements=st.floats(allow_nan=False, allow_infinity=False))
        episodes.append(
            Trajectory.of(
                [frame(shade) for shade in shades],
                draw(st.sampled_from(["expert", "random"])),
                actions=draw(st.none() | actions),
                rewards=draw(st.none() | rewards),
                seed=draw(st.none() | st.integers(0, 2**64)),
                success=draw(st.none() | st.booleans()),
                terminated=draw(st.none() | st.booleans()),
            )
        )
    return episodes


@given(episodes=trajectories())
def test_what_is_saved_is_loaded(episodes: list[Trajectory], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("round") / "expert.npz"
    save_trajectories(path, episodes, "corridor")
    loaded = load_trajectories(path, "corridor")
    assert len(loaded) == len(episodes)
    for one, other in zip(loaded, episodes, strict=True):
        assert same(one, other)
        assert (one.seed, one.who, one.success, one.terminated) == (
            other.seed,
            other.who,
            other.success,
            other.terminated,
        )
        for name in ("actions", "rewards"):
            before, after = getattr(other, name), getattr(one, name)
            if before is None:
                assert after is None
            else:
                assert after.dtype == before.dtype
                assert after.tobytes() == before.tobytes()


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    save_trajectories(first, [made(), made((2, 3), 1)], "corridor")
    save_trajectories(second, load_trajectories(first), "corridor")
    assert first.read_bytes() == second.read_bytes()


def test_equal_frames_are_stored_once(tmp_path: Path) -> None:
    save_trajectories(tmp_path / "a.npz", [made((1, 2, 1, 2)), made((2, 3, 2, 1), 1)], "corridor")
    one, other = load_trajectories(tmp_path / "a.npz")
    assert one.pictures is other.pictures
    assert len(one.pictures) == 3
    assert [int(each.frame(0)[0, 0, 0]) for each in (one, other)] == [1, 2]


def test_pictures_that_no_frame_shows_are_not_stored() -> None:
    spare = raw(pictures=np.stack([frame(1), frame(2), frame(3)]), order=np.array([2, 0, 2]))
    (kept,) = merged([spare])
    assert [int(each[0, 0, 0]) for each in kept.pictures] == [3, 1]
    assert np.array_equal(kept.frames, spare.frames)


def test_an_empty_file_is_no_error(tmp_path: Path) -> None:
    save_trajectories(tmp_path / "a.npz", [], "corridor")
    assert load_trajectories(tmp_path / "a.npz", "corridor") == []


def test_some_may_know_their_actions_and_some_not(tmp_path: Path) -> None:
    save_trajectories(tmp_path / "a.npz", [made(actions=None, rewards=None), made((4, 5, 6), 1)], "corridor")
    video, recorded = load_trajectories(tmp_path / "a.npz")
    assert video.actions is None
    assert video.rewards is None
    assert recorded.actions is not None
    assert recorded.actions.tolist() == [0, 1]


def test_arrays_are_read_only_and_the_givers_array_is_left_alone() -> None:
    pictures, order = np.zeros((2, 4, 6, 3), np.uint8), np.array([0, 1, 0])
    trajectory = raw(pictures=pictures, order=order[:])
    pictures[:] = 9
    order[:] = 1
    assert trajectory.frames.max() == 0
    assert trajectory.order.tolist() == [0, 1, 0]
    for name in ("pictures", "order", "actions", "rewards"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(trajectory, name)[:] = 0


def test_pictures_are_shared_not_copied_between_trajectories() -> None:
    pictures = np.zeros((2, 4, 6, 3), np.uint8)
    pictures.setflags(write=False)
    assert raw(pictures=pictures).pictures is pictures


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"pictures": np.zeros((2, 4, 6, 3))}, "pictures must be uint8"),
        ({"pictures": np.zeros((4, 6, 3), np.uint8)}, "pictures must be uint8"),
        ({"pictures": np.zeros((2, 4, 6, 4), np.uint8)}, "pictures must be uint8"),
        ({"order": np.zeros(3)}, "order must be int64"),
        ({"order": np.zeros(0, np.int64)}, "at least one frame"),
        ({"order": np.array([0, 2, 0])}, "order points past the pictures"),
        ({"order": np.array([0, -1, 0])}, "order points past the pictures"),
        ({"actions": np.zeros(3)}, "3 frames need 2 actions"),
        ({"actions": np.array(["a", "b"])}, "actions must be numbers"),
        ({"actions": np.array(0)}, "3 frames need 2 actions"),
        ({"rewards": np.zeros(1)}, "3 frames need 2 rewards"),
        ({"rewards": np.zeros(2, np.float32)}, "rewards must be float64"),
        ({"rewards": np.array([0.0, np.nan])}, "the reward of step 1 is nan"),
        ({"rewards": np.array([-np.inf, 0.0])}, "the reward of step 0 is -inf"),
        ({"who": "nobody"}, "who must be 'expert', 'random' or 'agent'"),
        ({"seed": -1}, "seed must be"),
        ({"seed": True}, "seed must be"),
        ({"seed": 1.0}, "seed must be"),
        ({"success": 1}, "success must be"),
        ({"terminated": "yes"}, "terminated must be"),
    ],
)
def test_what_does_not_fit_together_is_no_trajectory(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadTrajectory, match=complaint):
        raw(**changes)


def test_the_hash_tells_what_happened_not_how_it_is_stored() -> None:
    trajectory = made((1, 2, 1))
    assert merged([made((7, 1)), trajectory])[1].sha256() == trajectory.sha256()
    others = [made((1, 2, 2)), made(seed=1), made(success=False), made(rewards=np.ones(2)), made(actions=None)]
    assert len({trajectory.sha256(), *(each.sha256() for each in others)}) == 6


def test_what_a_trajectory_tells_of_itself() -> None:
    trajectory = made((1, 2, 3))
    assert len(trajectory) == 3
    assert trajectory.size == (6, 4)
    assert trajectory.name == "expert 0"
    assert made(seed=None).name == "expert without seed"
    assert int(trajectory.frame(-1)[0, 0, 0]) == 3
    assert trajectory.frames.shape == (3, 4, 6, 3)


def test_an_album_keeps_a_copy_of_what_its_giver_goes_on_painting() -> None:
    album, canvas = Album(), frame(1)
    assert album.add(canvas) == 0
    canvas[:] = 2
    assert album.add(canvas) == 1
    assert album.add(frame(1)) == 0
    assert [int(each[0, 0, 0]) for each in album.pictures()] == [1, 2]


def test_an_album_holds_one_size_of_frames() -> None:
    album = Album()
    album.add(frame(1))
    with pytest.raises(BadTrajectory, match="this one is 6 x 8 pixels, those before it are 6 x 4 pixels"):
        album.add(frame(1, height=8))
    with pytest.raises(BadFrame, match="dtype float64"):
        album.add(frame(1) / 2)


def test_trajectories_of_different_sizes_are_not_saved(tmp_path: Path) -> None:
    small = Trajectory.of([frame(1)], "expert")
    large = Trajectory.of([frame(1, 8, 8)], "expert")
    with pytest.raises(BadTrajectory, match="one size"):
        save_trajectories(tmp_path / "a.npz", [small, large], "corridor")
    assert not (tmp_path / "a.npz").exists()


def test_actions_of_different_kinds_are_not_saved(tmp_path: Path) -> None:
    with pytest.raises(BadTrajectory, match="All actions of a task must have one shape and dtype"):
        save_trajectories(tmp_path / "a.npz", [made(), made(seed=1, actions=np.zeros((2, 2)))], "corridor")


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(BadTrajectory, match="make them with `car record`"):
        load_trajectories(tmp_path / "expert.npz")


def test_a_file_of_another_task_is_refused(tmp_path: Path) -> None:
    save_trajectories(tmp_path / "a.npz", [made()], "corridor")
    with pytest.raises(BadTrajectory, match="of the task 'corridor', not of 'maze'"):
        load_trajectories(tmp_path / "a.npz", "maze")


def rewritten(path: Path, about: dict[str, Any] | None = None, **arrays: Any) -> None:
    """Changes what a file says of itself, or its arrays; None leaves an array out."""
    with np.load(path) as archive:
        content = {name: archive[name] for name in archive.files}
    told = {**json.loads(content["about"].tobytes()), **(about or {})}
    content["about"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    content = {name: each for name, each in {**content, **arrays}.items() if each is not None}
    np.savez_compressed(path, **content)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"about": {"format": "car-trajectories/2"}}, "has the format 'car-trajectories/2'; this version reads"),
        ({"about": {"episodes": [{}]}}, "damaged or not a trajectory file"),
        ({"about": {"episodes": 3}}, "damaged or not a trajectory file"),
        ({"about": {"episodes": []}}, "3 order recorded, 0 expected"),
        ({"pictures": np.zeros((2, 4, 6), np.uint8)}, "pictures must be uint8"),
        ({"pictures": None}, "damaged or not a trajectory file"),
        ({"order": np.zeros(2, np.int64)}, "episode 0"),
        ({"actions": np.zeros(9)}, "9 actions recorded, 2 expected"),
        ({"rewards": np.array([np.nan, 0])}, "the reward of step 0 is nan"),
    ],
)
def test_a_file_that_does_not_hold_together_is_refused(tmp_path: Path, changes: dict[str, Any], complaint: str) -> None:
    path = tmp_path / "a.npz"
    save_trajectories(path, [made()], "corridor")
    rewritten(path, **changes)
    with pytest.raises(BadTrajectory, match=complaint):
        load_trajectories(path)


def test_no_damage_goes_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    episodes = [made(), made((3, 4, 5), 1)]
    save_trajectories(path, episodes, "corridor")
    whole = path.read_bytes()
    cut_off = [whole[:length] for length in range(0, len(whole), 7)]
    places = [(at, bits) for at in range(0, len(whole), 3) for bits in (0xFF, 0x01)]
    flipped = [whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :] for at, bits in places]
    complaints = []
    for damaged in (*cut_off, *flipped):
        path.write_bytes(damaged)
        try:
            loaded = load_trajectories(path, "corridor")
        except BadTrajectory as error:
            complaints.append(str(error))
        else:  # the byte was one that the reader need not believe, such as a date
            assert all(same(one, other) for one, other in zip(loaded, episodes, strict=True))
    assert len(complaints) > len(cut_off) + len(flipped) / 2
    assert all(str(path) in each and "\n" not in each for each in complaints)


@pytest.mark.parametrize("content", [b"", b"no trajectory", b"\x93NUMPY\x01\x00"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(BadTrajectory, match="damaged or not a trajectory file"):
        load_trajectories(path)


def test_other_archives_and_folders_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "single.npy", np.zeros(3))
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("about.txt", "{}")
    np.savez(tmp_path / "pickled.npz", about=np.array([{}], object))
    for name in ("single.npy", "other.npz", "pickled.npz", "."):
        with pytest.raises(BadTrajectory, match="damaged or not a trajectory file"):
            load_trajectories(tmp_path / name)


def test_sixty_four_thousand_frames_load_within_two_seconds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    # Flat tiles with one changing patch, as grid worlds draw them.
    pictures = np.repeat(rng.integers(0, 256, (1, 8, 8, 3), np.uint8), 8000, 0).repeat(8, 1).repeat(8, 2)
    pictures[:, :8, :8] = rng.integers(0, 256, (8000, 1, 1, 3), np.uint8)
    pictures.setflags(write=False)
    episodes = [
        Trajectory(pictures, rng.integers(0, 8000, 640), np.zeros(639, np.int64), np.zeros(639), seed, "random", False)
        for seed in range(100)
    ]
    path = tmp_path / "random.npz"
    save_trajectories(path, episodes, "corridor")
    began = time.process_time()
    loaded = load_trajectories(path, "corridor")
    assert time.process_time() - began < 2
    assert sum(map(len, loaded)) == 64_000
    assert path.stat().st_size < 4_000_000
