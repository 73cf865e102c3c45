"""The scorer of n episodes pays what n episodes alone pay, whatever ends them and whatever is looked at."""

from dataclasses import dataclass

import numpy as np
import pytest
from hallway import Corridor, chain
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.vec_env import DummyVecEnv

from car.errors import UserError
from car.milestones import Milestones, Shaping
from car.wrapper import DenseReward, DenseVecReward, FrameTap
from car.wrapper.scoring import Scorer, opened, shaping_for

MONOTONE = Shaping("potential", gamma=0.9, monotone_progress=True)
SHAPINGS = [Shaping("potential", gamma=0.9), MONOTONE, Shaping("bonus", scale=2.0, goal=1.0)]
SIGNALS = (0.0, 0.3, 0.8, 1.0, 1.0, float("nan"))


@dataclass
class Step:
    """A step of one environment.

    Args:
        row: of the table, after the step.
        terminated: the episode.
        truncated: the episode.
        seen: whether the frame is looked at.
        fresh: the row on the first frame of the next episode, if this one ends.
    """

    row: int
    terminated: bool
    truncated: bool
    seen: bool
    fresh: int


class PixelReward:
    """Signals from a table; the frame's first pixel says which row."""

    name = "pixel"
    frame_shape = None

    def __init__(self, table: np.ndarray, after: list[list[int]], shaping: Shaping) -> None:
        self.table, self.after, self.shaping = table, after, shaping
        self.names = tuple(map(str, range(len(after))))

    def signals(self, initial: np.ndarray, frames: np.ndarray, ask: np.ndarray) -> np.ndarray:
        return np.where(ask, self.table[frames[:, 0, 0, 0]], np.nan)

    def episode(self) -> Milestones:
        return Milestones(self.after, self.shaping)

    def close(self) -> None:
        """Nothing runs behind it."""


class Alone:
    """One environment's episodes, one after the other, which are told all signals."""

    def __init__(self, reward: PixelReward, row: int) -> None:
        self.reward = reward
        self.begin(row)

    def begin(self, row: int) -> None:
        self.episode, self.since = self.reward.episode(), 0
        self.episode.start(self.reward.table[row])

    def step(self, step: Step) -> float:
        self.since += 1
        if not step.seen:
            return 0.0
        steps, self.since = self.since, 0
        return self.episode.step(self.reward.table[step.row], step.terminated, step.truncated, steps)


def frame(row: int) -> np.ndarray:
    return np.full((4, 4, 3), row, np.uint8)


def random_step(rng: np.random.Generator, rows: int) -> Step:
    terminated, truncated = (rng.random(2) < 0.15).tolist()
    seen = terminated or truncated or bool(rng.random() < 0.7)
    return Step(int(rng.integers(rows)), terminated, truncated, seen, int(rng.integers(rows)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPINGS))
def test_a_scorer_pays_each_environment_what_its_episodes_alone_pay(seed, shaping) -> None:
    rng = np.random.default_rng(seed)
    count, rows, environments = (int(rng.integers(1, most)) for most in (5, 7, 4))
    after = [np.flatnonzero(rng.random(index) < 0.5).tolist() for index in range(count)]
    reward = PixelReward(rng.choice(SIGNALS, (rows, count)), after, shaping)
    first = rng.integers(0, rows, environments).tolist()
    scorer, alone = Scorer(reward, environments), [Alone(reward, row) for row in first]
    scorer.start([frame(row) for row in first])
    for _ in range(12):
        steps = [random_step(rng, rows) for _ in alone]
        ended = {index: step for index, step in enumerate(steps) if step.terminated or step.truncated}
        scored = scorer.step(
            [frame(step.row) if step.seen else None for step in steps],
            [(step.terminated, step.truncated) for step in steps],
            {index: frame(step.fresh) for index, step in ended.items()},
        )
        for each, step, paid in zip(alone, steps, scored, strict=True):
            assert paid.shaped == each.step(step)
            assert paid.milestones.tolist() == each.episode.milestones.tolist()
        for index, step in ended.items():
            alone[index].begin(step.fresh)
        assert scorer.milestones().tolist() == [each.episode.milestones.tolist() for each in alone]


def test_the_shaping_is_made_of_what_a_wrapper_is_told() -> None:
    assert shaping_for("potential", "add", 0.9, 2.0, True) == Shaping("potential", 0.9, 2.0, 0.0, True)
    assert shaping_for("potential", "replace", 0.9, 2.0) == Shaping("potential", 0.9, 2.0, 2.0, False)
    assert shaping_for("bonus", "replace", 0.9, 2.0) == Shaping("bonus", 0.9, 2.0, 0.0, False)
    with pytest.raises(UserError, match="monotone_progress goes with the shaping 'potential'"):
        shaping_for("bonus", "add", 0.9, 2.0, True)
    with pytest.raises(UserError, match="monotone_progress goes with the shaping 'potential'"):
        opened(chain(), "bonus", "add", 0.9, 1.0, False, monotone_progress=True)
    with pytest.raises(UserError, match="multiplied by more than 1000; look more often"):
        opened(chain(), "potential", "add", 0.5, 1.0, False, every=1200)
    opened(chain(), "potential", "add", 0.5, 1.0, False, every=10)
    opened(chain(), "bonus", "add", 0.5, 1.0, False, every=1200)


def test_an_agent_that_observes_milestones_sees_the_largest_progress_and_facts_tell_what_is_credited() -> None:
    env = DenseReward(Corridor(max_steps=20), chain(MONOTONE), "potential", observe_milestones=True)
    venv = DenseVecReward(
        DummyVecEnv([lambda: FrameTap(Corridor(max_steps=20))]), chain(MONOTONE), observe_milestones=True
    )
    seed = next(seed for seed in range(20) if env.reset(seed=seed)[1]["start"] == 0)
    env.reset(seed=seed)
    venv.seed(seed)
    venv.reset()
    for action, progress in ((1, 1 / 3), (1, 2 / 3), (0, 2 / 3), (0, 2 / 3)):
        observation, _, _, _, info = env.step(action)
        observations, _, _, infos = venv.step(np.array([action]))
        assert observation[2:] == pytest.approx([progress, 0.0, 0.0])
        assert observations[0, 2:] == pytest.approx([progress, 0.0, 0.0])
        assert info["car/milestones"] == infos[0]["car/milestones"] == dict.fromkeys(info["car/milestones"], False)
        assert info["car/credited"] == infos[0]["car/credited"] == 0


def test_progress_so_near_to_done_that_it_would_round_to_it_does_not_look_credited() -> None:
    almost = PixelReward(np.array([[np.nextafter(1.0, 0.0)]]), [[]], MONOTONE)
    scorer = Scorer(almost, 1)
    scorer.start([frame(0)])
    assert 0.999 < scorer.milestones()[0, 0] < 1
