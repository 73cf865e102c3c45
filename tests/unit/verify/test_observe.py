"""What checkers are asked, in which order, and that asking less changes no verdict."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from car.bundle import list_bundles, load_bundle
from car.checker import Checker, SubTask
from car.milestones import Milestones
from car.record import load_set
from car.sandbox import Answers, Crashed, Limits, Ran, Sandbox
from car.sandbox.isolation import Isolation
from car.sandbox.process import ProcessSandbox
from car.trajectory import Trajectory
from car.verify import Observation, Split, judge, observe, twice
from car.verify.credit import credited, prerequisites
from car.verify.inquiry import _AHEAD
from tests.planted import doorkey as planted
from tests.unit.refine.scripted import InThisProcess

ROOT = Path(__file__).parents[3]
SHIPPED = [each.name for each in list_bundles(ROOT / "generated_rewards")]
Asked = tuple[int, int, int]
"""Episode, level of the frame, checker."""
Table = Callable[[int, int, int], Ran | Crashed]

CHAINS = (((), ("a",), ("b",)), ((), ("a",), ("a", "b")), ((), (), ("a", "b")), ((), (), ()))
FAILED = Crashed("check", "ValueError: no", 2)


class Told:
    """A session whose checkers say what a table says; `asked` is what they were asked, in order."""

    isolation = Isolation(0, (), {})

    def __init__(self, table: Table, after: Sequence[Sequence[str]] = CHAINS[1], size: int = 4) -> None:
        self.checkers = [
            Checker(SubTask(name, ".", tuple(before), goal=place == len(after) - 1), name)
            for place, (name, before) in enumerate(zip("abcdef", after, strict=False))
        ]
        self.asked: list[Asked] = []
        self.batches = 0
        self._table = table

    def run(self, initial, frames, ask=None, explain=False):
        self.batches += 1
        shape = len(frames), len(self.checkers)
        done, progress, failures = np.full(shape, -1, np.int8), np.full(shape, np.nan), {}
        firsts = np.broadcast_to(initial, frames.shape)
        for row, checker in np.argwhere(np.ones(shape, bool) if ask is None else ask).tolist():
            level, episode, _ = frames[row, 0, 0].tolist()
            assert firsts[row, 0, 0, 1] == episode
            self.asked.append((episode, level, checker))
            said = self._table(episode, level, checker)
            if isinstance(said, Ran):
                done[row, checker] = said.done
                progress[row, checker] = np.nan if said.progress is None else said.progress
            else:
                done[row, checker], failures[row, checker] = -2, said
        return Answers(done, progress, failures)


def episode(number: int, levels: Sequence[int], who: str, success: bool | None = None, side: int = 4) -> Trajectory:
    """An episode of frames that show these levels, and its number; the pictures lie in another order than in time."""
    levels = list(levels)
    known = sorted(set(levels), key=lambda level: (-level % 7, level))
    pictures = np.zeros((len(known), side, side, 3), np.uint8)
    pictures[..., 0], pictures[..., 1] = np.array(known)[:, None, None], number
    order = np.array([known.index(level) for level in levels])
    return Trajectory(pictures, order, None, None, number, who, success)


def at_level(*done: int) -> Table:
    """Checker number i has it done at level done[i], and only there."""
    return lambda number, level, checker: Ran(level == done[checker])


def but_at(table: Table, said: Ran | Crashed, level: int, checker: int) -> Table:
    """The same but for one checker at one level."""
    return lambda *asked: said if asked[1:] == (level, checker) else table(*asked)


def drawn(seed: int, share: float, failing: float = 0.0) -> Table:
    """Answers and failures by chance, always the same for the same question."""

    def table(number: int, level: int, checker: int) -> Ran | Crashed:
        chance = np.random.default_rng([seed, number, level, checker])
        fails, done, progress = chance.random(3)
        return FAILED if fails < failing else Ran(bool(done < share), float(progress) if checker else None)

    return table


def plainly(session: Told, trajectories: Sequence[Trajectory]) -> list[Observation]:
    """Every checker about every distinct frame of one trajectory after the other, until it fails."""
    seen, sound = [], [True] * len(session.checkers)
    for each in trajectories:
        done = np.zeros((len(each), len(sound)), bool)
        failures = {}
        for time, checker in itertools.product(range(len(each)), np.flatnonzero(sound).tolist()):
            answers = session.run(each.frame(0), each.frames[time : time + 1])
            done[time, checker] = answers.done[0, checker] == 1
            if (0, checker) in answers.failures:
                failures.setdefault(checker, (time, answers.failures[0, checker]))
        for checker in failures:
            sound[checker] = False
        seen.append(Observation(each, done, failures))
    return seen


LEVELS = st.lists(st.integers(0, 30), min_size=1, max_size=60)
EPISODES = st.tuples(st.lists(LEVELS, min_size=1, max_size=2), st.lists(LEVELS, min_size=1, max_size=6))


def played(levels: tuple[list[list[int]], list[list[int]]]) -> list[Trajectory]:
    experts, randoms = levels
    made = [episode(number, each, "expert", success=True) for number, each in enumerate(experts)]
    return made + [
        episode(number, each, "random", success=None if number % 2 else False)
        for number, each in enumerate(randoms, len(experts))
    ]


@settings(deadline=None)
@given(EPISODES, st.integers(0, 1000), st.sampled_from([0.02, 0.1, 0.5]), st.sampled_from(CHAINS))
def test_asking_only_what_training_would_ask_gives_the_same_verdict(levels, seed, share, after) -> None:
    trajectories, table = played(levels), drawn(seed, share)
    plain = plainly(Told(table, after), trajectories)
    session = Told(table, after)
    little = observe(session, trajectories, Told(table, after), thorough=False)
    assert judge(session.checkers, little) == judge(session.checkers, [_measured(each) for each in plain])
    for each, full in zip(little, plain, strict=True):
        assert (each.done == (full.done & each.asked)).all()
        assert each.asked.all() or each.trajectory.who == "random"


def _measured(plain: Observation) -> Observation:
    return Observation(plain.trajectory, plain.done, plain.failures, isolation=Told.isolation)


@settings(deadline=None)
@given(EPISODES, st.integers(0, 1000), st.sampled_from([0.02, 0.3]), st.sampled_from(CHAINS))
def test_training_asks_nothing_else_and_little_less(levels, seed, share, after) -> None:
    trajectories, table = played(levels), drawn(seed, share)
    session = Told(table, after)
    before = prerequisites(session.checkers)
    for number, each in enumerate(observe(session, trajectories, thorough=False)):
        if each.trajectory.who == "random":
            levels_of = each.trajectory.frames[:, 0, 0, 0].tolist()
            training = _asked_in_training(
                [[table(number, level, c).done for c in range(3)] for level in levels_of], before
            )
            assert (each.asked | ~training).all()
            for checker in range(3):
                asked, needed = (
                    {levels_of[time] for time in np.flatnonzero(mask[:, checker])} for mask in (each.asked, training)
                )
                assert len(asked - needed) <= _AHEAD


def _asked_in_training(done: Sequence[Sequence[bool]], after: Sequence[Sequence[int]]) -> np.ndarray:
    """Which checker a reward asks about which frame, a round at a time as `car.wrapper` does."""
    milestones, asked = Milestones(after), np.zeros((len(done), len(after)), bool)
    for time, said in enumerate(done):
        wanted, signals = milestones.wanted, np.full(len(after), np.nan)
        while (wanted & ~asked[time]).any():
            asked[time] |= wanted
            signals[asked[time]] = np.array(said, float)[asked[time]]
            wanted = milestones.also_wanted(signals)
        milestones.start(signals) if time == 0 else milestones.step(signals, terminated=False, truncated=False)
    return asked


@settings(deadline=None)
@given(EPISODES, st.integers(0, 1000), st.sampled_from([0.01, 0.2]), st.sampled_from(CHAINS))
def test_whoever_fails_is_asked_up_to_the_first_trajectory_on_which_it_fails(levels, seed, failing, after) -> None:
    trajectories, table = played(levels), drawn(seed, 0.1, failing)
    plain = plainly(Told(table, after), trajectories)
    second = Told(table, after)
    thorough = observe(Told(table, after), trajectories, second)
    little = observe(Told(table, after), trajectories, thorough=False)
    assert not any(each.disagreements for each in thorough)
    failed = {checker for each in thorough for checker in each.failures}
    assert not any(checker in failed for _, _, checker in second.asked)
    # One that fails only where nobody asks in training is the one that goes unnoticed.
    same = [thorough, little] if any(each.failures for each in little) else [thorough]
    for seen in same:
        for each, expected in zip(seen, plain, strict=True):
            assert (each.done == expected.done).all()
            assert each.failures == expected.failures


def test_a_failure_that_only_a_random_episode_shows_names_the_first_frame_after_all() -> None:
    """Checker c may be asked at level 5 only, but fails on level 3 of an earlier episode already."""
    trajectories = [episode(0, [0, 1, 2, 5], "expert", success=True)]
    trajectories += [episode(1, [0, 3], "random"), episode(2, [0, 1, 2, 3], "random")]
    table = but_at(at_level(1, 2, 5), FAILED, level=3, checker=2)
    seen = observe(Told(table), trajectories, thorough=False)
    assert [each.failures for each in seen] == [{}, {2: (1, FAILED)}, {}]
    assert not seen[2].asked[:, 2].any()


def test_a_failure_where_nobody_asks_is_found_by_a_thorough_look_only() -> None:
    trajectories = [episode(0, [0, 1, 2, 5], "expert", success=True), episode(1, [0, 3, 4], "random")]
    table = but_at(at_level(1, 2, 5), FAILED, level=3, checker=2)
    assert observe(Told(table), trajectories)[1].failures == {2: (1, FAILED)}
    assert observe(Told(table), trajectories, thorough=False)[1].failures == {}


def test_of_a_random_episode_only_what_can_matter_is_asked() -> None:
    trajectories = [episode(0, range(60), "expert", success=True), episode(1, range(60), "random")]
    session = Told(at_level(20, 40, 200))
    expert, random = observe(session, trajectories, thorough=False)
    assert expert.asked.all()
    assert random.asked[:21, 0].all()
    assert random.asked[:, 0].sum() < 21 + _AHEAD
    assert np.flatnonzero(random.asked[:, 1]).tolist()[:2] == [0, 20]
    assert random.asked[20:41, 1].all()
    assert random.asked[:, 1].sum() < 22 + _AHEAD
    assert np.flatnonzero(random.asked[:, 2]).tolist() == [0, *range(40, 60)]
    assert credited(random.done, [[], [0], [0, 1]]) == [20, 40, None]


def test_a_checker_whose_chain_is_not_all_there_is_asked_about_everything() -> None:
    """What comes before it is judged elsewhere, so nobody here knows from when on it can matter."""
    session = Told(at_level(2, 3), after=((), ("elsewhere",)))
    seen = observe(session, [episode(0, range(30), "random")], thorough=False)
    assert seen[0].asked[:, 1].all()
    assert not seen[0].asked[:, 0].all()


def test_a_thorough_look_asks_everything_and_is_what_one_gets() -> None:
    trajectories = [episode(0, [0, 1, 0], "expert"), episode(1, range(40), "random")]
    seen = observe(Told(at_level(1, 2, 3)), trajectories)
    assert all(each.asked.all() for each in seen)


@pytest.mark.parametrize("thorough", [True, False])
def test_nothing_is_asked_twice_and_the_second_time_in_another_order(thorough: bool) -> None:
    trajectories = [episode(number, [0, 1, 2, 1, 0, *range(20)], "expert") for number in range(4)]
    trajectories += [episode(number, [step // 2 for step in range(80)], "random") for number in range(4, 12)]
    first, second = (Told(at_level(10, 15, 50)) for _ in range(2))
    observe(first, trajectories, second, thorough=thorough)
    assert len(set(first.asked)) == len(first.asked)
    assert sorted(second.asked) == sorted(first.asked)
    for checker in range(3):
        one, other = ([each for each in session.asked if each[2] == checker] for session in (first, second))
        episodes, shuffled = (list(dict.fromkeys(number for number, _, _ in asked)) for asked in (one, other))
        assert episodes == sorted(episodes)
        assert shuffled != episodes
        for number in range(12):
            levels, mixed = ([level for where, level, _ in asked if where == number] for asked in (one, other))
            assert levels == sorted(levels)
            assert mixed != levels or len(levels) < 4


@pytest.mark.parametrize("thorough", [True, False])
def test_many_trajectories_go_in_few_batches(thorough: bool) -> None:
    trajectories = [episode(number, range(20), "expert") for number in range(20)]
    trajectories += [episode(number, range(40), "random") for number in range(20, 120)]
    first, second = (Told(at_level(10, 15, 50)) for _ in range(2))
    observe(first, trajectories, second, thorough=thorough)
    assert max(first.batches, second.batches) < len(trajectories) / 3


@pytest.mark.parametrize("thorough", [True, False])
def test_an_answer_that_changes_is_told_with_its_time(thorough: bool) -> None:
    trajectories = [episode(0, [0, 1, 2, 9], "expert"), episode(1, [0, 4, 0, 5, 6], "random")]
    known = at_level(1, 2, 9)
    changed = but_at(known, Ran(True), level=5, checker=0)
    seen = observe(Told(known), trajectories, Told(changed), thorough=thorough)
    assert seen[0].disagreements == {}
    ((checker, found),) = seen[1].disagreements.items()
    assert (checker, found.time, found.first, found.second) == (0, 3, "False", "True")


def test_progress_that_changes_is_a_disagreement_too() -> None:
    trajectories = [episode(0, [0, 1], "random")]
    one, other = (Told(lambda n, level, checker, p=p: Ran(False, p)) for p in (0.25, 0.5))
    found = observe(one, trajectories, other)[0].disagreements[1]
    assert (found.time, found.first, found.second) == (0, "False with progress 0.25", "False with progress 0.5")


@pytest.mark.parametrize("thorough", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_every_trajectory_is_told_once(thorough: bool, second: bool) -> None:
    trajectories = [episode(number, range(5), "random" if number % 3 else "expert") for number in range(9)]
    told: list[Trajectory] = []
    again = Told(at_level(1, 2, 3)) if second else None
    observe(Told(at_level(1, 2, 3)), trajectories, again, on_trajectory=told.append, thorough=thorough)
    assert sorted(each.name for each in told) == sorted(each.name for each in trajectories)


@pytest.mark.parametrize("thorough", [True, False])
def test_frames_of_several_sizes_are_asked_apart(thorough: bool) -> None:
    trajectories = [episode(n, range(9), "random" if n > 5 else "expert", side=4 + n % 3) for n in range(12)]
    seen = observe(Told(at_level(3, 4, 5)), trajectories, Told(at_level(3, 4, 5)), thorough=thorough)
    assert [credited(each.done, [[], [0], [1]]) for each in seen] == [[3, 4, 5]] * 12


def test_an_observation_made_by_hand_was_asked_everywhere() -> None:
    whole = Observation(episode(0, range(3), "expert"), np.zeros((3, 2), bool))
    part = Observation(whole.trajectory, np.zeros((3, 1), bool), asked=np.array([[True], [False], [True]]))
    assert whole.asked.shape == (3, 2)
    assert whole.asked.all()
    assert whole.beside(part).asked.tolist() == [[True, True, True], [True, True, False], [True, True, True]]


PLANTED = {
    "right": {},
    "swapped": {"key": planted.RIGHT_DOOR, "door": planted.RIGHT_KEY},
    "duplicate": {"door": planted.RIGHT_KEY},
    "goal is another": {"goal": planted.RIGHT_DOOR},
    **{
        f"{name}, {place}": {place: getattr(planted, name)}
        for name in (
            "ALWAYS_TRUE ALWAYS_FALSE INVERTED_KEY WRONG_COLOUR_KEY GOAL_ONE_STEP_EARLY ANY_MOVEMENT KEEPS_STATE "
            "MUTATES_FRAME CRASHES_WHEN_DONE ANSWERS_A_NUMBER ASSUMES_THE_LAYOUT"
        ).split()
        for place in ("key", "door", "goal")
    },
}


def _both(sandbox: Sandbox, checkers: Sequence[Checker], trajectories: Sequence[Trajectory], **limits: float):
    seen = []
    for thorough in (True, False):
        with twice(sandbox, checkers, Limits(**limits)) as (first, second):
            seen.append(observe(first, trajectories, second, thorough=thorough))
    return seen, [judge(checkers, each) for each in seen]


@pytest.mark.parametrize("name", PLANTED)
def test_planted_programs_get_the_same_verdict(name: str, doorkey: Split) -> None:
    experts = [each for each in doorkey.verdict if each.who == "expert"]
    some = [*experts[:6], *doorkey.verdict[len(experts) :][:24]]
    _, (thorough, little) = _both(InThisProcess(), planted.chain(**PLANTED[name]), some)
    if name.startswith("KEEPS_STATE"):
        # Its answers depend on how often it was asked, so only what it is rejected for can be the same.
        thorough, little = ({(each.rule, each.subtask) for each in verdict.findings} for verdict in (thorough, little))
    assert little == thorough


def test_one_that_never_answers_gets_the_same_verdict(doorkey: Split) -> None:
    checkers = planted.chain(door="def check(found, current):\n    while True:\n        pass\n")
    _, (thorough, little) = _both(ProcessSandbox(), checkers, doorkey.verdict[:30], frame_seconds=0.1)
    assert little == thorough


@pytest.mark.parametrize("name", SHIPPED)
def test_programs_that_ship_get_the_same_verdict_on_some_episodes(name: str) -> None:
    _same_for_bundle(name, experts=3, randoms=6)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_programs_that_ship_get_the_same_verdict(name: str) -> None:
    _same_for_bundle(name, experts=None, randoms=None)


def _same_for_bundle(name: str, experts: int | None, randoms: int | None) -> None:
    checkers = load_bundle(ROOT / "generated_rewards" / name).checkers
    first, second = load_set(ROOT / "trajectories", name)
    (full, part), (thorough, little) = _both(ProcessSandbox(), checkers, [*first[:experts], *second[:randoms]])
    assert little == thorough
    for one, other in zip(part, full, strict=True):
        assert (one.done == (other.done & one.asked)).all()
    assert sum(each.asked.sum() for each in part) < 0.8 * sum(each.asked.sum() for each in full)
