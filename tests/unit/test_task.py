import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import gymnasium as gym
import numpy as np
import pytest
from corridor_envs import corridor

from car.errors import BadFrame, BadTask
from car.record import load_set, record_to
from car.task import Task, load_task, resolve
from car.tasks import find_task

DOCS = Path(__file__).parents[2] / "docs"
GOOD = 'name = "corridor"\nenv = "CarTest/Corridor-v0"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, whose modules and environments are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    modules, environments = set(sys.modules), set(gym.registry)
    yield tmp_path
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    for name in set(gym.registry) - environments:
        del gym.registry[name]


def written(folder: Path, text: str) -> Path:
    path = folder / "task.toml"
    path.write_text(text, encoding="utf-8")
    return path


# Task files


def test_a_task_file_holds_a_task(folder: Path) -> None:
    text = GOOD + 'camera = "render"\nexpert = "corridor_envs:walker"\nsummary = "Walk."\n[env_kwargs]\nlimit = 9\n'
    task = load_task(written(folder, text))
    assert task == corridor(summary="Walk.", env_kwargs={"limit": 9})
    assert task.make_env().unwrapped.limit == 9  # type: ignore[attr-defined]


def test_the_keys_that_may_be_left_out_have_the_documented_values(folder: Path) -> None:
    task = load_task(written(folder, GOOD))
    assert (task.camera, task.expert, task.success, task.agent_view, task.summary) == (
        "render",
        None,
        "reward",
        None,
        "",
    )
    assert task.env_kwargs == {}


def test_the_documented_keys_are_those_there_are() -> None:
    text = (DOCS / "tasks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", text, re.MULTILINE)
    assert [python for _, python in rows] == list(Task.__dataclass_fields__)
    assert [toml for toml, python in rows if toml != python] == ["env"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('env = "Corridor-v0"\n', r"task\.toml lacks the key 'name'"),
        ('name = "corridor"\n', r"task\.toml lacks the key 'env'"),
        ("", r"task\.toml lacks the key 'name'"),
        (
            GOOD + "reward = 3\n",
            r"has the unknown key 'reward'\. The keys are: agent_view, baseline_prompt, camera, env, env_kw",
        ),
        ("name: corridor\n", r"task\.toml is not TOML: "),
        (GOOD + "camera = 3\n", "The task's camera is 3; it must be text"),
        (GOOD + "expert = true\n", "The task's expert is True; it must be text"),
        ('name = 3\nenv = "Corridor-v0"\n', "The task's name is 3; it must be text"),
        ('name = "My Task"\nenv = "Corridor-v0"\n', "The task name 'My Task' must be lower-case letters"),
        ('name = "../up"\nenv = "Corridor-v0"\n', r"The task name '\.\./up' must be lower-case letters"),
        ('name = "corridor"\nenv = ""\n', "The task 'corridor' names no environment"),
        (GOOD + 'success = "always"\n', "success = 'always' of task 'corridor' must be 'reward' or 'info:KEY'"),
    ],
)
def test_a_wrong_task_file_is_refused_in_one_sentence(folder: Path, text: str, complaint: str) -> None:
    with pytest.raises(BadTask, match=complaint) as caught:
        load_task(written(folder, text))
    assert "\n" not in str(caught.value)


def test_a_task_file_that_cannot_be_read_is_refused(folder: Path) -> None:
    with pytest.raises(BadTask, match=r"nowhere\.toml cannot be read: No such file"):
        load_task(folder / "nowhere.toml")
    (folder / "task.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadTask, match=r"task\.toml is not TOML"):
        load_task(folder / "task.toml")


def test_a_task_can_be_written_down_and_made_again() -> None:
    task = corridor(env_kwargs={"limit": 9})
    assert Task(**task.as_dict()) == task


# References


def test_a_reference_finds_modules_in_the_current_folder(folder: Path) -> None:
    (folder / "beside_me.py").write_text("class A:\n    b = 7\n")
    assert resolve("beside_me:A.b") == 7


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        ("json", "'json' is not of the form module:attribute"),
        (":dumps", "is not of the form module:attribute"),
        ("json:", "is not of the form module:attribute"),
        ("no_such_module:thing", "The module of 'no_such_module:thing' cannot be imported: No module named"),
        (".json:dumps", r"'\.json:dumps' is not of the form module:attribute"),
        ("json:nothing", "The module 'json' has no 'nothing'"),
        ("json:dumps.nothing", r"The module 'json' has no 'dumps\.nothing'"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_reference_to_nothing_is_refused(reference: str, complaint: str) -> None:
    with pytest.raises(BadTask, match=complaint):
        resolve(reference)


def test_a_module_that_fails_at_its_import_is_named(folder: Path) -> None:
    (folder / "failing_module.py").write_text("raise RuntimeError('no\\ndisplay')\n")
    with pytest.raises(
        BadTask, match=r"^The module of 'failing_module:a' cannot be imported: RuntimeError: no display\.$"
    ):
        resolve("failing_module:a")


# Environments, experts and views


def test_an_environment_that_raises_anything_is_named(folder: Path) -> None:
    (folder / "failing_env.py").write_text("def make(**kwargs):\n    assert False\n")
    sys.path.append(str(folder))
    gym.register("CarTest/Failing-v0", "failing_env:make")
    with pytest.raises(BadTask, match=r"'CarTest/Failing-v0' of task 'corridor' cannot be made: AssertionError\.$"):
        corridor(env_id="CarTest/Failing-v0").make_env()


MADE_WRONG = [
    ("3", r"is no function; it is 3\.$"),
    ("lambda: lambda *given: None", r"failed: .*positional argument"),
    ("lambda *given: 1 / 0", r"failed: ZeroDivisionError: division by zero\.$"),
    ("lambda *given: 7", r"must return a function; it returned 7\.$"),
]


@pytest.mark.parametrize("number", range(len(MADE_WRONG)))
@pytest.mark.parametrize("what", ["camera", "expert", "agent_view"])
def test_a_reference_that_cannot_serve_is_named(folder: Path, what: str, number: int) -> None:
    code, complaint = MADE_WRONG[number]
    if (what, number) in {("camera", 1), ("agent_view", 3)}:
        pytest.skip("this one is right")
    (folder / f"wrong_{what}_{number}.py").write_text(f"thing = {code}\n")
    task = corridor(**{what: f"wrong_{what}_{number}:thing"})
    env = corridor().make_env()
    made = {"camera": task.make_camera, "expert": lambda: task.make_expert(env), "agent_view": lambda: task.viewed(env)}
    with pytest.raises(BadTask, match=f"^{what} = 'wrong_{what}_{number}:thing' of task 'corridor' {complaint}"):
        made[what]()


# Further environments


@pytest.mark.parametrize(
    ("env_id", "kwargs"),
    [("NoSuchEnvironment-v0", {}), ("no_such_module:Env-v0", {}), ("CarTest/Corridor-v0", {"wrong": 1}), ("a b", {})],
)
def test_an_environment_that_cannot_be_made_is_named(env_id: str, kwargs: dict[str, Any]) -> None:
    with pytest.raises(BadTask, match=f"The environment '{env_id}' of task 'corridor' cannot be made"):
        corridor(env_id=env_id, env_kwargs=kwargs).make_env()


def test_only_the_render_camera_asks_for_pictures() -> None:
    assert corridor().make_env().render_mode == "rgb_array"
    assert corridor(camera="observation").make_env().render_mode is None


def test_a_minigrid_environment_is_found_by_its_id_alone() -> None:
    env = Task(name="empty", env_id="MiniGrid-Empty-5x5-v0").make_env()
    assert env.spec is not None
    assert env.spec.id == "MiniGrid-Empty-5x5-v0"
    env.close()


def test_a_task_without_expert_says_how_to_import_one() -> None:
    task = corridor(expert=None)
    with pytest.raises(BadTask, match=r"names no expert: .* `car record corridor --import PATH`"):
        task.make_expert(task.make_env())


def test_an_expert_gets_the_environment() -> None:
    task = corridor()
    env = task.make_env()
    observation, _ = env.reset(seed=0)
    assert task.make_expert(env)(observation) == 1


def test_the_agent_sees_the_environment_through_its_view() -> None:
    env = corridor().make_env()
    assert corridor().viewed(env) is env
    seen = corridor(agent_view="gymnasium.wrappers:FlattenObservation").viewed(env)
    assert isinstance(seen, gym.wrappers.FlattenObservation)


# Success


@pytest.mark.parametrize(
    ("reward", "terminated", "success"),
    [(1.0, True, True), (0.1, True, True), (0.0, True, False), (-1.0, True, False), (1.0, False, False)],
)
def test_success_by_reward_is_a_positive_end(reward: float, terminated: bool, success: bool) -> None:
    assert corridor().succeeded(reward, terminated, {"won": not success}) is success


@pytest.mark.parametrize(("info", "success"), [({"won": True}, True), ({"won": np.float32(0)}, False), ({}, False)])
def test_success_by_info_is_what_stands_there(info: dict[str, Any], success: bool) -> None:
    assert corridor(success="info:won").succeeded(0.0, False, info) is success


# Cameras


def shot(task: Task) -> np.ndarray:
    env = task.make_env()
    observation, _ = env.reset(seed=0)
    return task.make_camera()(env, observation)


def test_every_camera_takes_the_same_picture() -> None:
    rendered = shot(corridor())
    assert rendered.shape == (8, 48, 3)
    pictured: dict[str, Any] = {"env_id": "CarTest/Pictured-v0"}
    keyed = shot(corridor(**pictured, camera="observation:camera"))
    alone = shot(corridor(**pictured, env_kwargs={"alone": True}, camera="observation"))
    assert np.array_equal(keyed, rendered)
    assert np.array_equal(alone, rendered)


def test_a_camera_of_ones_own_is_found_by_reference(folder: Path) -> None:
    (folder / "my_camera.py").write_text(
        "def camera():\n    return lambda env, observation: env.render()[:, ::-1].copy()\n"
    )
    task = corridor(camera="my_camera:camera", env_kwargs={"render_mode": "rgb_array"})
    assert np.array_equal(shot(task), shot(corridor())[:, ::-1])


def test_a_camera_that_finds_no_picture_says_what_it_found() -> None:
    with pytest.raises(BadFrame, match="The observation has dtype int64"):
        shot(corridor(camera="observation"))
    with pytest.raises(BadTask, match="The observation has no entry 'wrist'; it has: camera"):
        shot(corridor(env_id="CarTest/Pictured-v0", camera="observation:wrist"))
    with pytest.raises(BadTask, match="The observation has no entry 'wrist'; it has: ndarray"):
        shot(corridor(camera="observation:wrist"))
    with pytest.raises(BadTask, match="The module 'json' has no 'camera'"):
        corridor(camera="json:camera").make_camera()


# The examples in the documentation


def documented(page: str, into: Path) -> list[str]:
    """Writes the page's files into a folder; returns its blocks that are to be run."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, content in re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", text, re.DOTALL):
        (into / name).write_text(content, encoding="utf-8")
    return re.findall(r"<!-- run -->\n```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("name", ["corridor.toml", "my_tasks:CORRIDOR"])
def test_the_documented_task_works(folder: Path, name: str) -> None:
    documented("tasks.md", folder)
    task = find_task(name)
    assert task.summary == "Walk right to the green square."
    record_to(folder / "trajectories", task, expert=2, random=3)
    experts, randoms = load_set(folder / "trajectories", "corridor")
    assert (len(experts), len(randoms)) == (2, 3)
    assert all(each.success and each.size == (128, 16) for each in experts)


def test_the_documented_use_of_trajectories_works(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(folder / "minari"))
    documented("tasks.md", folder)
    record_to(folder / "trajectories", find_task("corridor.toml"), expert=2, random=3)
    (folder / "demonstrations").mkdir()
    cv2.imwrite("demonstrations/1.png", np.zeros((32, 256, 3), np.uint8))
    blocks = documented("trajectories.md", folder)
    assert len(blocks) == 3
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    assert ", 16, 128, 3) [1 1" in capsys.readouterr().out
    experts, _ = load_set(folder / "trajectories", "corridor")
    assert [each.seed for each in experts] == [0, 1, None]
    assert names["folder"] == folder / "minari" / "me" / "corridor-random-v0"
    assert names["folder"].is_dir()
