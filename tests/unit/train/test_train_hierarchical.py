"""Runs in which each sub-task has a policy of its own."""

import dataclasses
import json
import signal
from pathlib import Path

import pytest
from empty_room import EMPTY_ROOM, QUICK, HalfWay
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from car.cli.app import app
from car.errors import UserError
from car.milestones import Milestones, Shaping
from car.tasks import find_task
from car.train import TrainSettings, evaluate, load_policy, train
from car.train.folder import RunFolder

BUNDLE = Path(__file__).parents[3] / "generated_rewards" / "doorkey-8x8"
HIERARCHICAL = dataclasses.replace(QUICK, hierarchical=True, steps=192)


class Forked(HalfWay):
    """Two sub-tasks of which either may come first."""

    def episode(self) -> Milestones:
        return Milestones([[], []], Shaping("bonus"))


def test_a_run_leaves_what_a_flat_one_does_and_counts_the_environments_episodes(tmp_path: Path) -> None:
    result = train(EMPTY_ROOM, HalfWay(), HIERARCHICAL, tmp_path)
    run = RunFolder(tmp_path)
    about = run.read_settings()["settings"]
    assert about["hierarchical"] is True
    assert TrainSettings(**about) == HIERARCHICAL
    last = run.lines()[-1]
    assert last.train_length is not None
    # An episode has twenty steps at most, so all but the last few of each environment are in episodes that ended.
    assert 192 - 2 * 20 < round(last.episodes * last.train_length) <= 192
    assert last.credited is not None
    assert 0 < last.credited <= 1
    assert result.evaluation is not None
    assert result.evaluation.episodes == 2
    assert run.curve.exists()
    events = EventAccumulator(str(run.tensorboard))
    events.Reload()
    assert {"option_done/moved", "option_done/moved-down", "train/value_loss"} <= set(events.Tags()["scalars"])
    assert all(0 <= each.value <= 1 for each in events.Scalars("option_done/moved"))


def test_its_policy_is_evaluated_with_the_reward_that_says_which_option_runs(tmp_path: Path) -> None:
    reward = HalfWay()
    train(EMPTY_ROOM, reward, HIERARCHICAL, tmp_path)
    policy = load_policy(tmp_path)
    asked = reward.asked
    first = evaluate(policy, EMPTY_ROOM, 3, reward=reward, settings=HIERARCHICAL)
    assert first.episodes == 3
    assert reward.asked > asked
    assert evaluate(policy, EMPTY_ROOM, 3, reward=reward, settings=HIERARCHICAL) == first
    with pytest.raises(UserError, match="must be told which option runs: evaluate it with the reward and the settings"):
        evaluate(policy, EMPTY_ROOM, 3)


def test_equal_settings_give_equal_runs(tmp_path: Path) -> None:
    def trained(name: str) -> list[object]:
        train(EMPTY_ROOM, HalfWay(), HIERARCHICAL, tmp_path / name)
        return [(line.train_length, line.credited, line.evaluation) for line in RunFolder(tmp_path / name).lines()]

    assert trained("a") == trained("b")


def test_ctrl_c_saves_a_checkpoint_from_which_all_options_go_on(tmp_path: Path) -> None:
    settings = dataclasses.replace(HIERARCHICAL, steps=256)

    def interrupt(line: object) -> None:
        if line.steps == 128:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(EMPTY_ROOM, HalfWay(), settings, tmp_path, interrupt)
    with pytest.raises(UserError, match=r"settings.hierarchical = True, not False"):
        train(EMPTY_ROOM, HalfWay(), dataclasses.replace(settings, hierarchical=False), tmp_path, resume=True)
    assert train(EMPTY_ROOM, HalfWay(), settings, tmp_path, resume=True).steps == 256
    assert [line.steps for line in RunFolder(tmp_path).lines()] == [64, 128, 192, 256]


def test_a2c_milestones_seen_too_and_the_environments_reward_replaced(tmp_path: Path) -> None:
    settings = TrainSettings.for_algo(
        "a2c", steps=64, envs=2, n_steps=16, eval_every=0, eval_episodes=2, hierarchical=True, observe_milestones=True,
        env_reward="replace", scale=3.0,
    )  # fmt: skip
    reward = Forked()
    train(EMPTY_ROOM, reward, settings, tmp_path)
    assert evaluate(load_policy(tmp_path), EMPTY_ROOM, 2, reward=reward, settings=settings).episodes == 2


def test_the_shipped_bundle(tmp_path: Path) -> None:
    task = dataclasses.replace(find_task("doorkey-8x8"), env_kwargs={"max_steps": 30})
    settings = TrainSettings(
        steps=64, envs=2, n_steps=32, batch=32, epochs=1, eval_every=0, eval_episodes=1, hierarchical=True
    )
    train(task, BUNDLE, settings, tmp_path)
    about = json.loads((tmp_path / "settings.json").read_text())
    assert about["settings"]["hierarchical"]
    assert about["isolation"]["level"] >= 2
    assert load_policy(tmp_path).options[2] is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize("changes", [{"algo": "dqn"}, {"algo": "sac"}, {"shaping": "potential"}])
def test_what_cannot_be_hierarchical_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(UserError, match="hierarchical = True must be off unless algo is ppo or a2c, and shaping is"):
        TrainSettings(**{"hierarchical": True, **changes})  # type: ignore[arg-type]


def test_the_sparse_reward_has_no_options_and_leaves_the_folder_free(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="The sparse reward has no sub-tasks"):
        train(EMPTY_ROOM, "sparse", HIERARCHICAL, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    answer = CliRunner().invoke(
        app, ["train", "doorkey-8x8", "--reward", "sparse", "--hierarchical", "--out", str(tmp_path / "runs")]
    )
    assert answer.exit_code == 2
    assert "The sparse reward has no sub-tasks" in " ".join(answer.output.split())
    assert not (tmp_path / "runs").exists()


def test_the_command_passes_it_on(tmp_path: Path) -> None:
    answer = CliRunner().invoke(
        app,
        ["train", "doorkey-8x8", "--reward", str(BUNDLE), "--hierarchical", "--algo", "dqn", "--out", str(tmp_path)],
    )
    assert answer.exit_code == 2
    assert "hierarchical = True must be off unless" in " ".join(answer.output.split())
