import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from empty_room import EMPTY_ROOM, PENDULUM, QUICK, HalfWay

from car.errors import BadBundle, UserError
from car.milestones import Shaping
from car.rewards import Reward
from car.task import Task
from car.train import Progress, TrainSettings, evaluate, load_policy, result_of, train
from car.train.folder import RunFolder


def test_a_sparse_run_leaves_everything_needed_to_repeat_it(tmp_path: Path) -> None:
    lines: list[Progress] = []
    result = train(EMPTY_ROOM, "sparse", QUICK, tmp_path / "run", lines.append)
    run = RunFolder(result.folder)
    assert run.lines() == lines
    assert [line.steps for line in lines] == [64, 128]
    assert all(line.evaluation is not None and line.evaluation.episodes == 2 for line in lines)
    assert lines[-1].credited is None
    assert lines[-1].failures is None
    assert lines[-1].episodes == 6
    assert result.steps == 128
    assert result.train_success == lines[-1].train_success is not None
    assert 0 < lines[0].wall_seconds < lines[1].wall_seconds
    assert list(run.tensorboard.glob("events.out.tfevents.*"))
    assert run.curve.read_bytes().startswith(b"\x89PNG")
    assert run.latest_checkpoint() == (128, run.checkpoint(128))
    about = json.loads(run.settings.read_text())
    assert about["reward"] == {"kind": "sparse"}
    assert TrainSettings(**about["settings"]) == QUICK


def test_a_dense_run_notes_what_was_credited_and_leaves_a_live_reward_open(tmp_path: Path) -> None:
    reward = HalfWay()
    result = train(EMPTY_ROOM, reward, QUICK, tmp_path)
    line = RunFolder(tmp_path).lines()[-1]
    assert line.credited is not None
    assert line.credited > 0
    assert line.failures == 3
    assert not reward.closed
    # The environment's own reward of an episode is below 1 whatever the bonus was.
    assert line.train_reward is not None
    assert line.train_reward < 1
    assert RunFolder(result.folder).read_settings()["reward"] == {"kind": "live", "name": "half-way"}


def refusing(task: Task, shaping: Shaping) -> Reward:
    raise BadBundle(f"asked for {shaping}")


def test_a_reward_that_is_made_is_told_how_to_pay(tmp_path: Path) -> None:
    settings = dataclasses.replace(QUICK, shaping="potential", monotone_progress=True, gamma=0.9, scale=2.0)
    with pytest.raises(BadBundle) as caught:
        train(EMPTY_ROOM, f"{__name__}:refusing", settings, tmp_path)
    assert str(caught.value) == f"asked for {Shaping('potential', 0.9, 2.0, monotone_progress=True)}"


def test_milestones_can_be_observed(tmp_path: Path) -> None:
    settings = dataclasses.replace(QUICK, observe_milestones=True, steps=64)
    reward = HalfWay()
    train(EMPTY_ROOM, reward, settings, tmp_path)
    assert evaluate(load_policy(tmp_path), EMPTY_ROOM, 2, reward=reward, settings=settings).episodes == 2


def test_equal_settings_give_equal_runs_and_another_seed_another_one(tmp_path: Path) -> None:
    def trained(name: str, seed: int) -> list[tuple[float | None, float | None, object]]:
        train(EMPTY_ROOM, HalfWay(), dataclasses.replace(QUICK, seed=seed), tmp_path / name)
        lines = RunFolder(tmp_path / name).lines()
        return [(line.train_length, line.credited, line.evaluation) for line in lines]

    first = trained("a", 0)
    assert trained("b", 0) == first
    assert trained("c", 1) != first


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    first = train(EMPTY_ROOM, "sparse", QUICK, tmp_path)
    written = RunFolder(tmp_path).policy.stat().st_mtime_ns
    lines: list[Progress] = []
    assert train(EMPTY_ROOM, "sparse", QUICK, tmp_path, lines.append, resume=True) == first == result_of(tmp_path)
    assert lines == []
    assert RunFolder(tmp_path).policy.stat().st_mtime_ns == written
    with pytest.raises(UserError, match=r"has settings.seed = 0, not 1"):
        train(EMPTY_ROOM, "sparse", dataclasses.replace(QUICK, seed=1), tmp_path, resume=True)
    with pytest.raises(UserError, match="already holds a training run"):
        train(EMPTY_ROOM, "sparse", QUICK, tmp_path)


def test_ctrl_c_saves_a_checkpoint_from_which_the_run_goes_on(tmp_path: Path) -> None:
    settings = dataclasses.replace(QUICK, steps=320, eval_every=128)

    def interrupt(line: Progress) -> None:
        if line.steps == 192:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(EMPTY_ROOM, HalfWay(), settings, tmp_path, interrupt)
    run = RunFolder(tmp_path)
    before = run.lines()
    assert run.latest_checkpoint() == (192, run.checkpoint(192))
    assert not run.finished
    with pytest.raises(UserError, match="There is no finished training run"):
        result_of(tmp_path)
    with pytest.raises(UserError, match="is not finished"):
        load_policy(tmp_path)

    result = train(EMPTY_ROOM, HalfWay(), settings, tmp_path, resume=True)
    lines = run.lines()
    assert lines[: len(before)] == before
    assert [line.steps for line in lines] == [64, 128, 192, 256, 320]
    assert [line.evaluation is not None for line in lines] == [False, True, False, True, True]
    assert [line.wall_seconds for line in lines] == sorted(line.wall_seconds for line in lines)
    assert [line.episodes for line in lines] == sorted(line.episodes for line in lines)
    assert lines[-1].failures == 6
    assert result.steps == 320


class Interrupting(HalfWay):
    """Ctrl-C comes in the middle of a rollout."""

    def signals(self, initial, frames, ask):  # type: ignore[no-untyped-def]
        if self.asked > 120:
            raise KeyboardInterrupt
        return super().signals(initial, frames, ask)


def test_a_second_ctrl_c_does_not_cost_the_checkpoint_of_the_first(tmp_path: Path) -> None:
    def interrupt(line: Progress) -> None:
        if line.steps % 64:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(EMPTY_ROOM, Interrupting(), dataclasses.replace(QUICK, steps=320), tmp_path, interrupt)
    run = RunFolder(tmp_path)
    steps = run.lines()[-1].steps
    assert steps % 64 != 0
    assert run.latest_checkpoint() == (steps, run.checkpoint(steps))


def test_a_checkpoint_comes_without_an_evaluation_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("car.train.sb3.training._KEPT_STEPS", 100)
    settings = dataclasses.replace(QUICK, steps=512, eval_every=0)
    kept: list[tuple[int, int]] = []

    def note(line: Progress) -> None:
        latest = RunFolder(tmp_path / "a").latest_checkpoint()
        kept.append((line.steps, 0 if latest is None else latest[0]))

    train(EMPTY_ROOM, "sparse", settings, tmp_path / "a", note)
    # Whoever is told of steps finds what is kept on disk by then.
    assert kept == [(64, 0), (128, 128), (192, 128), (256, 256), (320, 256), (384, 384), (448, 384), (512, 512)]
    monkeypatch.setattr("car.train.sb3.training._KEPT_STEPS", 10_000)
    train(EMPTY_ROOM, "sparse", settings, tmp_path / "b")
    lines = [[each.train_reward for each in RunFolder(tmp_path / name).lines()] for name in "ab"]
    assert lines[0] == lines[1]


def test_a_run_killed_before_its_first_checkpoint_begins_again(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    train(EMPTY_ROOM, "sparse", QUICK, tmp_path)
    lines = [line.evaluation for line in run.lines()]
    run.policy.unlink()
    for checkpoint in run.checkpoints.iterdir():
        checkpoint.unlink()
    train(EMPTY_ROOM, "sparse", QUICK, tmp_path, resume=True)
    assert [line.evaluation for line in run.lines()] == lines


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    train(EMPTY_ROOM, "sparse", QUICK, tmp_path)
    run.policy.unlink()
    run.checkpoint(128).write_bytes(b"PK nothing")
    with pytest.raises(UserError, match=r"step-128.zip cannot be loaded .*; delete it to go on without it"):
        train(EMPTY_ROOM, "sparse", QUICK, tmp_path, resume=True)


@pytest.mark.parametrize("algo", ["a2c", "dqn"])
def test_other_algorithms_for_discrete_actions(tmp_path: Path, algo: str) -> None:
    settings = TrainSettings.for_algo(algo, steps=128, envs=2, n_steps=32, batch=16, eval_every=64, eval_episodes=2)
    result = train(EMPTY_ROOM, HalfWay(), settings, tmp_path)
    assert result.steps == 128
    assert [line.steps for line in RunFolder(tmp_path).lines()] == [64, 128]
    assert evaluate(load_policy(tmp_path), EMPTY_ROOM, 2).episodes == 2


def test_sac_for_continuous_actions(tmp_path: Path) -> None:
    settings = TrainSettings.for_algo("sac", steps=90, n_steps=40, batch=16, eval_every=0, eval_episodes=1)
    result = train(PENDULUM, "sparse", settings, tmp_path)
    lines = RunFolder(tmp_path).lines()
    assert [line.steps for line in lines] == [40, 80, 90]
    assert [line.evaluation is None for line in lines] == [True, True, False]
    assert result.evaluation is not None
    assert result.evaluation.length == 200
    # No training episode of 200 steps has ended yet.
    assert result.train_success is None


@pytest.mark.parametrize(("task", "algo", "needs"), [(PENDULUM, "dqn", "discrete"), (EMPTY_ROOM, "sac", "continuous")])
def test_an_algorithm_that_cannot_act_in_the_task(tmp_path: Path, task: object, algo: str, needs: str) -> None:
    with pytest.raises(UserError, match=f"The algorithm '{algo}' needs {needs} actions"):
        train(task, "sparse", TrainSettings.for_algo(algo, steps=10), tmp_path)  # type: ignore[arg-type]
    assert not RunFolder(tmp_path).settings.exists()


def test_a_bundle_that_is_not_there_leaves_the_folder_free(tmp_path: Path) -> None:
    with pytest.raises(BadBundle):
        train(EMPTY_ROOM, tmp_path / "bundle", QUICK, tmp_path / "run")
    RunFolder(tmp_path / "run").check({}, resume=False)


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = "import sys, car.train; print(sorted({'torch', 'stable_baselines3', 'matplotlib'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
