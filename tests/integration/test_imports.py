"""What a start of the command line loads: the heavy packages only where they are used."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "stable_baselines3", "openai", "anthropic", "transformers", "minari", "matplotlib", "tensorboard"}
FOR_FRAMES = {"numpy", "cv2", "gymnasium", "minigrid", "jinja2"}

SCRIPT = """
import sys
from car.cli import main
sys.argv = ["car", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    print("\\n", end.code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded(*arguments: str) -> tuple[str, set[str]]:
    """The exit code of a command, and the packages that it has loaded."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    code, *packages = run.stdout.splitlines()[-1].split()
    return code, set(packages)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"], ["generate", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code, packages = loaded(*arguments)
    assert code == "0"
    assert "typer" in packages
    assert packages & (HEAVY | FOR_FRAMES) == set()


def test_listing_tasks_loads_no_learning_and_no_provider() -> None:
    code, packages = loaded("tasks")
    assert code == "0"
    assert packages & (HEAVY | {"minigrid"}) == set()


def test_a_wrong_option_is_found_before_anything_heavy_is_loaded() -> None:
    code, packages = loaded("train", "doorkey-5x5", "--colour")
    assert code == "2"
    assert packages & (HEAVY | FOR_FRAMES) == set()
