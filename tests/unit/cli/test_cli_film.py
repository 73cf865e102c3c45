"""`car film`, `car repeat`, and the films that `car train` makes."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from car.cli.film import film_runs, formats_of
from car.errors import UnknownName
from car.train import TrainResult, result_of, train
from tests.unit.cli.planted_session import car
from tests.unit.train.empty_room import EMPTY_ROOM, QUICK

MAKER = "tests.unit.train.empty_room:half_way"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short runs, as `car train` lays them out."""
    folder = tmp_path_factory.mktemp("runs")
    settings = dataclasses.replace(QUICK, steps=64)
    train(EMPTY_ROOM, MAKER, settings, folder / "generated" / "seed-0")
    train(EMPTY_ROOM, "sparse", settings, folder / "sparse" / "seed-0")
    return folder


def copied(runs: Path, tmp_path: Path, camera: str | None = None) -> Path:
    """A run of its own, perhaps with another camera."""
    run = tmp_path / "run"
    shutil.copytree(runs / "generated" / "seed-0", run, ignore=shutil.ignore_patterns("film.*"))
    if camera is not None:
        about = json.loads((run / "settings.json").read_text())
        about["task"]["camera"] = f"tests.unit.cli.test_cli_film:{camera}"
        (run / "settings.json").write_text(json.dumps(about))
    return run


def refused(*arguments: object) -> str:
    said = car(*arguments)
    assert said.exit_code == 2, said.output
    return " ".join(said.stderr.split())


def test_film_says_what_it_shows(runs: Path, tmp_path: Path) -> None:
    run, out = runs / "generated" / "seed-0", tmp_path / "agent.mp4"
    said = car("film", run, "--episodes", 2, "--seed", 5, "--out", out, "--json")
    assert said.exit_code == 0, said.output
    document = json.loads(said.stdout)
    assert document["files"] == [str(out)]
    assert [each["seed"] for each in document["episodes"]] == [5, 6]
    assert document["episodes"][0]["credited"].keys() == {"moved", "moved-down"}
    assert out.stat().st_size > 1000
    people = car("film", run, "--episodes", 1, "--seed", 5, "--out", out.with_suffix(".gif"))
    assert people.stdout.splitlines()[-1] == f"Film: {out.with_suffix('.gif')}"
    steps = str(document["episodes"][0]["steps"])
    assert people.stdout.splitlines()[1].split()[:2] == ["5", steps]


def test_film_says_what_is_wrong(runs: Path, tmp_path: Path) -> None:
    run = runs / "sparse" / "seed-0"
    assert "There is no training run in" in refused("film", tmp_path)
    assert f"name one of them: {runs}/generated/seed-0, {run}." in refused("film", runs)
    assert "There is no film format 'avi'. There are: gif, mp4." in refused("film", run, "--format", "avi")
    assert "must end in .gif or .mp4" in refused("film", run, "--out", "agent.png")
    assert "does not end in .mp4" in refused("film", run, "--format", "mp4", "--out", "agent.gif")
    assert "There is no film format 'webm'. There are: gif, mp4, both." in refused(
        "train", "unlock", "--reward", "sparse", "--film", "webm", "--out", tmp_path / "new"
    )
    assert not (tmp_path / "new").exists()


def test_the_first_seed_with_each_reward_is_filmed_once(runs: Path) -> None:
    results = {label: [result_of(runs / label / "seed-0")] * 2 for label in ("generated", "sparse")}
    films = film_runs(results, "gif")
    assert films == {label: [runs / label / "seed-0" / "film.gif"] for label in results}
    made = [path.stat().st_mtime_ns for paths in films.values() for path in paths]
    assert film_runs(results, "gif") == films
    assert [path.stat().st_mtime_ns for paths in films.values() for path in paths] == made


class Broken:
    def __call__(self, env: Any, observation: Any) -> Any:
        raise ZeroDivisionError("the lens is broken")


class Interrupted:
    def __call__(self, env: Any, observation: Any) -> Any:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("camera", "said"),
    [
        ("Broken", "There is no film of {run}. ZeroDivisionError: the lens is broken"),
        ("Interrupted", "The film of {run} was left out; the runs are finished."),
    ],
)
def test_a_film_that_fails_is_a_note_on_runs_that_are_finished(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], camera: str, said: str
) -> None:
    result: TrainResult = result_of(runs / "generated" / "seed-0")
    run = copied(runs, tmp_path, camera)
    assert film_runs({"generated": [dataclasses.replace(result, folder=run)]}, "gif") == {"generated": []}
    assert said.format(run=run) in " ".join(capsys.readouterr().err.split())


def test_both_are_two_formats() -> None:
    assert [list(formats_of(kind)) for kind in ("gif", "mp4", "both")] == [["gif"], ["mp4"], ["gif", "mp4"]]
    with pytest.raises(UnknownName):
        formats_of("png")


def test_repeat_trains_again_and_compares(runs: Path, tmp_path: Path) -> None:
    run = copied(runs, tmp_path)
    said = car("repeat", run, "--json")
    assert said.exit_code == 0, said.output
    document = json.loads(said.stdout)
    assert document["same"] is True
    assert document["folder"] == f"{run}-again"
    assert document["runs"]["first"]["steps"] == document["runs"]["again"]["steps"] == 64
    assert "is not empty" in refused("repeat", run)
    for resume in ((), ("--resume",)):
        assert "is the run itself; repeat it in another folder" in refused("repeat", run, "--out", run, *resume)

    (lines,) = ((run / "progress.jsonl").read_text().splitlines(),)
    (run / "progress.jsonl").write_text(json.dumps({**json.loads(lines[0]), "episodes": 99}) + "\n")
    differs = car("repeat", run, "--resume")
    assert differs.exit_code == 1, differs.output
    assert "The numbers differ: episodes at 64 steps: 99, now" in differs.stdout
    assert [line.split()[0] for line in differs.stdout.splitlines()[1:3]] == ["first", "again"]
