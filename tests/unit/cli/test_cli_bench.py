"""`car bench`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from car.cli.app import app
from tests.unit.bench.test_figures import run

SHIPPED = Path(__file__).parents[3] / "generated_rewards"


def bench(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["bench", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


def test_trains_what_is_missing_and_never_what_is_done(tmp_path: Path) -> None:
    asked = "pickup-ball", "--reward", "sparse", "--reward", "oracle", "--seeds", "1", "--steps", "1", "--out", tmp_path
    said = bench(*asked)
    assert "2 runs, 0 of them done" in said
    assert ">0.001" in said
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("progress.jsonl")}
    assert len(times) == 2
    again = bench(*asked, "--json")
    assert "2 runs, 2 of them done" in again
    document = json.loads(again[again.index("\n{") :])
    assert [row["label"] for row in document["rows"]] == ["sparse", "oracle"]
    assert Path(document["page"]).exists()
    assert times == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("progress.jsonl")}
    refused = bench(*asked[:-4], "--steps", "4096", "--out", tmp_path, code=2)
    assert "settings.steps = 1, not 4096" in refused


def test_a_bundle_that_nobody_approved_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(SHIPPED / "unlock", tmp_path / "rewards" / "unlock")
    (tmp_path / "rewards" / "unlock" / "approval.json").unlink()
    said = bench("unlock", "--rewards", tmp_path / "rewards", "--out", tmp_path / "out", code=2)
    assert "Nobody has approved the bundle" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mountain",), "There is no task 'mountain'"),
        (("unlock", "--reward", "dense"), "There is no reward to compare 'dense'"),
        (("unlock", "--reward", "sparse", "--on", "moon"), "There is no place to work 'moon'"),
        (("doorkey-5x5", "--reward", "generated"), "There is no reward bundle 'doorkey-5x5'"),
    ],
)
def test_bad_input_is_one_sentence(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    assert said in bench(*arguments, "--out", tmp_path / "out", code=2)


def test_where_there_is_no_bundle_at_all_nothing_is_compared(tmp_path: Path) -> None:
    said = bench("--rewards", tmp_path, "--out", tmp_path / "out", code=2)
    assert "for any task of the suite; --rewards names another folder" in said
    assert not (tmp_path / "out").exists()


def test_a_task_without_a_bundle_is_compared_with_what_there_is(tmp_path: Path) -> None:
    for label in ("sparse", "oracle"):
        run(tmp_path / "out" / "doorkey-5x5" / label / "seed-0", 2048)
    said = bench("doorkey-5x5", "--seeds", "1", "--rewards", tmp_path, "--out", tmp_path / "out")
    assert "doorkey-5x5 without generated: There is no reward bundle" in said
    assert "2 runs, 2 of them done" in said
