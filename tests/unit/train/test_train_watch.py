"""A run whose reward changes under the learner: it stops, says why, and what it had learnt can be read."""

import dataclasses
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from empty_room import EMPTY_ROOM, QUICK

from car.checker import Checker, SubTask
from car.errors import RewardChanged, UserError
from car.rewards.code import CodeReward
from car.rewards.sharing import lease_of
from car.rewards.watch import Watch
from car.sandbox import Answers
from car.sandbox.isolation import Isolation
from car.train import load_policy, result_of, train
from car.train.folder import RunFolder

LONG = dataclasses.replace(QUICK, steps=20_000, eval_every=256)
EVER = "The program for 'moved' is not pure: .* `car generate TASK --fresh`."


class Counting:
    """Takes frames of which no two are equal."""

    def __init__(self) -> None:
        self.taken = 0

    def __call__(self, env: gym.Env, observation: object) -> np.ndarray:
        self.taken += 1
        return np.full((4, 4, 3), (self.taken % 256, self.taken // 256 % 256, self.taken // 65536), np.uint8)


ROOM = dataclasses.replace(EMPTY_ROOM, camera=f"{__name__}:Counting")


class Sleeper:
    """A session of one checker that says that nothing moved, and after some calls that everything did."""

    checkers = (Checker(SubTask("moved", "."), ""),)
    isolation = Isolation(3, (), {"limits": "none, for no program runs"})

    def __init__(self, calls: float) -> None:
        self.calls = calls

    def run(self, initial, frames, ask=None, explain=False):
        self.calls -= len(frames)
        done = np.full((len(frames), 1), self.calls < 0, np.int8)
        return Answers(done, np.full(done.shape, np.nan), {})

    def renew(self):
        pass

    def __exit__(self, kind, error, trace):
        pass


def reward(calls: float) -> CodeReward:
    lease = lease_of(Sleeper(calls), Watch(every=10))
    return CodeReward(lease, [SubTask("moved", ".")], "sleepy")


def test_it_stops_and_leaves_a_folder_that_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(RewardChanged, match=f"{EVER} The run was stopped; what it had learnt is in {tmp_path}."):
        train(ROOM, reward(300), LONG, tmp_path)
    run = RunFolder(tmp_path)
    last = run.lines()[-1]
    assert 256 < last.steps < LONG.steps
    assert last.asked_again is not None
    assert last.asked_again > 1
    assert run.latest_checkpoint() == (last.steps, run.checkpoint(last.steps))
    assert run.curve.read_bytes().startswith(b"\x89PNG")
    assert not run.finished
    assert "is not pure" in run.stopped.read_text()
    with pytest.raises(UserError, match=f"The training run in {tmp_path} was stopped. {EVER}"):
        result_of(tmp_path)
    with pytest.raises(UserError, match="is not finished"):
        load_policy(tmp_path)


def test_it_goes_on_only_if_a_person_wants_it_to(tmp_path: Path) -> None:
    with pytest.raises(RewardChanged):
        train(ROOM, reward(300), LONG, tmp_path)
    run = RunFolder(tmp_path)
    with pytest.raises(UserError, match=rf"was stopped. {EVER} Then train in another folder; .* delete .*stopped.txt"):
        train(ROOM, reward(np.inf), LONG, tmp_path, resume=True)
    before = run.lines()
    curve = run.curve.read_bytes()
    run.stopped.unlink()

    def interrupt(line: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(ROOM, reward(np.inf), LONG, tmp_path, interrupt, resume=True)
    lines = run.lines()
    assert lines[: len(before)] == before
    assert lines[-1].steps > before[-1].steps
    # In so few steps none may have been slipped in.
    assert lines[-1].asked_again >= before[-1].asked_again
    assert run.curve.read_bytes() == curve


def test_a_pure_reward_is_asked_again_and_changes_nothing(tmp_path: Path) -> None:
    def trained(every: int) -> list[tuple[object, ...]]:
        folder = tmp_path / str(every)
        live = CodeReward(lease_of(Sleeper(np.inf), Watch(every=every)), [SubTask("moved", ".")], "awake")
        train(ROOM, live, QUICK, folder)
        lines = RunFolder(folder).lines()
        assert (lines[-1].asked_again or 0) == live.watched.slipped
        return [(line.train_length, line.credited, line.evaluation, line.failures) for line in lines]

    watched = trained(2)
    assert watched == trained(0)


def test_a_run_holds_the_isolation_it_was_begun_at(tmp_path: Path) -> None:
    train(ROOM, reward(float("inf")), QUICK, tmp_path)
    assert RunFolder(tmp_path).read_settings()["isolation"] == Sleeper.isolation.as_dict()


def test_a_run_does_not_go_on_at_a_lower_isolation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RewardChanged):
        train(ROOM, reward(300), LONG, tmp_path)
    (tmp_path / "stopped.txt").unlink()
    monkeypatch.setattr(Sleeper, "isolation", Isolation(1, ("send signals",), {}))
    with pytest.raises(UserError, match=r"begun at isolation level 3, and here .* level 1 of 3.* name another folder"):
        train(ROOM, reward(float("inf")), LONG, tmp_path, resume=True)
