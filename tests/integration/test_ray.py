"""Work on a Ray cluster: one with two workers, on this machine."""

import dataclasses
import json
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from car.bundle import load_bundle
from car.errands.cluster import cluster
from car.errors import BadBundle, CarError, UnknownName
from car.tasks import find_task
from car.train import Job, Progress, TrainSettings, result_of, run_jobs
from car.train.folder import RunFolder
from tests.integration.planted_provider import Provider
from tests.integration.test_interrupt import Command
from tests.unit.cli.planted_session import car
from tests.unit.errands.counting import Heard, errand

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")

ROOT = Path(__file__).parents[2]
KEY = "sk-planted-in-a-test-of-ray"
SMALL = TrainSettings(steps=1280, envs=2, n_steps=32, batch=32, epochs=1, eval_every=128, eval_episodes=1)
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
LISTENING = "0A"


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Path]:
    """The folder of the cluster's logs."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RAY_ADDRESS", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("NO_PROXY", "127.0.0.1")
        with cluster("local", 2):
            import ray

            yield Path(ray.nodes()[0]["RayletSocketName"]).parents[1]


def stat_of(number: int) -> list[str]:
    return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()


def below(parent: int) -> set[int]:
    """The processes that one has started, and those that these have started."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int(stat_of(int(path.name))[1])
        except OSError:
            continue
    found = {parent}
    while more := {number for number, its in parents.items() if its in found} - found:
        found |= more
    return found


def listening(numbers: set[int]) -> list[str]:
    """The addresses at which some processes listen, as the kernel writes them."""
    sockets = set()
    for number in numbers:
        for file in Path(f"/proc/{number}/fd").glob("*"):
            try:
                sockets.add(str(file.readlink()).removeprefix("socket:[").rstrip("]"))
            except OSError:
                continue
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return [row[1].partition(":")[0] for row in rows if row[3] == LISTENING and row[9] in sockets]


def test_nobody_outside_can_reach_the_cluster(two_workers: Path) -> None:
    addresses = listening(below(os.getpid()))
    assert len(addresses) > 3
    assert set(addresses) <= LOOPBACK


class Killer:
    """Kills the worker that trains a job once that has come far enough; takes note of the steps before and after."""

    def __init__(self, job: Job, steps: int) -> None:
        self._job, self._steps = job, steps
        self.before: list[int] = []
        self.after: list[int] = []
        self.killed = 0

    def __call__(self, job: Job, line: Progress) -> None:
        if job.folder == self._job.folder:
            (self.after if self.killed else self.before).append(line.steps)
        if line.steps >= self._steps and job.folder == self._job.folder and not self.killed:
            self.killed = self._worker()
            os.kill(self.killed, signal.SIGKILL)

    def _worker(self) -> int:
        """Who has started the process that writes to the log of the job."""
        for number in below(os.getpid()):
            try:
                log = Path(f"/proc/{number}/fd/2").readlink()
            except OSError:
                continue
            if log.parts[-3:] == ("writes", self._job.folder.name, "log.txt"):
                return int(stat_of(number)[1])
        raise AssertionError("nobody trains the job")


def test_a_killed_worker_does_not_lose_the_work(two_workers: Path, tmp_path: Path) -> None:
    bundle = ROOT / "generated_rewards" / "doorkey-8x8"
    short = dataclasses.replace(find_task("doorkey-8x8"), env_kwargs={"max_steps": 20})
    few = dataclasses.replace(SMALL, steps=64, eval_every=0)
    jobs = [
        Job("generated", short, str(bundle), SMALL, tmp_path / "killed"),
        Job("sparse", short, "sparse", few, tmp_path / "beside"),
    ]
    killer = Killer(jobs[0], 192)
    run_jobs(jobs, 2, killer, "ray")
    assert killer.before[-1] == 192
    # It goes on, to the end, behind the first checkpoint.
    assert min(killer.after) > 128
    assert killer.after[-1] == SMALL.steps
    assert [result_of(job.folder).steps for job in jobs] == [1280, 64]
    run = RunFolder(tmp_path / "killed")
    steps = [line.steps for line in run.lines()]
    assert steps == sorted(steps)
    assert len(list(run.checkpoints.iterdir())) == 3
    assert len(list(run.tensorboard.iterdir())) == 2, "no second process has trained"
    about = run.read_settings()
    assert about["isolation"]["level"] >= 2
    # The bundle has come along, and lay elsewhere there.
    assert about["reward"]["path"] != str(bundle)


def test_what_is_lost_again_and_again_is_given_up(
    two_workers: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def kill(index: int, fields: Mapping[str, Any]) -> None:
        if index == 0:
            os.kill(fields["starter"], signal.SIGKILL)

    lost = dataclasses.replace(errand(tmp_path / "lost", 50, pause=0.1), parts=())
    heard = Heard(kill).run([lost, errand(tmp_path / "other", 2)], 2, "ray")
    assert "The counting was lost 3 times without getting further. Ray says: The worker died" in str(heard.ends[0])
    assert type(heard.ends[0]) is CarError
    assert heard.counts[0] == [1, 1, 1]
    said = "The counting was lost, and goes on elsewhere from the files that came back. Ray says: The worker died"
    assert [record.message.startswith(said) for record in caplog.records] == [True, True]
    assert (heard.counts[1], heard.ends[1]) == ([1, 2], None)


def test_errors_come_as_they_were_said(two_workers: Path, tmp_path: Path) -> None:
    errands = [errand(tmp_path / each, 1, end=each) for each in ("bad", "unknown", "crash")]
    heard = Heard().run(errands, 2, "ray")
    assert [type(heard.ends[index]) for index in range(3)] == [BadBundle, UnknownName, CarError]
    assert str(heard.ends[0]) == f"The bundle in {tmp_path / 'bad'} is bad, and so is None."
    assert str(heard.ends[2]).endswith("RuntimeError: it broke")


def test_every_machine_has_the_same_version(two_workers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import car.errands.on_ray

    monkeypatch.setattr(car.errands.on_ray, "version", lambda: "0.0.0")
    heard = Heard().run([errand(tmp_path, 3, pause=60.0)], 1, "ray")
    assert "install the same on all" in str(heard.ends[0])


def test_an_interrupt_saves_what_there_is(two_workers: Path, tmp_path: Path) -> None:
    def stop(index: int, fields: Mapping[str, Any]) -> None:
        if index == 0 and fields["count"] == 3:
            raise KeyboardInterrupt

    heard = Heard(stop)
    with pytest.raises(KeyboardInterrupt):
        heard.run([errand(tmp_path / "a", 10_000, pause=0.05), *[errand(tmp_path / "b")] * 2], 2, "ray")
    assert heard.stopped == 1
    assert (tmp_path / "a" / "own" / "interrupted.txt").read_text() == "saved"
    assert int((tmp_path / "a" / "own" / "count.txt").read_text()) >= 3


def test_many_tasks_are_generated_for_with_keys_that_no_log_holds(
    two_workers: Path, tmp_path: Path, doorkey_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    provider = Provider()
    try:
        where = ["--trajectories", doorkey_folder, "--rewards", "rewards", "--base-url", provider.url]
        command = ["generate", "doorkey-6x6", "unlock", "--vlm", "openai/gpt-4o", "--price", "3/15", *where]
        ran = car(*command, "--on", "ray", "--jobs", 2, "--json")
    finally:
        provider.close()
    assert ran.exit_code == 1, ran.output
    tasks = json.loads(ran.stdout)["tasks"]
    assert (tasks["doorkey-6x6"]["decision"], tasks["doorkey-6x6"]["calls"]) == ("accepted", 7)
    assert tasks["doorkey-6x6"]["cost"] > 0
    assert tasks["unlock"]["decision"] == "failed"
    assert "run `car record unlock`" in tasks["unlock"]["error"]
    assert load_bundle(Path("rewards/doorkey-6x6")).verdict.accepted
    # The replies have come back, so that nothing will be asked twice.
    assert len(list(Path("rewards/.journal/doorkey-6x6").glob("*.json"))) == 7
    logs = [path for path in two_workers.rglob("*") if path.is_file()]
    assert len(logs) > 5
    assert not [path for path in [*logs, *tmp_path.rglob("*")] if path.is_file() and KEY.encode() in path.read_bytes()]


@pytest.mark.slow
def test_recorded_sessions_are_replayed(two_workers: Path, tmp_path: Path) -> None:
    where = ["--trajectories", tmp_path / "trajectories", "--rewards", tmp_path / "rewards"]
    (tmp_path / "trajectories").mkdir()
    for name in ("doorkey-8x8", "unlock"):
        (tmp_path / "trajectories" / name).symlink_to(ROOT / "trajectories" / name)
    ran = car("generate", "--all", "--vlm", "replay/{task}", "--on", "ray", "--jobs", 2, *where)
    assert ran.exit_code == 0, ran.output
    for name in ("doorkey-8x8", "unlock"):
        made, shipped = (load_bundle(folder / name) for folder in (tmp_path / "rewards", ROOT / "generated_rewards"))
        assert made.verdict.accepted
        assert [each.source for each in made.checkers] == [each.source for each in shipped.checkers]


@pytest.mark.slow
def test_ctrl_c_in_a_terminal(tmp_path: Path) -> None:
    runs = ("--steps", 6144, "--seeds", 2, "--jobs", 2, "--out", "out", "--on", "ray:local", "--no-film")
    arguments = ("train", "doorkey-5x5", "--reward", "sparse", *runs)
    command = Command(tmp_path, *arguments)
    first, second = (RunFolder(tmp_path / "out" / "sparse" / f"seed-{seed}") for seed in (0, 1))

    def first_trains() -> bool:
        found = Path(tempfile.gettempdir()).glob("car-errand-*/writes/seed-0/progress.jsonl")
        return any(path.read_text() for path in found)

    command.interrupt_when(first_trains)
    command.was_interrupted("Every run is saved; go on with the same command and --out out --resume.")
    assert first.latest_checkpoint()
    again = Command(tmp_path, *arguments, "--resume", "--json")
    code, out, said = again.end()
    assert code == 0, said
    assert all(run["steps"] >= 6144 for run in json.loads(out)["runs"]["sparse"])
    assert second.finished
