"""The whole loop through the command line, on real MiniGrid: record, generate, verify, review, train, resume."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.planted_session import MENDED, car, write_recording

TASK = "doorkey-5x5"


def document(code: int, *arguments: object) -> Any:
    """What a command prints for machines."""
    said = car(*arguments, "--json")
    assert said.exit_code == code, said.output
    return json.loads(said.stdout)


def test_two_frames_in_a_trained_agent_out(tmp_path: Path) -> None:
    trajectories, rewards, runs = tmp_path / "trajectories", tmp_path / "rewards", tmp_path / "runs"
    data = ("--trajectories", trajectories, "--rewards", rewards)

    recorded = document(
        0, "record", TASK, "--expert", 15, "--random", 50, "--max-steps", 80, "--trajectories", trajectories
    )["recorded"]
    assert (recorded["new_expert"], recorded["new_random"]) == (15, 50)

    session = write_recording(tmp_path / "session.json", MENDED)
    generated = car("generate", TASK, "--vlm", f"replay/{session}", *data)
    assert generated.exit_code == 0, generated.output
    assert generated.stderr.count("rejected") == 1
    assert "reach the [green] square" in " ".join(generated.stderr.split())
    assert "6 calls, 5,900 + 920 tokens" in generated.stdout
    assert "ACCEPTED" in generated.stdout
    assert generated.stdout.splitlines()[-1] == f"Next: car review {rewards / TASK} --open"

    verified = document(0, "verify", TASK, *data)
    assert verified["verdict"]["accepted"]

    unreviewed = car("train", TASK, "--reward", TASK, "--steps", 4096, "--rewards", rewards, "--out", runs)
    assert unreviewed.exit_code == 2
    assert "Nobody has approved the bundle" in unreviewed.stderr
    assert not runs.exists()

    page = Path(document(0, "review", TASK, *data)["page"])
    assert "pick-up-the-key" in page.read_text(encoding="utf-8")
    assert document(0, "review", TASK, "--approve", *data)["decision"] == "approved"
    (listed,) = document(0, "bundles", "--rewards", rewards)["bundles"]
    assert (listed["accepted"], listed["review"], listed["task"]) == (True, "approved", TASK)

    train = ("train", TASK, "--reward", TASK, "--reward", "sparse", "--steps", 4096, "--seeds", 1, "--jobs", 2)
    where = ("--rewards", rewards, "--out", runs)
    trained = document(0, *train, *where)
    assert [run["steps"] for label in ("generated", "sparse") for run in trained["runs"][label]] == [4096, 4096]
    assert Path(trained["curve"]).read_bytes().startswith(b"\x89PNG")
    films = [Path(film) for label in ("generated", "sparse") for film in trained["films"][label]]
    assert films == [runs / label / "seed-0" / "film.gif" for label in ("generated", "sparse")]
    assert all(film.read_bytes().startswith(b"GIF89a") for film in films)
    assert (runs / "generated" / "seed-0" / "policy.zip").exists()

    assert "is not empty" in car(*train, *where).stderr
    assert document(0, *train, *where, "--resume")["runs"] == trained["runs"]
    other = car("train", TASK, "--reward", "sparse", "--steps", 8192, "--out", runs, "--resume")
    assert other.exit_code == 2
    assert "has settings.steps = 4096, not 8192" in other.stderr


@pytest.mark.slow
def test_the_demo_runs_from_its_recording_and_goes_on_when_it_is_started_again(tmp_path: Path) -> None:
    demo = ("demo", "--task", "doorkey-8x8", "--steps", 2048, "--out", tmp_path)
    shown = document(0, *demo)
    assert shown["accepted"]
    report = Path(shown["report"]).read_text(encoding="utf-8")
    assert "doorkey-8x8" in report
    assert Path(shown["review"]).exists()
    assert document(0, *demo)["runs"] == shown["runs"]
