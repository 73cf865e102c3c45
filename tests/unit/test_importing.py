import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from corridor_envs import corridor

from car.errors import BadFrame, BadTrajectory, MissingExtra, UserError
from car.frames import to_png
from car.importing import export_minari, film, import_from, import_minari, import_pictures, import_video
from car.record import record
from car.trajectory import Trajectory

minari = pytest.importorskip("minari")


def shade(value: int, height: int = 8, width: int = 16) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def draw(folder: Path, **shades: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in shades.items():
        (folder / f"{name}.png").write_bytes(to_png(shade(value)))
    return folder


def seen(trajectory: Trajectory) -> list[int]:
    return [int(each[0, 0, 0]) for each in trajectory.frames]


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    return tmp_path / "minari"


# Pictures


def test_a_folder_of_pictures_is_a_trajectory_in_natural_order(tmp_path: Path) -> None:
    folder = draw(tmp_path / "demo", frame10=10, frame2=2, frame1=1, frame20=20)
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"")
    (trajectory,) = import_pictures(folder)
    assert seen(trajectory) == [1, 2, 10, 20]
    assert (trajectory.who, trajectory.success, trajectory.seed) == ("expert", True, None)
    assert trajectory.actions is None
    assert trajectory.rewards is None


def test_a_folder_of_folders_is_many_trajectories(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        draw(tmp_path / "demos" / f"run{number}", a=number, b=100)
    (tmp_path / "demos" / "empty").mkdir()
    trajectories = import_pictures(tmp_path / "demos", "random")
    assert [seen(each) for each in trajectories] == [[1, 100], [2, 100], [10, 100]]
    assert {(each.who, each.success) for each in trajectories} == {("random", None)}


def test_jpeg_pictures_count_too(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.JPEG"):
        (tmp_path / name).write_bytes(cv2.imencode(".jpg", shade(50))[1].tobytes())
    (trajectory,) = import_pictures(tmp_path)
    assert len(trajectory) == 2


def test_pictures_are_scaled_on_request(tmp_path: Path) -> None:
    halves = np.concatenate([shade(0), shade(200)])
    (tmp_path / "a.png").write_bytes(to_png(halves))
    (trajectory,) = import_pictures(tmp_path, size=(4, 4))
    assert trajectory.size == (4, 4)
    assert trajectory.frame(0)[:, 0, 0].tolist() == [0, 0, 200, 200]


def test_folders_that_hold_no_trajectory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTrajectory, match=r"holds no pictures \(.png, .jpg, .jpeg\)"):
        import_pictures(tmp_path)
    with pytest.raises(BadTrajectory, match="There is no folder"):
        import_pictures(tmp_path / "nowhere")
    draw(tmp_path, a=1)
    draw(tmp_path / "more", a=1)
    with pytest.raises(BadTrajectory, match="pictures and also folders of pictures"):
        import_pictures(tmp_path)


def test_pictures_of_different_sizes_are_refused(tmp_path: Path) -> None:
    draw(tmp_path, a=1)
    (tmp_path / "b.png").write_bytes(to_png(shade(1, 8, 8)))
    with pytest.raises(BadTrajectory, match=r"folder .* this one is 8 x 8 pixels, those before it are 16 x 8"):
        import_pictures(tmp_path)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    draw(tmp_path, a=1)
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(BadFrame, match=r"b\.png is not a picture"):
        import_pictures(tmp_path)


# Videos


def filmed(path: Path, shades: list[int], size: tuple[int, int] = (32, 16)) -> Path:
    """A video without loss: Motion PNG in AVI."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MPNG"), 10, size)
    assert writer.isOpened()
    for value in shades:
        writer.write(np.full((size[1], size[0], 3), (0, 0, value), np.uint8))
    writer.release()
    return path


def test_a_video_is_a_trajectory(tmp_path: Path) -> None:
    trajectory = import_video(filmed(tmp_path / "a.avi", [10, 20, 20, 30]))
    assert seen(trajectory) == [10, 20, 20, 30]
    assert trajectory.frame(0)[0, 0].tolist() == [10, 0, 0]
    assert len(trajectory.pictures) == 3
    assert (trajectory.who, trajectory.success) == ("expert", True)


@pytest.mark.parametrize(
    ("every", "kept"),
    [(1, [0, 1, 2, 3, 4, 5, 6]), (2, [0, 2, 4, 6]), (3, [0, 3, 6]), (4, [0, 4, 6]), (50, [0, 6])],
)
def test_a_video_is_thinned_but_its_last_frame_stays(tmp_path: Path, every: int, kept: list[int]) -> None:
    path = filmed(tmp_path / "a.avi", list(range(7)))
    assert seen(import_video(path, every=every)) == kept


def test_a_video_is_scaled_on_request(tmp_path: Path) -> None:
    path = filmed(tmp_path / "a.avi", [10, 20])
    assert import_video(path, "random", size=(16, 8)).size == (16, 8)
    with pytest.raises(UserError, match="The size 2 x 8 cannot be used; sides must be 4 to 4096"):
        import_video(path, size=(2, 8))


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    for name, content in (("empty.mp4", b""), ("text.mp4", b"no video" * 100)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadTrajectory, match=f"The video .*{name} cannot be imported. OpenCV cannot decode"):
            import_video(tmp_path / name)
    with pytest.raises(BadTrajectory, match="There is no video"):
        import_video(tmp_path / "nowhere.mp4")
    with pytest.raises(UserError, match="every = 0"):
        import_video(tmp_path / "empty.mp4", every=0)


def test_a_video_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "LARGEST_BYTES", 32 * 16 * 3 * 3)
    assert len(import_video(filmed(tmp_path / "a.avi", [1, 2, 3]))) == 3
    with pytest.raises(BadTrajectory, match="of frames; scale them down or take fewer"):
        import_video(filmed(tmp_path / "b.avi", [1, 2, 3, 4]))


# Minari


def recorded(who: str = "expert", **fields: Any) -> list[Trajectory]:
    return list(record(corridor(**fields), who, [1, 2, 3]))


@pytest.mark.parametrize("who", ["expert", "random"])
def test_what_is_exported_to_minari_is_imported_again(datasets: Path, who: str) -> None:
    before = recorded(who)
    folder = export_minari(before, corridor(), "test/corridor-v0")
    assert folder == datasets / "test" / "corridor-v0"
    after = import_minari("test/corridor-v0", corridor(), who)
    assert [each.sha256() for each in after] == [each.sha256() for each in before]


def test_others_can_use_the_exported_dataset(datasets: Path) -> None:
    (episode, *_) = recorded()
    export_minari([episode], corridor(), "corridor-v0")
    dataset = minari.load_dataset("corridor-v0")
    assert dataset.total_steps == len(episode) - 1
    assert dataset[0].terminations.tolist() == [False] * (len(episode) - 2) + [True]
    assert not dataset[0].truncations.any()
    assert dataset.observation_space.contains(dataset[0].observations[0])
    assert dataset.recover_environment().spec.id == "CarTest/Corridor-v0"


@pytest.mark.usefixtures("datasets")
def test_an_environment_that_minari_cannot_describe_is_exported_all_the_same() -> None:
    task = corridor(env_id="CarTest/ByClass-v0")
    before = list(record(task, "expert", [1, 2]))
    export_minari(before, task, "corridor-v0")
    assert minari.load_dataset("corridor-v0").env_spec is None
    after = import_minari("corridor-v0", task)
    assert [each.sha256() for each in after] == [each.sha256() for each in before]


def test_continuous_actions_survive_the_round_trip(datasets: Path) -> None:
    task = corridor(env_kwargs={"flaw": "continuous"})
    before = list(record(task, "random", [1], max_steps=5))
    export_minari(before, task, "corridor-v0")
    (after,) = import_minari(datasets / "corridor-v0", task, "random")
    assert after.sha256() == before[0].sha256()


def without_pictures(seeds: list[int | None], at: int | None = None, **changes: Any) -> None:
    """A dataset as Minari's own collector would leave it: the environment's observations, which are two numbers."""
    from minari.data_collector import EpisodeBuffer

    options = {} if at is None else {"at": at}
    env = corridor().make_env()
    buffers = []
    for seed in seeds:
        first, _ = env.reset(seed=seed, options=options)
        observations, rewards, over = [first], [], False
        while not over:
            observation, reward, over, _, _ = env.step(1)
            observations.append(observation)
            rewards.append(np.float32(reward))
        steps = len(rewards)
        known: dict[str, Any] = {
            "observations": np.array(observations),
            "actions": np.ones(steps, np.int64),
            "rewards": rewards,
            "terminations": [False] * (steps - 1) + [True],
            "truncations": [False] * steps,
            "options": options or None,
        }
        buffers.append(EpisodeBuffer(seed=seed, **{**known, **changes}))
    with pytest.warns(UserWarning, match="is set to None"):
        minari.create_dataset_from_buffers("plain-v0", buffers, env=env)


@pytest.mark.usefixtures("datasets")
def test_a_dataset_without_pictures_is_played_again_from_its_seeds() -> None:
    without_pictures([1, 2])
    after = import_minari("plain-v0", corridor())
    assert [each.sha256() for each in after] == [each.sha256() for each in recorded()[:2]]


@pytest.mark.usefixtures("datasets")
def test_the_options_of_the_reset_are_played_again_too() -> None:
    without_pictures([1], at=1)
    (after,) = import_minari("plain-v0", corridor())
    assert len(after) == len(recorded()[0]) - 1


@pytest.mark.usefixtures("datasets")
def test_a_dataset_without_pictures_and_seeds_is_refused() -> None:
    without_pictures([None])
    with pytest.raises(BadTrajectory, match="its observations are not pictures, and episode 0 has no seed"):
        import_minari("plain-v0", corridor())


@pytest.mark.usefixtures("datasets")
def test_a_dataset_that_plays_otherwise_is_refused() -> None:
    without_pictures([1])
    with pytest.raises(BadTrajectory, match="gives other rewards when it is played again"):
        import_minari("plain-v0", corridor(env_kwargs={"limit": 1}))
    with pytest.raises(BadTrajectory, match="is no success when it is played again"):
        import_minari("plain-v0", corridor(success="info:nothing"))
    (random,) = import_minari("plain-v0", corridor(success="info:nothing"), "random")
    assert random.success is False


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.usefixtures("datasets")
def test_observations_are_frames_where_the_camera_says_so(alone: bool) -> None:
    from minari.data_collector import EpisodeBuffer

    camera = "observation" if alone else "observation:camera"
    task = corridor(env_id="CarTest/Pictured-v0", env_kwargs={"alone": alone}, camera=camera)
    (before,) = record(task, "expert", [4])
    buffer = EpisodeBuffer(
        observations=before.frames if alone else {"camera": before.frames},
        actions=before.actions,
        rewards=before.rewards,
        terminations=[False] * (len(before) - 1),
        truncations=[False] * (len(before) - 1),
    )
    env = task.make_env()
    with pytest.warns(UserWarning, match="is set to None"):
        minari.create_dataset_from_buffers("seen-v0", [buffer], env=env, jpeg_encoding=False)
    (after,) = import_minari("seen-v0", task)
    assert np.array_equal(after.frames, before.frames)
    assert (after.seed, after.success, after.terminated) == (None, True, False)
    if not alone:
        with pytest.raises(BadTrajectory, match="has no observation 'wrist'; it has: camera"):
            import_minari("seen-v0", corridor(env_id="CarTest/Pictured-v0", camera="observation:wrist"))
        with pytest.raises(BadTrajectory, match="observations that are not pictures: dict"):
            import_minari("seen-v0", corridor(env_id="CarTest/Pictured-v0", camera="observation"))


@pytest.mark.usefixtures("datasets")
def test_a_dataset_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(BadTrajectory, match=r"There is no Minari dataset 'other-v0' on this machine. There are: none"):
        import_minari("other-v0", corridor())
    export_minari(recorded(), corridor(), "test/corridor-v0")
    with pytest.raises(BadTrajectory, match="There are: test/corridor-v0"):
        import_minari("other-v0", corridor())


def test_a_damaged_dataset_is_refused(datasets: Path) -> None:
    folder = export_minari(recorded(), corridor(), "corridor-v0")
    data = folder / "data" / "main_data.hdf5"
    data.write_bytes(data.read_bytes()[:5000])
    with pytest.raises(BadTrajectory, match="dataset 'corridor-v0' is damaged"):
        import_minari("corridor-v0", corridor())
    (folder / "data" / "metadata.json").write_text("{")
    with pytest.raises(BadTrajectory, match="dataset 'corridor-v0' cannot be read"):
        import_minari("corridor-v0", corridor())


@pytest.mark.usefixtures("datasets")
def test_minari_needs_actions_and_rewards() -> None:
    video = Trajectory.of([shade(1), shade(2)], "expert")
    with pytest.raises(BadTrajectory, match="has no actions and rewards; Minari needs both"):
        export_minari([video], corridor(), "corridor-v0")
    with pytest.raises(BadTrajectory, match="no trajectories of the task 'corridor' to export"):
        export_minari([], corridor(), "corridor-v0")


def test_an_export_never_overwrites_and_leaves_no_halves(datasets: Path) -> None:
    with pytest.raises(BadTrajectory, match="must be called name-v0 or namespace/name-v0"):
        export_minari(recorded(), corridor(), "corridor")
    one, other = recorded()[0], Trajectory.of([shade(1), shade(2)], "expert", actions=np.zeros(1), rewards=np.zeros(1))
    with pytest.raises(BadTrajectory, match="frames of several sizes"):
        export_minari([one, other], corridor(), "corridor-v0")
    export_minari([one], corridor(), "corridor-v0")
    with pytest.raises(BadTrajectory, match=r"There is a Minari dataset 'corridor-v0' at .* already"):
        export_minari([one], corridor(), "corridor-v0")
    with pytest.raises(TypeError, match="HDF5"):
        export_minari([reseeded(one, 2**80)], corridor(), "corridor-v1")
    assert sorted(each.name for each in datasets.iterdir() if each.is_dir()) == ["corridor-v0"]


def reseeded(trajectory: Trajectory, seed: int) -> Trajectory:
    known = {"actions": trajectory.actions, "rewards": trajectory.rewards, "seed": seed}
    return Trajectory.of(trajectory.frames, "expert", **known)


def test_without_minari_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(MissingExtra, match=r'pip install "code-as-reward\[minari\]"'):
        import_minari("corridor-v0", corridor())
    with pytest.raises(MissingExtra, match=r'pip install "code-as-reward\[minari\]"'):
        export_minari(recorded(), corridor(), "corridor-v0")


# Whatever it is


def test_the_path_tells_what_is_imported(tmp_path: Path, datasets: Path) -> None:
    folder = export_minari(recorded(), corridor(), "test/corridor-v0")
    pictures = draw(tmp_path / "pictures", a=1, b=2)
    video = filmed(tmp_path / "a.avi", [1, 2, 3])
    for dataset in ("test/corridor-v0", folder, folder / "data"):
        assert len(import_from(dataset, corridor())) == 3
    assert [seen(each) for each in import_from(pictures, corridor())] == [[1, 2]]
    assert [each.size for each in import_from(pictures, corridor(), size=(8, 8))] == [(8, 8)]
    (trajectory,) = import_from(str(video), corridor(), "random", every=2)
    assert (seen(trajectory), trajectory.who) == ([1, 3], "random")
    with pytest.raises(BadTrajectory, match="There is nothing at nowhere: give a folder of pictures, a video, or"):
        import_from("nowhere", corridor())
    with pytest.raises(BadTrajectory, match="There is no Minari dataset 'nowhere-v0'"):
        import_from("nowhere-v0", corridor())
