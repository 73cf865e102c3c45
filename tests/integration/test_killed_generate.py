"""A generation that is killed at random moments asks no question again whose answer is on disk."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.planted_provider import Book, Killing, Provider

# More than the way from a socket to a file takes, on a machine that is busy.
_ON_DISK_AFTER = 1.0
_QUESTIONS = 7


@dataclass
class Session:
    """The same command again and again, against one provider."""

    provider: Provider
    trajectories: Path
    folder: Path
    parallel: int
    book: Book = field(default_factory=Book)
    asked_before: dict[str, int] = field(default_factory=dict)
    killed: int = 0

    def run(self, killing: Killing | None) -> int:
        """The exit code; negative if it was killed."""
        command = [sys.executable, "-c", "from car.cli import main; main()", "generate", "doorkey-6x6", "--json"]
        command += ["--vlm", "openai/gpt-4o", "--base-url", self.provider.url, "--parallel", str(self.parallel)]
        command += ["--trajectories", str(self.trajectories), "--rewards", str(self.folder), "--max-cost", "5"]
        command += ["--price", "3/15"]
        environment = os.environ | {"OPENAI_API_KEY": "sk-test", "NO_PROXY": "127.0.0.1", "CAR_CONFIG": os.devnull}
        log = (self.folder.parent / f"{self.folder.name}.log").open("a")
        with log, subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process:
            self.provider.expect(process.pid, killing, self.book)
            return process.wait(120)

    def kept(self) -> set[str]:
        """The questions whose answers are on disk."""
        replies = [json.loads(each.read_text()) for each in (self.folder / ".journal").rglob("*.json")]
        return {each["model"].split()[1] for each in replies}

    def kill(self, killing: Killing) -> bool:
        """Runs and is killed; False if it came to an end before."""
        code = self.run(killing)
        for name in self.asked_before:
            assert self.book.asked[name] == self.asked_before[name], "a question was asked again"
        if code >= 0:
            return False
        self.killed += 1
        kept = self.kept()
        early = {name for name, at in self.book.answered.items() if at < self.provider.killed_at - _ON_DISK_AFTER}
        assert early <= kept
        self.asked_before = {name: self.book.asked[name] for name in kept}
        return True

    def bundle(self) -> dict[str, bytes]:
        path = self.folder / "doorkey-6x6"
        files = {str(each.relative_to(path)): each.read_bytes() for each in path.rglob("*") if each.is_file()}
        return {name: content for name, content in files.items() if name != "measured.json"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def uninterrupted(provider: Provider, doorkey_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    session = Session(provider, doorkey_folder, tmp_path_factory.mktemp("whole"), parallel=1)
    assert session.run(None) == 0, (session.folder.parent / f"{session.folder.name}.log").read_text()
    return session


def _killed_often(session: Session, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    while session.killed < kills and session.kill(Killing.at_random(chance)):
        pass
    assert session.run(None) == 0


def _check(session: Session, whole: Session) -> None:
    assert sorted(session.book.asked) == sorted(whole.book.asked)
    assert len(session.book.asked) == _QUESTIONS
    assert all(session.book.asked[name] == times for name, times in session.asked_before.items())
    assert session.bundle() == whole.bundle()


def test_a_whole_run_asks_everything_once(uninterrupted: Session) -> None:
    assert set(uninterrupted.book.asked.values()) == {1}
    assert uninterrupted.kept() == set(uninterrupted.book.asked)


def test_killed_at_random_moments(uninterrupted: Session, tmp_path: Path) -> None:
    session = Session(uninterrupted.provider, uninterrupted.trajectories, tmp_path, parallel=4)
    _killed_often(session, 4, seed=1)
    assert session.killed
    _check(session, uninterrupted)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(12))
def test_killed_at_many_random_moments(seed: int, uninterrupted: Session, tmp_path: Path) -> None:
    session = Session(uninterrupted.provider, uninterrupted.trajectories, tmp_path, parallel=1 + seed % 4)
    _killed_often(session, 10, seed)
    _check(session, uninterrupted)
