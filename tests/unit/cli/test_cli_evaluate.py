"""`car evaluate`: its table, its document, its errors."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from car.bundle import Provenance, save_bundle
from car.cli.evaluate import evaluation_table
from car.evaluate import Evaluation, evaluate
from car.evaluate.figures import Share
from car.tasks import find_task
from car.verify import Split
from tests.planted import doorkey as planted
from tests.planted.bundle import planted_bundle
from tests.unit.cli.planted_session import car
from tests.unit.refine.scripted import InThisProcess, told

_TOP = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, doorkey: Split) -> Path:
    """The folder of a bundle with right programs."""
    folder = tmp_path_factory.mktemp("rewards")
    return save_bundle(folder, find_task("doorkey-6x6"), told(doorkey, {}).draft, Provenance("planted", ()))


@pytest.fixture(scope="module")
def right() -> Evaluation:
    return evaluate(planted_bundle(planted.chain()), InThisProcess(), pairs=1, episodes=1)


def _shown(found: Evaluation, width: int = 120) -> str:
    """The table as a terminal of this width shows it."""
    console = Console(width=width)
    with console.capture() as text:
        console.print(evaluation_table(found))
    return text.get()


class TestCommand:
    @pytest.mark.parametrize("width", [80, 120])
    def test_the_table_fits_and_says_everything(self, right: Evaluation, width: int) -> None:
        text = _shown(right, width)
        assert max(len(line) for line in text.splitlines()) <= width
        for word in ("pick-up-the-key", "against goal-reached", "median +0, worst +0", "never 0, false 0"):
            assert word in text

    def test_a_share_is_not_rounded_up_to_all(self, right: Evaluation) -> None:
        key = right.subtasks[0]
        assert key.frames is not None
        almost = replace(key.frames, precision=Share(99_999, 100_000), recall=Share(1, 100_000))
        found = replace(right, subtasks=(replace(key, frames=almost), *right.subtasks[1:]))
        row = next(line for line in _shown(found).splitlines() if line.startswith(key.name))
        assert row.split()[1:3] == ["0.999", "0.000"]

    def test_the_document_holds_the_figures(self, saved: Path) -> None:
        result = car("evaluate", saved, "--pairs", 50, "--episodes", 2, "--json")
        assert result.exit_code == 0, result.output
        found = json.loads(result.stdout)["evaluation"]
        assert found["format"] == "car-evaluation/1"
        assert [each["predicate"] for each in found["subtasks"]] == ["key-picked-up", "door-open", "goal-reached"]
        assert found["subtasks"][2]["first"]["exact"]["total"] > 0
        assert found["pairs"] >= 50

    def test_match_is_read(self, saved: Path) -> None:
        result = car("evaluate", saved, "--match", planted.KEY.name)
        assert (result.exit_code, "must be SUBTASK=PREDICATE" in result.stderr) == (2, True)
        result = car("evaluate", saved, "--match", f"{planted.KEY.name}=nothing")
        assert (result.exit_code, "no true predicate of doorkey-6x6 'nothing'" in result.stderr) == (2, True)

    def test_without_ground_truth_it_is_exit_code_2_and_one_sentence(self, saved: Path, tmp_path: Path) -> None:
        shutil.copytree(saved, tmp_path / "mine")
        manifest = json.loads((saved / "manifest.json").read_text("utf-8"))
        manifest["task"]["name"] = "mine"
        (tmp_path / "mine" / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        result = car("evaluate", tmp_path / "mine")
        assert result.exit_code == 2
        assert " ".join(result.stderr.split()).startswith("error: There is no ground truth for the task 'mine'.")

    @pytest.mark.slow
    @pytest.mark.parametrize("task", ["doorkey-8x8", "unlock", "unlockpickup", "taxi"])
    def test_the_figures_in_the_guide_are_those_that_the_command_measures(self, task: str) -> None:
        ran = subprocess.run(
            [sys.executable, "cli.py", "evaluate", task],
            cwd=_TOP,
            env={**os.environ, "COLUMNS": "80"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        shown = "\n".join(line.rstrip() for line in ran.stdout.splitlines()).partition("\n\nNext:")[0]
        assert shown in (_TOP / "docs" / "evaluation.md").read_text("utf-8")
