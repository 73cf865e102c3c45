"""Ctrl-C at any moment: exit code 130, one sentence, nobody left behind, and the same command goes on from there."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from car.trajectory import load_trajectories
from car.vlm.manual import PROMPT, REPLY
from tests.unit.cli.planted_session import MENDED, car

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")

TASK = "doorkey-5x5"
RUN = "from car.cli import main; main()"
PATIENCE = 60.0
GRACE = 5.0
SLOW_ENVIRONMENT = """
import os
import time

import gymnasium as gym
import numpy as np


class Slow(gym.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        self.shade = int(self.np_random.integers(200))
        with open("played.txt", "a") as played:
            print(seed, file=played)
        return 0, {}

    def step(self, action):
        time.sleep(0.01)
        self.steps += 1
        won = self.steps == 5
        return 0, float(won), won, self.steps >= 10, {}

    def render(self):
        return np.full((8, 8, 3), self.shade + self.steps, np.uint8)


def expert(env):
    return lambda observation: 1


gym.register("CarSlow/Slow-v0", Slow, disable_env_checker=True)
"""


class Command:
    """A command in a process and a process group of its own, as a shell starts it."""

    def __init__(self, folder: Path, *arguments: object, script: str = RUN) -> None:
        self._mark = uuid.uuid4().hex
        environment = {**os.environ, "CAR_TEST_MARK": self._mark, "PYTHONDONTWRITEBYTECODE": "1"}
        root = str(Path(__file__).parents[2])
        environment["PYTHONPATH"] = os.pathsep.join([root, environment.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def interrupt_when(self, ready: Callable[[], bool]) -> None:
        """Does what Ctrl-C does, as soon as something is so; it may be done more than once."""
        end = time.monotonic() + PATIENCE
        while not ready():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, "it was never ready"
            time.sleep(0.01)
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """The exit code, what it printed, and what it said; whatever it started must be gone."""
        out, said = self.process.communicate(timeout=PATIENCE)
        assert "Traceback" not in said, said
        # A worker that was just being started sees only after its own imports that nobody waits for it any more.
        end = time.monotonic() + GRACE
        while (left := list(self._left_behind())) and time.monotonic() < end:
            time.sleep(0.05)
        assert left == []
        return self.process.returncode, out, said

    def was_interrupted(self, sentence: str = "the same command goes on from there.") -> str:
        """Checks that it ended as it should, and gives all that it said."""
        code, out, said = self.end()
        assert (code, out) == (130, ""), said
        assert said.splitlines()[-1].startswith("Interrupted. "), said
        assert sentence in said
        return said

    def _left_behind(self) -> Iterator[str]:
        ours = str(self.process.pid)
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                command = (folder / "cmdline").read_text().split("\0")
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            # Of our session, of our environment, or a zygote or worker, which has neither but knows whose it is.
            worker = command[-2:-1] == [ours] and any(each.endswith("zygote.py") for each in command)
            if stat[0] != "Z" and (ours in stat[1:4] or self._mark.encode() in environment or worker):
                yield " ".join(command)


def contents(folder: Path) -> dict[str, str]:
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.glob("*.npz")}


def test_record(tmp_path: Path) -> None:
    (tmp_path / "slow_environment.py").write_text(SLOW_ENVIRONMENT)
    (tmp_path / "slow.toml").write_text(
        'name = "slow"\nenv = "slow_environment:CarSlow/Slow-v0"\nexpert = "slow_environment:expert"\n'
    )
    played = tmp_path / "played.txt"

    def seeds() -> list[str]:
        return played.read_text().split() if played.exists() else []

    arguments = ("record", "slow.toml", "--expert", 6, "--random", 6)
    first = Command(tmp_path, *arguments)
    first.interrupt_when(lambda: len(seeds()) == 4)
    first.was_interrupted()
    kept = load_trajectories(tmp_path / "trajectories" / "slow" / "expert.npz", "slow")
    assert len(kept) >= 3
    again = Command(tmp_path, *arguments)
    code, out, said = again.end()
    assert code == 0, said
    assert f"6 expert and 6 random episodes ({6 - len(kept)} and 6 new)" in out
    # Only the episode that was cut short is played twice.
    assert len(seeds()) <= 13
    whole = Command(tmp_path, *arguments, "--trajectories", "elsewhere")
    assert whole.end()[0] == 0
    assert contents(tmp_path / "trajectories" / "slow") == contents(tmp_path / "elsewhere" / "slow")


def answer_as_they_come(questions: Path, command: Command) -> None:
    """Answers each question with the planted reply, until the command ends."""
    replies = {(stage, subject): reply.text for stage, subject, _, reply in MENDED}
    while command.process.poll() is None:
        for about in questions.glob("[0-9]*/request.json"):
            asked = json.loads(about.read_text())
            reply = about.with_name(REPLY)
            if not reply.exists():
                reply.write_text(replies[asked["stage"], asked["subject"]])
        time.sleep(0.05)


def test_generate_while_it_waits_for_an_answer(tmp_path: Path) -> None:
    recorded = car(
        "record", TASK, "--expert", 6, "--random", 30, "--max-steps", 60, "--trajectories", tmp_path / "trajectories"
    )
    assert recorded.exit_code == 0, recorded.output
    arguments = ("generate", TASK, "--vlm", "manual/questions", "--attempts", 2)
    questions = tmp_path / "questions"
    first = Command(tmp_path, *arguments)
    first.interrupt_when((questions / "01-goal" / PROMPT).exists)
    first.was_interrupted()
    (questions / "01-goal" / REPLY).write_text("To reach the green square.")
    second = Command(tmp_path, *arguments)
    second.interrupt_when((questions / "02-subtasks" / PROMPT).exists)
    second.was_interrupted()
    third = Command(tmp_path, *arguments, "--json")
    answer_as_they_come(questions, third)
    code, out, said = third.end()
    assert code in (0, 1), said
    assert json.loads(out)["calls"] == len(MENDED)
    assert len(list(questions.iterdir())) == len(MENDED)


def test_generate_while_checkers_run(tmp_path: Path) -> None:
    where = ("--trajectories", tmp_path / "trajectories")
    assert car("record", TASK, "--expert", 6, "--random", 30, "--max-steps", 60, *where).exit_code == 0
    questions = tmp_path / "questions"
    arguments = ("generate", TASK, "--vlm", "manual/questions", "--attempts", 2)
    command = Command(tmp_path, *arguments)
    replies = iter([reply.text for *_, reply in MENDED[:3]])

    def checker_runs() -> bool:
        for about in questions.glob("0[1-3]-*/request.json"):
            if not about.with_name(REPLY).exists():
                about.with_name(REPLY).write_text(next(replies))
        return any(True for _ in workers_of(command.process.pid))

    command.interrupt_when(checker_runs)
    command.was_interrupted()
    again = Command(tmp_path, *arguments)
    answer_as_they_come(questions, again)
    assert again.end()[0] in (0, 1)
    assert len(list(questions.iterdir())) == len(MENDED)


def workers_of(parent: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if stat.read_text().rpartition(")")[2].split()[1] == str(parent):
                yield int(stat.parent.name)
        except OSError:
            continue


def test_train(tmp_path: Path) -> None:
    arguments = ("train", TASK, "--reward", "sparse", "--steps", 8192, "--no-film", "--out", "out")
    progress = tmp_path / "out" / "sparse" / "seed-0" / "progress.jsonl"
    first = Command(tmp_path, *arguments)
    first.interrupt_when(lambda: progress.exists() and bool(progress.read_text()))
    first.was_interrupted("Every run is saved; go on with the same command and --out out --resume.")
    done = json.loads(progress.read_text().splitlines()[-1])["steps"]
    assert list((tmp_path / "out" / "sparse" / "seed-0" / "checkpoints").glob("step-*.zip"))
    again = Command(tmp_path, *arguments, "--resume", "--json")
    code, out, said = again.end()
    assert code == 0, said
    (run,) = json.loads(out)["runs"]["sparse"]
    assert run["steps"] >= 8192
    steps = [json.loads(line)["steps"] for line in progress.read_text().splitlines()]
    assert done in steps
    assert steps == sorted(steps)


@pytest.mark.parametrize(
    "module",
    ["car.cli.app", "typer", "rich.console", "car.errors", "car.tasks", "numpy", "numpy.random", "cv2", "gymnasium"],
)
def test_while_a_module_is_imported(tmp_path: Path, module: str) -> None:
    script = f"""
import os, signal, sys
from car.cli import main

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
main()
"""
    code, out, said = Command(tmp_path, "tasks", script=script).end()
    assert (code, out) == (130, ""), said
    assert said.startswith("Interrupted.")
    assert len(said.splitlines()) == 1
