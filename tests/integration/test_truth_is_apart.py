"""The ground truth is for an evaluation alone: no other command loads it, and nothing else mentions it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.planted_session import MENDED, write_recording

_TOP = Path(__file__).parents[2]
_TASK = "doorkey-5x5"
_TRUTH = re.compile(r"\bcar\.truth\b|\bfrom car import .*\btruth\b|\btruth_for\b|\bTRUTH\b")
_EVALUATION = re.compile(r"\bcar\.evaluate\b|\bfrom car import .*\bevaluate\b")
_SCRIPT = """
import sys
from car.cli import main
sys.argv = ["car", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    loaded = [name for name in sys.modules if name.startswith(("car.truth", "car.evaluate", "car.bench", "car.clip"))]
    print("\\n", end.code, *sorted(loaded))
"""
_DATA = ("--trajectories", "trajectories", "--rewards", "rewards")
_COMMANDS = {
    "--help": ("--help",),
    "tasks": ("tasks",),
    "record": ("record", _TASK, "--expert", "6", "--random", "30", "--max-steps", "60", *_DATA[:2]),
    "generate": ("generate", _TASK, "--vlm", "replay/session.json", *_DATA),
    "verify": ("verify", _TASK, *_DATA),
    "bundles": ("bundles", *_DATA[2:]),
    "review": ("review", _TASK, *_DATA),
    "evaluate --help": ("evaluate", "--help"),
    "evaluate": ("evaluate", _TASK, "--pairs", "1", "--episodes", "1", *_DATA[2:]),
}


def _run(folder: Path, *arguments: str) -> tuple[str, list[str]]:
    """The exit code of a command, and what it has loaded of the truth and of the evaluation."""
    ran = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=120
    )
    code, *loaded = ran.stdout.splitlines()[-1].split()
    return code, loaded


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, list[str]]]:
    """What each command loads; they build on each other's files, so they run one after another."""
    folder = tmp_path_factory.mktemp("work")
    write_recording(folder / "session.json", MENDED)
    return {name: _run(folder, *arguments) for name, arguments in _COMMANDS.items()}


@pytest.mark.parametrize("command", [name for name in _COMMANDS if name != "evaluate"])
def test_no_other_command_loads_the_truth(command: str, loaded: dict[str, tuple[str, list[str]]]) -> None:
    code, modules = loaded[command]
    # The verdict on so few episodes is not the point.
    assert code in (("0", "1") if command in ("generate", "verify") else ("0",))
    assert modules == []


def test_an_evaluation_loads_it(loaded: dict[str, tuple[str, list[str]]]) -> None:
    """Else the tests above would see nothing."""
    code, modules = loaded["evaluate"]
    assert code == "0"
    assert {"car.truth", "car.evaluate"} <= set(modules)


def _that_mention(pattern: re.Pattern[str]) -> set[str]:
    files = [path for path in (_TOP / "car").rglob("*") if path.suffix in (".py", ".j2", ".json", ".toml")]
    texts = {str(path.relative_to(_TOP)): path.read_text("utf-8") for path in files}
    return {name for name, text in texts.items() if pattern.search(text) and not name.startswith("car/truth/")}


def test_evaluations_mention_the_truth_and_one_command_the_evaluation() -> None:
    benchmark = {"car/bench/oracle.py", "car/bench/plan.py"}
    # Frames are labelled with it, for CLIPs that learn from captions and for figures.
    labels = {"car/clip/labelled.py", "car/clip/worlds.py"}
    assert _that_mention(_TRUTH) == {"car/evaluate/__init__.py", *benchmark, *labels}
    others = {name for name in _that_mention(_EVALUATION) if not name.startswith("car/evaluate/")}
    assert others == {"car/cli/evaluate.py"}


def test_no_prompt_speaks_of_the_truth() -> None:
    prompts = [path for path in (_TOP / "prompts").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert prompts
    for path in prompts:
        assert "truth" not in path.read_text("utf-8").lower()
