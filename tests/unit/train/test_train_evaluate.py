import numpy as np
import pytest
import torch
from empty_room import EMPTY_ROOM, HalfWay, Loafer, Solver

from car.errors import BadTask
from car.task import Task
from car.train import EVALUATION_SEED, Evaluation, Exam, TrainSettings, evaluate


@pytest.mark.parametrize("episodes", [1, 3, 40])
def test_a_policy_that_solves_the_room_gets_the_environments_own_account(episodes: int) -> None:
    assert evaluate(Solver(), EMPTY_ROOM, episodes) == Evaluation(episodes, 1.0, 5.0, pytest.approx(1 - 0.9 * 5 / 20))


def test_a_policy_that_does_nothing_runs_into_the_time_limit() -> None:
    assert evaluate(Loafer(), EMPTY_ROOM, 3) == Evaluation(3, 0.0, 20.0, 0.0)


def test_milestones_are_shown_to_the_policy_and_pay_nothing() -> None:
    reward, solver = HalfWay(), Solver()
    settings = TrainSettings(observe_milestones=True)
    evaluation = evaluate(solver, EMPTY_ROOM, 2, reward=reward, settings=settings)
    assert evaluation == Evaluation(2, 1.0, 5.0, pytest.approx(1 - 0.9 * 5 / 20))
    assert solver.shapes == {(4, 7, 7)}
    assert reward.asked > 0
    assert not reward.closed


def test_without_milestones_the_policy_sees_the_environment_alone() -> None:
    solver = Solver()
    evaluate(solver, EMPTY_ROOM, 2)
    assert solver.shapes == {(3, 7, 7)}


class Gambler:
    """Acts at random, from the generators that trained policies use."""

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        turn = int(np.random.randint(2))
        return np.array([turn if int(torch.randint(2, ())) else 2 for _ in observation]), None


def test_an_exam_is_the_same_each_time_and_disturbs_no_training_around_it() -> None:
    torch.manual_seed(3)
    np.random.seed(3)
    expected = float(torch.rand(())), float(np.random.rand())
    torch.manual_seed(3)
    np.random.seed(3)
    with Exam(EMPTY_ROOM, 20) as exam:
        first, second = exam.sit(Gambler()), exam.sit(Gambler())
    assert first == second
    assert (float(torch.rand(())), float(np.random.rand())) == expected
    assert first != evaluate(Gambler(), EMPTY_ROOM, 20, seed0=EVALUATION_SEED + 1)


def test_an_environment_that_does_not_exist() -> None:
    with pytest.raises(BadTask, match="cannot be made"):
        evaluate(Loafer(), Task(name="nowhere", env_id="Nowhere-v0"), 1)
