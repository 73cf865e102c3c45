"""Which episodes are kept, and that all are counted."""

from car.audit import Tally
from car.audit.collector import MOST_FLAWED, MOST_PAID, Collector
from car.audit.played import EVALUATION, FROM_EXPERT, TRAINING
from car.train import EVALUATION_SEED
from car.trajectory import Trajectory
from tests.unit.audit.planted_audit import CHAIN, FALSE, FINE, RIGHT, episode
from tests.unit.refine.scripted import InThisProcess


def collected(*trajectories: Trajectory, before: Collector | None = None) -> Collector:
    """A collector that took these, perhaps after what another one has kept."""
    kept, tallies = (before.kept, before.tallies) if before else ((), ())
    collector = Collector(CHAIN, InThisProcess().open(CHAIN), kept, tallies)
    for each in trajectories:
        collector.take(each)
    collector.look()
    return collector


def test_every_episode_is_counted_and_only_the_telling_ones_are_kept() -> None:
    idle = [episode((0, 0, 0), seed, success=False) for seed in range(30)]
    collector = collected(*idle, FALSE.trajectory, FINE.trajectory)
    (tally,) = collector.tallies
    assert (tally.how, tally.episodes, tally.goals, collector.flaws) == (TRAINING, 32, 2, 1)
    assert [each.trajectory.seed for each in collector.kept] == [2, 8]


def test_one_episode_of_a_layout_is_enough() -> None:
    false = [episode((0, 12, 25, level), seed, success=False) for seed in range(30) for level in (0, 1)]
    collector = collected(*false)
    assert collector.flaws == 60
    assert [each.trajectory.seed for each in collector.kept] == list(range(MOST_FLAWED))


def test_the_best_paid_of_each_way_are_kept() -> None:
    slow = [episode((0, *[0] * seed, *RIGHT[1:]), seed, success=True) for seed in range(9, 1, -1)]
    half = episode((0, 12, 12), 77, success=False)
    collector = collected(*slow, half)
    assert [each.trajectory.seed for each in collector.paid] == [2, 3, 4, 5, 77]
    assert len([each for each in collector.paid if each.way == (0, 1)]) == MOST_PAID


def test_what_went_on_at_random_does_not_hide_what_agents_do() -> None:
    collector = collected(*(episode((0, 0, *RIGHT), seed, success=True) for seed in range(3)))
    collector.add([(episode(RIGHT, seed, success=True), FROM_EXPERT) for seed in range(10, 15)])
    collector.look()
    assert [each.trajectory.seed for each in collector.paid] == [0, 1, 2, 10, 11]


def test_a_better_episode_of_the_same_layout_takes_the_place_of_the_other() -> None:
    slow, quick = (episode((0, *[0] * more, *RIGHT[1:]), 5, success=True) for more in (6, 0))
    for some in ((slow, quick), (quick, slow)):
        (kept,) = collected(*some).kept
        assert len(kept.trajectory) == len(RIGHT)


def test_evaluations_are_told_by_their_seeds() -> None:
    collector = collected(FINE.trajectory, episode(RIGHT, EVALUATION_SEED + 3, success=True))
    collector.add([(episode(RIGHT, 9, success=True), FROM_EXPERT)])
    collector.look()
    assert {each.how: each.episodes for each in collector.tallies} == {TRAINING: 1, EVALUATION: 1, FROM_EXPERT: 1}


def test_goes_on_from_what_was_kept() -> None:
    before = collected(FALSE.trajectory, FINE.trajectory)
    again = collected(FINE.trajectory, before=before)
    assert [each.trajectory.seed for each in again.kept] == [2, 8]
    assert again.tallies == (Tally(TRAINING, 3, 7, 3, 2, (("goal without success", 1),)),)
