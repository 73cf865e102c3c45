"""The wheel holds all that it needs, and works from another folder."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

_TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built), str(_TOP)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (wheel,) = built.glob("*.whl")
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def _car(unpacked: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the command from the wheel, in another folder; the checkout is not on the path of this process."""
    code = (
        f"import car; assert car.__file__.startswith({str(unpacked)!r}), car.__file__; from car.cli import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_holds_prompts_pages_and_recordings_and_nothing_of_the_checkout(unpacked: Path) -> None:
    there = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert {f"car/prompts/{path.name}" for path in (_TOP / "prompts").iterdir()} <= there
    assert {f"car/pages/{path.name}" for path in (_TOP / "car" / "pages").iterdir()} <= there
    assert {"car/recordings/doorkey-8x8.json", "car/recordings/unlock.json", "car/sandbox/worker.py"} <= there
    tops = {name.partition("/")[0] for name in there}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"car"}
    assert not any("__pycache__" in name for name in there)


def test_doctor_and_tasks_run(unpacked: Path, tmp_path: Path) -> None:
    doctor = _car(unpacked, tmp_path, "doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert {each["name"]: each["fine"] for each in json.loads(doctor.stdout)["findings"]}["sandbox"] is True
    tasks = _car(unpacked, tmp_path, "tasks", "--json")
    assert "doorkey-8x8" in [each["name"] for each in json.loads(tasks.stdout)["tasks"]]


def test_a_recorded_session_is_replayed_to_the_shipped_programs(unpacked: Path, tmp_path: Path) -> None:
    ran = _car(unpacked, tmp_path, "generate", "unlock", "--vlm", "replay/unlock", "--strict", "--json",
               "--trajectories", str(_TOP / "trajectories"))  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    made, shipped = tmp_path / "generated_rewards" / "unlock", _TOP / "generated_rewards" / "unlock"
    programs = sorted(path.relative_to(shipped) for path in shipped.glob("checkers/*.py"))
    assert programs
    assert all((made / each).read_bytes() == (shipped / each).read_bytes() for each in programs)
    assert json.loads(ran.stdout)["verdict"]["accepted"] is True
