import dataclasses
import json
import time
from pathlib import Path

import pytest
from empty_room import EMPTY_ROOM, QUICK

from car.errors import CarError, UserError
from car.train import Job, Progress, result_of, run_jobs, train_many
from car.train.folder import RunFolder

LONG = dataclasses.replace(QUICK, steps=10_000_000, eval_every=0)


def test_a_job_survives_the_way_to_its_process() -> None:
    job = Job("dense", EMPTY_ROOM, "some/bundle", QUICK, Path("runs/x"), resume=True, allow_unreviewed=True)
    assert Job.told(json.loads(job.errand.told)) == job


def test_a_bundle_is_told_apart_as_a_path(tmp_path: Path) -> None:
    job = Job("dense", EMPTY_ROOM, str(tmp_path), QUICK, Path("runs/x"))
    assert job.errand.reads == {"reward": tmp_path}
    assert Job.told(json.loads(job.errand.told)) == job
    assert Job.told(json.loads(job.errand.once_more().told)) == dataclasses.replace(job, resume=True)


def test_seeds_train_in_processes_of_their_own_and_report(tmp_path: Path) -> None:
    lines: list[tuple[Job, Progress]] = []
    results = train_many(EMPTY_ROOM, {"sparse": "sparse"}, QUICK, (0, 1), tmp_path, 2, lambda *line: lines.append(line))
    assert [result.folder for result in results["sparse"]] == [tmp_path / "sparse" / f"seed-{seed}" for seed in (0, 1)]
    for seed, result in enumerate(results["sparse"]):
        mine = [line for job, line in lines if job.settings.seed == seed]
        assert mine == RunFolder(result.folder).lines()
        assert result.steps == 128
    assert {job.label for job, _ in lines} == {"sparse"}


def test_jobs_may_differ_in_everything(tmp_path: Path) -> None:
    other = dataclasses.replace(EMPTY_ROOM, name="other-room", env_id="MiniGrid-Empty-6x6-v0")
    jobs = [
        Job("one", EMPTY_ROOM, "sparse", QUICK, tmp_path / "a"),
        Job("two", other, "sparse", dataclasses.replace(QUICK, steps=64, seed=3), tmp_path / "b" / "c"),
    ]
    told: list[Path] = []
    run_jobs(jobs, 2, lambda job, line: told.append(job.folder))
    assert set(told) == {job.folder for job in jobs}
    assert [result_of(job.folder).steps for job in jobs] == [128, 64]


def test_a_place_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no place to work 'mars'"):
        run_jobs([Job("one", EMPTY_ROOM, "sparse", QUICK, tmp_path)], on="mars")


def test_a_crash_says_how_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_view.py").write_text(
        "import gymnasium\nfrom car.tasks.grid_view import symbolic\n\n\nclass Broken(gymnasium.Wrapper):\n"
        "    def step(self, action):\n        raise RuntimeError('the view is broken')\n\n\n"
        "def view(env):\n    return Broken(symbolic(env))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    task = dataclasses.replace(EMPTY_ROOM, agent_view="broken_view:view")
    with pytest.raises(CarError, match=r"(?s)ended with exit code 1\. Its last lines:\n.*the view is broken"):
        train_many(task, {"sparse": "sparse"}, QUICK, [0], tmp_path / "runs")


def test_what_the_person_can_put_right_comes_back_as_it_was_said(tmp_path: Path) -> None:
    (tmp_path / "a" / "seed-0").mkdir(parents=True)
    (tmp_path / "a" / "seed-0" / "settings.json").write_text("{}")
    with pytest.raises(UserError, match="already holds a training run; resume it, or name another folder"):
        train_many(EMPTY_ROOM, {"a": "sparse"}, QUICK, [0], tmp_path)


def test_ctrl_c_ends_a_run_after_it_saved_a_checkpoint(tmp_path: Path) -> None:
    def interrupt(job: Job, line: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_many(EMPTY_ROOM, {"sparse": "sparse"}, LONG, [0, 1], tmp_path, on_progress=interrupt)
    run = RunFolder(tmp_path / "sparse" / "seed-0")
    latest = run.latest_checkpoint()
    assert latest is not None
    assert latest[0] == run.lines()[-1].steps
    assert not (tmp_path / "sparse" / "seed-1").exists()
    length = len(run.lines())
    time.sleep(0.3)
    assert len(run.lines()) == length


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        train_many(EMPTY_ROOM, {"a": "sparse"}, QUICK, [0], tmp_path / "file")


@pytest.mark.parametrize("seeds", [[], [1, 1]])
def test_seeds_that_cannot_be_told_apart(tmp_path: Path, seeds: list[int]) -> None:
    with pytest.raises(UserError, match="there must be at least one, and all must differ"):
        train_many(EMPTY_ROOM, {"sparse": "sparse"}, QUICK, seeds, tmp_path)


def test_a_run_that_fails_need_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "settings.json").write_text("{}")
    jobs = [
        Job("a", EMPTY_ROOM, "sparse", QUICK, tmp_path / "a"),
        Job("b", EMPTY_ROOM, "sparse", QUICK, tmp_path / "b"),
    ]
    with pytest.raises(UserError, match="already holds a training run"):
        run_jobs(jobs, all_the_same=True)
    assert result_of(tmp_path / "b").steps == 128
