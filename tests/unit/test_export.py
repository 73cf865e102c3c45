"""A bundle as one file: it pays what the wrapper pays, says what it is, and keeps the programs as they are."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from car.bundle import Approval, Bundle, list_bundles, load_bundle
from car.checker import Checker, SubTask
from car.errors import BadBundle, UserError
from car.export import CAMERAS, export, exported
from car.export.scope import function_of
from car.tasks import all_tasks
from car.wrapper import DenseReward
from tests.unit.cli.planted_session import car
from tests.unit.exported_player import played

TOP = Path(__file__).parents[2]
REWARDS = TOP / "generated_rewards"
ALLOWED = {"cv2", "gymnasium", "numpy"}

Episodes = list[tuple[int, list[Any]]]


def shipped(task: str = "doorkey-8x8") -> Bundle:
    return load_bundle(REWARDS / task)


def of_programs(*sources: str, **changed: Any) -> Bundle:
    """The bundle of DoorKey-8x8, but with these programs, one after another."""
    names = [f"step-{number}" for number in range(1, len(sources) + 1)]
    checkers = tuple(
        Checker(SubTask(name, "Done.", tuple(names[number - 1 : number] if number else ()), name == names[-1]), source)
        for number, (name, source) in enumerate(zip(names, sources, strict=True))
    )
    known = [vars(each.subtask) | {"after": list(each.subtask.after)} for each in checkers]
    bundle = shipped()
    return replace(bundle, checkers=checkers, manifest={**bundle.manifest, "subtasks": known}, **changed)


def loaded(bundle: Bundle, folder: Path) -> ModuleType:
    """The exported file as a module of this process; for planted programs only."""
    path = folder / "reward.py"
    path.write_text(exported(bundle), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("exported_reward", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    del sys.modules[spec.name]
    return module


class Screen(gym.Env[np.ndarray, int]):
    """Shows the numbers it was given, one after another, as the brightness of a picture of 64 x 64 pixels."""

    observation_space = gym.spaces.Box(0, 255, (1,), np.uint8)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, shown: list[int]) -> None:
        self.shown, self.at = shown, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, Any]:
        super().reset(seed=seed)
        self.at = 0
        return self.observation(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.at += 1
        return self.observation(), 0.0, self.at == len(self.shown) - 1, False, {}

    def observation(self) -> np.ndarray:
        return np.array([self.shown[self.at]], np.uint8)


def frame_of(env: Any, observation: Any) -> np.ndarray:
    return np.full((64, 64, 3), observation[0], np.uint8)


def paid(module: ModuleType, shown: list[int], **settings: Any) -> tuple[list[float], Any]:
    env = module.DenseReward(Screen(shown), camera=frame_of, **settings)
    env.reset()
    return [float(env.step(0)[1]) for _ in shown[1:]], env


def brighter_than(level: int) -> str:
    return f"LEVEL = {level}\n\ndef check(found, current):\n    return bool(current[0, 0, 0] > LEVEL)\n"


def wandering(space: Any, chance: np.random.Generator) -> list[Any]:
    if isinstance(space, gym.spaces.Discrete):
        return list(chance.integers(0, space.n, 40).tolist())
    return list(chance.uniform(-1.0, 1.0, (40, *space.shape)).tolist())


def episodes_of(task_name: str, experts: int, wanderers: int) -> Episodes:
    """An expert's episodes, and episodes that follow an expert for half of its way and then act at random."""
    task = all_tasks()[task_name]
    env, chance, episodes = task.make_env(), np.random.default_rng(0), []
    for seed in range(experts + wanderers):
        observation, _ = env.reset(seed=seed)
        act, actions, over = task.make_expert(env), list[Any](), False
        while not over:
            action = act(observation)
            actions.append(np.asarray(action).tolist())
            observation, _, terminated, truncated, _ = env.step(action)
            over = terminated or truncated
        if seed >= experts:
            actions = actions[: len(actions) // 2] + wandering(env.action_space, chance)
        episodes.append((seed, actions))
    env.close()
    return episodes


SETTINGS: list[dict[str, Any]] = [
    {},
    {"shaping": "potential", "gamma": 0.9, "scale": 3.0},
    {"shaping": "potential", "env_reward": "replace", "monotone_progress": True},
    {"shaping": "potential", "every": 3},
    {"env_reward": "replace", "every": 2},
]
OBSERVED: list[dict[str, Any]] = [{"observe_milestones": True}]


@pytest.mark.parametrize(
    ("task", "settings", "episodes"),
    [
        pytest.param("doorkey-8x8", SETTINGS + OBSERVED, 4, id="doorkey-8x8"),
        pytest.param("taxi", SETTINGS[:2], 2, id="taxi"),
        pytest.param("mountaincar-continuous", SETTINGS[1:2], 1, id="mountaincar-continuous"),
        pytest.param("doorkey-8x8", SETTINGS + OBSERVED, 50, id="doorkey-8x8-many", marks=pytest.mark.slow),
        pytest.param("taxi", SETTINGS, 25, id="taxi-many", marks=pytest.mark.slow),
    ],
)
def test_where_car_cannot_be_imported_the_file_pays_what_the_wrapper_pays(
    task: str, settings: list[dict[str, Any]], episodes: int, tmp_path: Path
) -> None:
    bundle, plays = shipped(task), episodes_of(task, experts=episodes, wanderers=episodes)
    export(bundle, tmp_path / "reward.py")
    given = {
        "env_id": bundle.task.env_id,
        "env_kwargs": dict(bundle.task.env_kwargs),
        "packages": ["minigrid"] if task == "doorkey-8x8" else [],
        "episodes": plays,
        "settings": settings,
    }
    ran = subprocess.run(
        [sys.executable, "-P", str(TOP / "tests/unit/exported_player.py")],
        input=json.dumps(given),
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["ours"] == []
    for each, lines in zip(settings, said["said"], strict=True):
        env = DenseReward(bundle.task.make_env(), bundle.path, **each)
        expected = json.loads(json.dumps(played(env, plays)))
        env.close()
        assert lines == expected, each
        assert max(line[3] for line in lines) == len(bundle.checkers)


def test_the_file_imports_the_standard_library_numpy_cv2_and_gymnasium_only_and_holds_no_exec() -> None:
    for path in list_bundles(REWARDS):
        tree = ast.parse(exported(load_bundle(path)))
        nodes = list(ast.walk(tree))
        modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)}
        assert {each.partition(".")[0] for each in modules} - set(sys.stdlib_module_names) <= ALLOWED
        called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        assert not called & {"exec", "eval", "compile", "__import__"}


def test_each_name_at_the_top_of_the_file_is_defined_once() -> None:
    for camera in CAMERAS:
        bundle = shipped()
        tree = ast.parse(exported(replace(bundle, task=replace(bundle.task, camera=camera))))
        names = [each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)]
        names += [
            part.id
            for each in tree.body
            if isinstance(each, ast.Assign)
            for target in each.targets
            for part in ast.walk(target)
            if isinstance(part, ast.Name)
        ]
        assert len(names) == len(set(names))
        assert {"PROGRAMS", "CAMERA", "DenseReward", "Milestones", "Shaping"} <= set(names)


def test_every_built_in_task_has_a_camera_in_the_file() -> None:
    assert {task.camera for task in all_tasks().values()} <= set(CAMERAS)


@pytest.mark.parametrize("path", list_bundles(REWARDS), ids=lambda path: path.name)
def test_programs_are_as_in_the_bundle_but_for_indentation(path: Path) -> None:
    for number, checker in enumerate(load_bundle(path).checkers, 1):
        lines = function_of(number, checker).text.splitlines()
        begin = next(index for index, line in enumerate(lines) if line.startswith("def "))
        body = "\n".join(line.removeprefix("    ") for line in lines[begin + 1 : -2])
        assert body == checker.source.rstrip("\n")


def test_the_head_of_the_file_says_what_it_is() -> None:
    bundle = shipped()
    text = " ".join(line.removeprefix("# ") for line in exported(bundle, "mine").split("\n\n\n")[0].splitlines())
    assert "NOT ISOLATED: the programs in this file run in your own process" in text
    assert "Verdict: accepted. 20 of 20 expert episodes" in text
    assert bundle.manifest_sha256 in text
    assert "Review: approved by a person" in text
    assert "code-as-reward 0" in text
    assert "from mine import DenseReward" in text
    assert "NOBODY HAS APPROVED IT" in exported(replace(bundle, approval=None))
    rejected = Approval("rejected", "The key\nmay be hidden.", bundle.manifest_sha256)
    assert "# Review: rejected by a person, for just this content. Why: The key may be hidden." in exported(
        replace(bundle, approval=rejected)
    )


def test_whatever_the_model_wrote_in_its_sentences_stays_a_comment() -> None:
    goal = 'Reach it."""\nimport os\r\x0cimport os\u2028import os\x00 \u202e """'
    bundle = of_programs(brighter_than(1), goal=goal)
    spoiled = replace(bundle.checkers[0].subtask, description="Done.\nraise SystemExit")
    bundle = replace(bundle, checkers=(replace(bundle.checkers[0], subtask=spoiled),))
    bundle.manifest["subtasks"][0]["description"] = spoiled.description
    plain = ast.parse(exported(of_programs(brighter_than(1))))
    assert ast.dump(ast.parse(exported(bundle))) == ast.dump(plain)
    assert all(each.isprintable() or each == "\n" for each in exported(bundle))


def test_milestones_are_credited_once_and_in_order(tmp_path: Path) -> None:
    module = loaded(of_programs(brighter_than(100), brighter_than(200)), tmp_path)
    rewards, env = paid(module, [0, 50, 150, 50, 150, 250, 250])
    assert rewards == [0.0, 0.5, 0.0, 0.0, 0.5, 0.0]
    assert env.failures == {}


def test_programs_may_use_equal_names_for_different_things(tmp_path: Path) -> None:
    module = loaded(of_programs(brighter_than(100), brighter_than(200)), tmp_path)
    found = [each.check(None, frame_of(None, [150])) for each in module.PROGRAMS]
    assert found == [True, False]


def test_what_identify_finds_and_progress_says_is_used(tmp_path: Path) -> None:
    source = (
        "def identify(initial):\n    return int(initial[0, 0, 0])\n\n"
        "def check(found, current):\n    return bool(current[0, 0, 0] >= found + 100)\n\n"
        "def progress(found, current):\n    return (int(current[0, 0, 0]) - found) / 100\n"
    )
    module = loaded(of_programs(source), tmp_path)
    rewards, _ = paid(module, [10, 60, 10, 110, 110], shaping="potential", gamma=1.0)
    # The last step ends the episode, so the potential falls from 1 to 0.
    assert rewards == pytest.approx([0.5, -0.5, 1.0, -1.0])


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("def check(found, current):\n    return 1 / 0\n", "ZeroDivisionError"),
        ("def check(found, current):\n    return 1\n", "NotAnAnswerError"),
        ("def check(found, current):\n    current[0] = 0\n    return True\n", "ValueError"),
        ("def identify(initial):\n    return [][0]\n\ndef check(found, current):\n    return True\n", "IndexError"),
        (
            "def check(found, current):\n    return False\n\ndef progress(found, current):\n    return 2.0\n",
            "NotAnAnswerError",
        ),
    ],
)
def test_a_program_that_fails_pays_nothing_and_is_counted(source: str, error: str, tmp_path: Path) -> None:
    rewards, env = paid(loaded(of_programs(source), tmp_path), [0, 50, 50, 150])
    assert rewards == [0.0, 0.0, 0.0]
    # The frame that has not changed is not asked about again.
    assert dict(env.failures) == {("step-1", error): 3}


def evaluated(source: str, **given: Any) -> Any:
    """What the program says of a black frame, from the function that the file would have."""
    made = function_of(1, Checker(SubTask("step", "Done."), source))
    names: dict[str, Any] = {"Program": lambda name, after, **parts: parts["check"], **given}
    exec(compile(made.text, "exported", "exec"), names)
    return names[made.name]()(None, None)


def in_a_module(source: str) -> Any:
    names: dict[str, Any] = {"__name__": "checker"}
    exec(compile(source, "checker", "exec", dont_inherit=True), names)
    return names["check"](None, None)


SAME: dict[str, str] = {
    "a text of several lines": 'T = """a\n  b\n    c\\\nd"""\n\ndef check(found, current):\n    return T\n',
    "an f-string of several lines": 'N = 3\nT = f"""a\n {N}\n  b"""\n\ndef check(found, current):\n    return T\n',
    "a line that goes on": "T = 1 + \\\n2\n\ndef check(found, current):\n    return T\n",
    "a built-in name read before it is set": "max = max(2, 3)\n\ndef check(found, current):\n    return max\n",
    "a built-in name set in a loop": (
        "A = [abs(-1)]\nfor abs in range(3):\n    A.append(abs)\n\ndef check(found, current):\n    return A\n"
    ),
    "the block of a program that is run": (
        "A = []\n\ndef check(found, current):\n    return [*A, __name__]\n\n"
        'if __name__ == "__main__":\n    A.append(1)\n'
    ),
    "functions that call each other": (
        "def even(n):\n    return n == 0 or odd(n - 1)\n\ndef odd(n):\n    return n != 0 and even(n - 1)\n\n"
        "def check(found, current):\n    return even(10)\n"
    ),
    "a class": (
        "from dataclasses import dataclass\nSIDE = 4\n\n@dataclass\nclass Box:\n    side: int = SIDE\n\n"
        "def check(found, current):\n    return Box().side\n"
    ),
    "tabs": "def check(found, current):\n\tif True:\n\t\treturn 7\n",
    "a docstring": '"""What\n  it is."""\n\ndef check(found, current):\n    """Says."""\n    return check.__doc__\n',
    "comments at the edge": "# first\ndef check(found, current):\n# in between\n    return 1\n# last",
}


@pytest.mark.parametrize("source", SAME.values(), ids=list(SAME))
def test_a_program_means_the_same_in_a_function(source: str) -> None:
    assert evaluated(source, __name__="__main__") == in_a_module(source)


def test_an_import_from_the_future_moves_to_the_top_of_the_file(tmp_path: Path) -> None:
    source = "from __future__ import annotations\n\ndef check(found: Absent, current):\n    return True\n"
    text = exported(of_programs(source, source))
    assert text.count("\nfrom __future__ import annotations\n") == 1
    assert text.count("    # from __future__ import annotations  (at the top of this file)\n") == 2
    module = loaded(of_programs(source), tmp_path)
    assert paid(module, [0, 0])[0] == [0.0]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "S = 1\n\nclass Box:\n    S = S + 1\n\ndef check(found, current):\n    return Box.S\n",
            "has a 'S' of its own",
        ),
        (
            "from __future__ import annotations; import math\n\ndef check(found, current):\n    return True\n",
            "cannot be indented without changing it",
        ),
    ],
)
def test_a_program_that_would_mean_something_else_is_refused(source: str, said: str) -> None:
    with pytest.raises(BadBundle, match=said):
        exported(of_programs(source))


@pytest.mark.parametrize(
    "part",
    [
        "identify = find",
        "if True:\n    def identify(initial):\n        return 1",
        "progress = lambda found, current: 0.5",
        "def identify(initial):\n    return 1\ndel identify",
        "def identify(initial):\n    return 1\ndef identify(initial):\n    return 2",
        "for progress in (max, min):\n    pass",
    ],
)
def test_a_part_that_comes_about_in_another_way_is_refused(part: str) -> None:
    source = f"def find(initial):\n    return 3\n\n{part}\n\ndef check(found, current):\n    return True\n"
    with pytest.raises(BadBundle, match="must come from one `def` alone"):
        exported(of_programs(source))


def test_a_future_import_does_not_change_the_classes_of_another_program() -> None:
    future = "from __future__ import annotations\n\ndef check(found, current):\n    return True\n"
    with_class = (
        "from dataclasses import dataclass\nfrom typing import ClassVar\n\n@dataclass\nclass Box:\n"
        "    SIDE: ClassVar[int] = 8\n\ndef check(found, current):\n    return Box().SIDE == 8\n"
    )
    with pytest.raises(BadBundle, match="has a class, whose annotations"):
        exported(of_programs(future, with_class))
    assert "ClassVar" in exported(of_programs(with_class))


def test_what_only_the_compiler_refuses_is_refused() -> None:
    source = 'def check(found, current):\n    return True\n\nif __name__ == "__main__":\n    from math import *\n'
    with pytest.raises(BadBundle, match="cannot stand in functions: import \\* only allowed at module level"):
        exported(of_programs(source))


@pytest.mark.parametrize("name", ["a=1))\rimport os #", "class", "a b"])
def test_an_argument_that_is_no_name_writes_no_code(name: str) -> None:
    bundle = of_programs(brighter_than(1))
    bundle = replace(bundle, task=replace(bundle.task, env_kwargs={name: 1}))
    with pytest.raises(BadBundle, match="is no name in Python"):
        exported(bundle)


def test_a_file_that_could_not_be_imported_or_would_hide_another_is_not_written(tmp_path: Path) -> None:
    bundle = of_programs(brighter_than(1))
    (tmp_path / "folder.py").mkdir()
    for name, said in (
        ("class.py", "cannot be imported"),
        ("numpy.py", "in place of a module that it needs"),
        ("queue.py", "in place of a module that it needs"),
        ("folder.py", "is a folder; name a file in it"),
    ):
        with pytest.raises(UserError, match=said):
            export(bundle, tmp_path / name, allow_unreviewed=True)
    assert [each.name for each in tmp_path.iterdir()] == ["folder.py"]


def test_a_bundle_without_one_of_its_programs_is_refused() -> None:
    bundle = shipped()
    with pytest.raises(BadBundle, match="no program for agent-on-goal-square"):
        exported(replace(bundle, checkers=bundle.checkers[:-1]))


def test_nothing_is_written_over_or_unreviewed_unless_it_is_asked_for(tmp_path: Path) -> None:
    target, bundle = tmp_path / "reward.py", replace(shipped(), approval=None)
    with pytest.raises(BadBundle, match="Nobody has approved"):
        export(bundle, target)
    assert not target.exists()
    export(bundle, target, allow_unreviewed=True)
    target.write_text("mine")
    with pytest.raises(UserError, match="there already; --force"):
        export(shipped(), target)
    assert target.read_text() == "mine"
    export(shipped(), target, force=True)
    assert "class DenseReward" in target.read_text()
    with pytest.raises(UserError, match="cannot be imported"):
        export(shipped(), tmp_path / "my-reward.py")


def test_a_task_with_another_camera_gets_one_from_the_caller(tmp_path: Path) -> None:
    bundle = of_programs(brighter_than(100))
    module = loaded(replace(bundle, task=replace(bundle.task, camera="observation")), tmp_path)
    with pytest.raises(module.UserError, match="pass camera="):
        module.DenseReward(Screen([0, 200]))
    assert paid(module, [0, 200])[0] == [1.0]


def test_frames_of_another_size_and_steps_before_a_reset_are_refused(tmp_path: Path) -> None:
    module = loaded(of_programs(brighter_than(100)), tmp_path)
    env = module.DenseReward(Screen([0, 200]), camera=lambda env, observation: np.zeros((8, 9, 3), np.uint8))
    with pytest.raises(module.BadFrame, match="9 x 8 pixels, but the programs work on frames of 64 x 64"):
        env.reset()
    with pytest.raises(module.UserError, match="Call reset"):
        env.step(0)
    with pytest.raises(module.UnknownName, match="There is no shaping 'much'"):
        module.DenseReward(Screen([0]), shaping="much")


def test_the_wrapper_of_the_file_can_be_made_again_from_its_spec(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "reward_from_spec.py"
    path.write_text(exported(of_programs(brighter_than(100))))
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module(path.stem)
    env = module.DenseReward(all_tasks()["doorkey-8x8"].make_env(), scale=2.0)
    again = gym.make(env.spec)
    again.reset(seed=0)
    assert isinstance(again, module.DenseReward)
    _, reward, _, _, info = again.step(0)
    assert reward == 0.0
    assert type(info["car/env_reward"]) is float


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)
    return lambda *words: car("export", *words, "--rewards", REWARDS)


def test_the_command_writes_the_file_and_tells_machines(in_tmp: Callable[..., Any], tmp_path: Path) -> None:
    said = in_tmp("unlock", "reward.py")
    assert said.exit_code == 0, said.output
    assert "not isolated" in said.stderr
    assert "from reward import DenseReward" in said.stdout
    told = json.loads(in_tmp("unlock", "reward.py", "--force", "--json").stdout)
    assert (told["file"], told["decision"], told["approved"], told["isolated"]) == (
        "reward.py",
        "accepted",
        True,
        False,
    )
    assert told["manifest_sha256"] in (tmp_path / "reward.py").read_text()


def test_the_command_says_what_is_wrong(in_tmp: Callable[..., Any]) -> None:
    assert in_tmp("unlock", "reward.py").exit_code == 0
    again = in_tmp("unlock", "reward.py")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert in_tmp("unlock", "reward.txt").exit_code == 2
    absent = in_tmp("nothing", "other.py")
    assert absent.exit_code == 2
    assert "There is no reward bundle 'nothing'" in absent.stderr


def test_what_the_page_on_trainers_says_of_the_file_runs(tmp_path: Path) -> None:
    export(shipped(), tmp_path / "reward.py")
    (code,) = re.findall(r"^```python\n(.*?)^```", (TOP / "docs/trainers.md").read_text("utf-8"), re.M | re.S)
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "'key-picked-up': False" in ran.stdout


def test_help_has_an_example() -> None:
    said = car("export", "--help").stdout
    assert "car export doorkey-8x8 reward.py" in said
    assert "--json" in said
