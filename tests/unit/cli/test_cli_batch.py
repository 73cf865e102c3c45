"""`car generate` for several tasks."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from car.batch import Outcome, Standing
from car.bundle import load_bundle
from car.cli.batch import Tasks, outcome_table
from car.vlm.price import FREE, Price
from tests.unit.cli.planted_session import MENDED, car, write_recording


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CAR_CONFIG", "CAR_VLM", "CAR_BASE_URL", "CAR_MAX_COST", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def printed(*shown: object) -> str:
    screen = Console(file=io.StringIO(), width=100, highlight=False)
    for each in shown:
        screen.print(each)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_all_that_is_recorded(tmp_path: Path, doorkey_folder: Path) -> None:
    write_recording(tmp_path / "doorkey-6x6.json", MENDED)
    command = ["generate", "--all", "--vlm", "replay/{task}.json", "--trajectories", doorkey_folder, "--json"]
    ran = car(*command, "--rewards", "rewards")
    assert ran.exit_code == 0, ran.output
    document = json.loads(ran.stdout)
    assert list(document["tasks"]) == ["doorkey-6x6"]
    assert "unlock" in document["not_recorded"]
    told = document["tasks"]["doorkey-6x6"]
    assert (told["decision"], told["calls"], told["bundle"]) == ("accepted", len(MENDED), "rewards/doorkey-6x6")
    bundle = load_bundle(Path("rewards/doorkey-6x6"))
    assert bundle.verdict.accepted
    assert told["verdict"]["format"] == bundle.verdict.as_dict()["format"]
    # Nothing is left of the place in which it was made.
    assert list(Path("rewards/.journal/.made/doorkey-6x6").iterdir()) == []
    assert "Not recorded, and left out: " in ran.stderr
    assert "doorkey-6x6 (1 of 1): accepted, 6 calls" in ran.stderr


def test_one_that_fails_does_not_stop_the_others() -> None:
    ran = car("generate", "unlock", "taxi", "--vlm", "replay/{task}", "--jobs", 2, "--rewards", "rewards")
    assert ran.exit_code == 1, ran.output
    for task in ("unlock", "taxi"):
        assert f"run `car record {task}`" in ran.stdout
    assert "0 of 2 accepted" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name a task, or several, or give --all"),
        (["unlock", "--all"], "not both"),
        (["--all"], "No task is recorded in trajectories"),
        (["unlock", "unlock"], "the same name"),
        (["unlock", "taxi", "--record", "file.json"], "--record goes with one task"),
        (["--all", "--from-audit"], "--from-audit goes with one task"),
        (["unlock", "--on", "ray", "--programs"], "--programs goes with one task"),
        (["unlock", "--on", "mars"], "There is no place to work 'mars'"),
        (["unlock", "nowhere"], "There is no task 'nowhere'"),
    ],
)
def test_what_does_not_go_together(arguments: list[str], said: str) -> None:
    ran = car("generate", *arguments, "--vlm", "replay/{task}")
    assert ran.exit_code == 2
    assert said in ran.stderr
    assert not Path("generated_rewards").exists()


def test_a_person_answers_about_one_task() -> None:
    ran = car("generate", "unlock", "taxi", "--vlm", "manual")
    assert ran.exit_code == 2
    assert "one task at a time" in ran.stderr


def test_a_dry_run_tells_of_each_and_of_all(doorkey_folder: Path) -> None:
    command = ["generate", "doorkey-6x6", "unlock", "--vlm", "openai/some-model", "--price", "3/15", "--dry-run"]
    ran = car(*command, "--trajectories", doorkey_folder)
    assert ran.exit_code == 0, ran.output
    assert "run `car record unlock`" in ran.stderr
    rows = [line for line in ran.stdout.splitlines() if line.startswith(("doorkey-6x6", "all"))]
    assert [row.split()[1:3] for row in rows] == [["8", "calls,"]] * 2
    assert "Limits hold for each task." in ran.stdout


def test_a_table_has_sums_and_no_empty_columns() -> None:
    outcomes = [
        Outcome("unlock", "accepted", None, 5, (1000, 200), 0.5),
        Outcome("taxi", "failed", None, 2, (10, 2), 0.25, error="It broke.", exit_code=3),
    ]
    lines = printed(outcome_table(outcomes, Price(3, 15))).splitlines()
    assert [line.split() for line in lines] == [
        ["task", "verdict", "calls", "tokens", "in", "+", "out", "cost"],
        ["unlock", "accepted", "5", "1,000", "+", "200", "0.5000"],
        ["taxi", "failed", "2", "10", "+", "2", "0.2500"],
        ["all", "1", "of", "2", "accepted", "7", "1,010", "+", "202", "0.7500"],
    ]
    assert printed(outcome_table([Outcome("unlock", "accepted", None, 5)], FREE)).split() == [
        *["task", "verdict", "calls"],
        *["unlock", "accepted", "5"],
    ]


def test_the_board_shows_what_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    board = Tasks(["unlock", "taxi"], Price(3, 15))
    assert "starting" in printed(board)
    board.take("unlock", Standing("the-door: asked", 3, (1000, 200), 0.5))
    board.take("taxi", Standing("goal: asked", 1))
    board.end(Outcome("taxi", "rejected", None, 4))
    (line,) = printed(board).splitlines()[1:]
    assert line.split()[:3] == ["unlock", "the-door:", "asked"]
    assert "3 calls, 1,000 + 200 tokens, 0.5000" in line
