import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from car import __version__
from car.bundle import find_bundle
from car.cli.app import app, flowed
from tests.unit.cli.planted_session import MENDED, alone, car, fenced, write_recording

TASK = "doorkey-5x5"
COMMANDS = (
    "demo",
    "tasks",
    "record",
    "generate",
    "verify",
    "evaluate",
    "bundles",
    "review",
    "audit",
    "train",
    "film",
    "repeat",
    "export",
    "bench",
    "doctor",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with trajectories, and a bundle that planted programs made of them."""
    folder = tmp_path_factory.mktemp("work")
    recorded = car("record", TASK, "--expert", 6, "--random", 30, "--max-steps", 60, *data(folder)[:2])
    assert recorded.exit_code == 0, recorded.output
    session = write_recording(folder / "session.json", MENDED)
    generated = car("generate", TASK, "--vlm", f"replay/{session}", *data(folder))
    assert generated.exit_code in (0, 1), generated.output
    return folder


def data(folder: Path) -> tuple[object, ...]:
    return "--trajectories", folder / "trajectories", "--rewards", folder / "rewards"


def document(*arguments: object) -> Any:
    """What a command that succeeds prints for machines: one JSON document, and nothing else on standard output."""
    result = car(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_a_form_for_machines(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "100", "NO_COLOR": "1"})
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"car {command}" in result.stdout
    assert "--json" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 100


def test_help_lists_all_commands() -> None:
    result = car("--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert all(f" {command} " in result.stdout for command in COMMANDS)


def test_without_a_command_the_help_is_shown() -> None:
    result = car()
    assert result.exit_code == 2
    assert "Usage" in result.output
    assert "record" in result.output


def test_version() -> None:
    result = car("--version")
    assert (result.exit_code, result.stdout) == (0, f"{__version__}\n")


def test_tasks_are_listed() -> None:
    assert "doorkey-8x8" in car("tasks").stdout
    assert {"doorkey-8x8", "unlock"} <= {task["name"] for task in document("tasks")["tasks"]}


def test_record_counts_what_is_new(folder: Path) -> None:
    recorded = document("record", TASK, "--expert", 6, "--random", 30, *data(folder)[:2])["recorded"]
    assert (recorded["expert"], recorded["random"], recorded["new_expert"], recorded["new_random"]) == (6, 30, 0, 0)
    said = car("record", TASK, "--expert", 6, "--random", 30, *data(folder)[:2]).stdout
    assert "6 expert and 30 random episodes (0 and 0 new)" in said
    assert said.splitlines()[-1].startswith(f"Next: car generate {TASK} --vlm")


def test_record_exports_and_imports(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    exported = document("record", TASK, "--export", "car-test/doorkey-v0", *data(folder)[:2])
    elsewhere = tmp_path / "elsewhere"
    imported = document("record", TASK, "--import", exported["path"], "--trajectories", elsewhere)
    assert (imported["imported"], imported["added"]) == (6, 6)
    assert (elsewhere / TASK / "expert.npz").exists()


def test_generate_tells_the_verdict_in_its_document(folder: Path, tmp_path: Path) -> None:
    session = write_recording(tmp_path / "session.json", MENDED)
    kept = tmp_path / "kept.json"
    result = car(
        "generate",
        TASK,
        "--vlm",
        f"replay/{session}",
        *data(folder)[:2],
        "--rewards",
        tmp_path,
        "--record",
        kept,
        "--json",
    )
    told = json.loads(result.stdout)
    assert result.exit_code == (0 if told["verdict"]["accepted"] else 1)
    assert told["calls"] == 6
    assert "tokens so far" in result.stderr
    assert len(json.loads(kept.read_text())["exchanges"]) == 6


def test_a_reward_that_is_not_verified_is_exit_code_1(folder: Path, tmp_path: Path) -> None:
    session = write_recording(tmp_path / "session.json", alone(fenced("def check(found, current):\n    return True\n")))
    result = car(
        "generate", TASK, "--vlm", f"replay/{session}", "--attempts", 1, *data(folder)[:2], "--rewards", tmp_path
    )
    assert result.exit_code == 1, result.output
    assert "gave up after 1 attempts" in result.stderr
    assert "REJECTED" in result.stdout
    assert car("verify", tmp_path / TASK, "--quick", *data(folder)[:2]).exit_code == 1


def test_verify_judges_the_held_out_trajectories_or_all(folder: Path) -> None:
    held_out, every = (car("verify", TASK, "--quick", *data(folder), *more) for more in ((), ("--all",)))
    assert "Verdict on 28 held-out trajectories" in held_out.stdout
    assert "Verdict on all 36 trajectories" in every.stdout
    told = json.loads(car("verify", TASK, "--quick", *data(folder), "--json").stdout)
    assert [each["name"] for each in told["verdict"]["subtasks"]] == [
        "pick-up-the-key",
        "open-the-door",
        "reach-the-goal",
    ]


def test_bundles_are_listed_and_damaged_ones_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{}")
    (told,) = document("bundles", "--rewards", tmp_path)["bundles"]
    assert "does not have the format" in told["error"]
    assert "damaged" in car("bundles", "--rewards", tmp_path).stdout
    (told,) = document("bundles", "--rewards", folder / "rewards")["bundles"]
    assert told["subtasks"] == ["pick-up-the-key", "open-the-door", "reach-the-goal"]


def test_without_bundles_it_says_how_to_make_one(tmp_path: Path) -> None:
    assert document("bundles", "--rewards", tmp_path) == {"bundles": []}
    assert "make one with `car generate`" in car("bundles", "--rewards", tmp_path).stdout


def test_review_writes_a_page_and_records_a_decision(folder: Path, tmp_path: Path) -> None:
    page = Path(document("review", TASK, *data(folder))["page"])
    assert page.read_text(encoding="utf-8").startswith("<!")
    without = car("review", TASK, "--trajectories", tmp_path, "--rewards", folder / "rewards")
    assert without.exit_code == 0
    assert "The page shows no strips of frames." in without.stderr
    rejected = document("review", TASK, "--reject", "it [red]looks[/] at the door", *data(folder))
    assert rejected["decision"] == "rejected"
    refused = car("train", TASK, "--reward", TASK, "--rewards", folder / "rewards", "--out", tmp_path / "run")
    assert refused.exit_code == 2
    assert "A person has rejected the bundle" in refused.stderr
    approved = car("review", TASK, "--approve", *data(folder))
    assert approved.stdout.splitlines()[-1] == f"Next: car train {TASK} --reward {TASK}"
    assert document("bundles", "--rewards", folder / "rewards")["bundles"][0]["review"] == "approved"
    assert find_bundle(TASK, folder / "rewards") == folder / "rewards" / TASK


def test_monotone_progress_is_refused_where_progress_pays_nothing() -> None:
    refused = car("train", TASK, "--reward", "sparse", "--monotone-progress")
    assert refused.exit_code == 2
    assert "monotone_progress = True must be off unless shaping is potential" in " ".join(refused.stderr.split())
    asked = ("train", TASK, "--reward", "no-such-bundle", "--monotone-progress", "--shaping", "potential")
    assert "There is no reward bundle" in car(*asked).stderr


def test_doctor_says_what_works() -> None:
    told = {each["name"]: each["fine"] for each in document("doctor")["findings"]}
    assert told["sandbox"] is True
    assert car("doctor").stdout.splitlines()[-1] == "Next: car demo"


def test_flowed_text_has_one_line_for_each_paragraph_but_for_examples() -> None:
    assert flowed("One\n    two.\n\n    Three\n    four.\n\n    Examples:\n    car a\n    car b\n    ") == (
        "One two.\n\nThree four.\n\nExamples:\ncar a\ncar b"
    )
