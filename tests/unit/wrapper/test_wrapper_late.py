"""Steps that are scored later get the scores that they would have got at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from car.checker import SubTask
from car.errors import BadFrame
from car.milestones import Shaping
from car.rewards.code import CodeReward
from car.rewards.sharing import lease_of
from car.rewards.watch import Watch
from car.sandbox import Ran
from car.wrapper.late import LateScorer, Move
from car.wrapper.scoring import Scorer
from tests.unit.rewards.fake_session import FakeSession, brightness

SUBTASKS = [SubTask("a", "."), SubTask("b", ".", ("a",)), SubTask("c", ".", ("a", "b"))]
SHAPINGS = [
    Shaping("bonus"),
    Shaping("potential", gamma=0.9),
    Shaping("potential", gamma=0.9, monotone_progress=True),
]


def still(level: int) -> np.ndarray:
    frame = np.full((4, 4, 3), level, np.uint8)
    frame.setflags(write=False)
    return frame


FRAMES = {level: still(level) for level in range(8, 17)}


def reward(shaping: Shaping) -> tuple[CodeReward, FakeSession]:
    """Frames of brightness 13 make its programs fail."""
    session = FakeSession([brightness(2), brightness(4), brightness(5)])
    return CodeReward(lease_of(session, Watch(every=0)), SUBTASKS, "fake", shaping), session


def moves(rng: np.random.Generator, count: int, seen: float) -> tuple[list[np.ndarray], list[Move]]:
    """First frames, and steps that go on from them."""
    first = levels = [int(level) for level in rng.integers(8, 11, count)]
    made = []
    for _ in range(int(rng.integers(1, 60))):
        levels = [int(np.clip(each + rng.integers(-1, 3) * (rng.random() < 0.4), 8, 16)) for each in levels]
        ends = [(bool(rng.random() < 0.04), bool(rng.random() < 0.04)) for _ in levels]
        looked = [
            FRAMES[each] if any(end) or rng.random() < seen else None for each, end in zip(levels, ends, strict=True)
        ]
        fresh = {index: int(rng.integers(8, 11)) for index, end in enumerate(ends) if any(end)}
        made.append(Move(looked, ends, {index: FRAMES[level] for index, level in fresh.items()}))
        for index, level in fresh.items():
            levels[index] = level
    return [FRAMES[level] for level in first], made


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPINGS), st.sampled_from([0.4, 1.0]), st.integers(1, 5))
def test_late_scores_are_the_scores(seed, shaping, seen, count) -> None:
    rng = np.random.default_rng(seed)
    first, made = moves(rng, count, seen)
    at_once, (prompt, _), (patient, _) = [], reward(shaping), reward(shaping)
    now, later = Scorer(prompt, count), Scorer(patient, count)
    now.start(first)
    later.start(first)
    late, afterwards = LateScorer(later), []
    for move in made:
        at_once.append(now.step(*move))
        late.add(move)
        if late.full or rng.random() < 0.05:
            afterwards += list(late.settle())
    afterwards += list(late.settle())
    assert len(afterwards) == len(at_once)
    for move, scored, (scored_late, ended) in zip(made, at_once, afterwards, strict=True):
        assert [each.shaped for each in scored_late] == [each.shaped for each in scored]
        for one, other in zip(scored_late, scored, strict=True):
            np.testing.assert_array_equal(one.milestones, other.milestones)
        assert list(ended) == list(move.fresh)
    np.testing.assert_array_equal(later.milestones(), now.milestones())
    assert patient.failures == prompt.failures


def test_many_steps_are_asked_in_few_calls_and_little_in_vain() -> None:
    count, steps = 4, 32
    asked, calls = [], []
    for late in (False, True):
        made, session = reward(Shaping("bonus"))
        scorer = Scorer(made, count)
        scorer.start([FRAMES[8]] * count)
        waiting = LateScorer(scorer)
        rng = np.random.default_rng(0)
        for _ in range(steps):
            # Every step shows what nobody has seen, and nothing is done.
            frames = [rng.integers(0, 9, (4, 4, 3), np.uint8) for _ in range(count)]
            for frame in frames:
                frame[0, 0, 0] = 8
                frame.setflags(write=False)
            move = Move(frames, [(False, False)] * count, {})
            waiting.add(move) if late else scorer.step(*move)
        list(waiting.settle())
        asked.append(session.asked)
        calls.append(session.calls)
    assert asked == [1 + count * steps] * 2
    assert calls[0] == 1 + steps
    assert calls[1] < steps / 3


def test_no_frame_is_asked_about_with_the_first_frame_of_another_episode() -> None:
    asked: set[tuple[bytes, bytes]] = set()

    def judge(first: np.ndarray, frame: np.ndarray) -> Ran:
        asked.add((first.tobytes(), frame.tobytes()))
        return Ran(bool(frame[0, 0, 0] >= 200))

    made = CodeReward(lease_of(FakeSession([judge] * 3), Watch(every=0)), SUBTASKS, "fake", Shaping("bonus"))
    count, chance = 8, np.random.default_rng(1)
    scorer = Scorer(made, count)
    levels = iter(range(1, 1 << 20))

    def new_frame(done: bool = False) -> np.ndarray:
        frame = np.frombuffer(np.uint32(next(levels)).tobytes() * 12, np.uint8).reshape(4, 4, 3).copy()
        frame[0, 0, 0] = 200 if done else 0
        frame.setflags(write=False)
        return frame

    first = [new_frame() for _ in range(count)]
    scorer.start(first)
    late, real = LateScorer(scorer), {(each.tobytes(), each.tobytes()) for each in first}
    for _ in range(20):
        while not late.full:
            frames = [new_frame(bool(chance.random() < 0.1)) for _ in range(count)]
            ends = [(bool(chance.random() < 0.1), False) for _ in range(count)]
            fresh = {index: new_frame() for index, (end, _) in enumerate(ends) if end}
            real |= {(begun.tobytes(), frame.tobytes()) for begun, frame in zip(first, frames, strict=True)}
            late.add(Move(frames, ends, fresh))
            for index, frame in fresh.items():
                first[index] = frame
                real.add((frame.tobytes(), frame.tobytes()))
        list(late.settle())
    assert len(asked) > 1000
    assert asked <= real


def test_it_is_full_after_some_steps_or_some_room() -> None:
    made, _ = reward(Shaping("bonus"))
    scorer = Scorer(made, 1)
    late = LateScorer(scorer)
    for _ in range(31):
        late.add(Move([FRAMES[8]], [(False, False)], {}))
    assert not late.full
    late.add(Move([None], [(False, False)], {}))
    assert late.full
    late.forget()
    assert not late.full
    large = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (4096, 4096, 3))
    late.add(Move([large], [(False, False)], {}))
    late.add(Move([large], [(False, False)], {}))
    assert late.full


def test_what_is_wrong_with_a_step_is_found_when_it_is_scored() -> None:
    made, _ = reward(Shaping("bonus"))
    scorer = Scorer(made, 1)
    scorer.start([FRAMES[8]])
    late = LateScorer(scorer)
    late.add(Move([None], [(True, False)], {0: FRAMES[8]}))
    with pytest.raises(BadFrame, match="ended without a frame"):
        list(late.settle())
