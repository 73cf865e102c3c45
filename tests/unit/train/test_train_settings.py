import dataclasses
import json

import pytest

from car.errors import UnknownName, UserError
from car.train.settings import Evaluation, Progress, TrainSettings


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("algo", "ppq", "There is no algorithm 'ppq'. There are: ppo, a2c, dqn, sac."),
        ("shaping", "potent", "There is no shaping 'potent'. There are: potential, bonus."),
        ("env_reward", "drop", "There is no env_reward 'drop'. There are: add, replace."),
    ],
)
def test_names_that_do_not_exist_are_answered_with_those_that_do(field: str, value: str, message: str) -> None:
    with pytest.raises(UnknownName) as caught:
        TrainSettings(**{field: value})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("field", "value", "range_"),
    [
        ("steps", 0, "at least 1"),
        ("envs", 0, "at least 1"),
        ("eval_episodes", 0, "at least 1"),
        ("every", 0, "at least 1"),
        ("seed", -1, "at least 0"),
        ("ent_coef", -0.1, "at least 0"),
        ("gamma", 1.1, "0 to 1"),
        ("learning_rate", 0.0, "more than 0"),
        ("scale", 0.0, "more than 0"),
        ("monotone_progress", True, "off unless shaping is potential"),
    ],
)
def test_numbers_out_of_range_are_named(field: str, value: float, range_: str) -> None:
    with pytest.raises(UserError) as caught:
        TrainSettings(**{field: value})
    assert str(caught.value) == f"The training setting {field} = {value} must be {range_}."


def test_a_batch_that_leaves_a_rest_is_refused_for_ppo_alone() -> None:
    with pytest.raises(UserError, match=r"batch = 100 must be a divisor of envs \* n_steps = 2048"):
        TrainSettings(batch=100)
    assert TrainSettings.for_algo("dqn", batch=100).batch == 100


def test_every_algorithm_has_defaults_that_can_be_changed() -> None:
    assert TrainSettings.for_algo("ppo", seed=3) == TrainSettings(seed=3)
    assert TrainSettings.for_algo("sac").envs == 1
    assert TrainSettings.for_algo("sac", envs=2).envs == 2
    with pytest.raises(UnknownName, match="There is no algorithm 'td9'"):
        TrainSettings.for_algo("td9")
    with pytest.raises(UnknownName, match="There is no training setting 'stepz'"):
        TrainSettings.for_algo("ppo", stepz=3)


def test_settings_and_progress_survive_json() -> None:
    settings = TrainSettings(algo="a2c", seed=5)
    assert TrainSettings(**json.loads(json.dumps(settings.as_dict()))) == settings
    line = Progress(5, 10, 1.0, 0.5, 2, train_success=0.5, evaluation=Evaluation(2, 0.5, 7.0, 0.1))
    assert Progress.of(json.loads(json.dumps(line.as_dict()))) == line
    bare = dataclasses.replace(line, evaluation=None)
    assert Progress.of(json.loads(json.dumps(bare.as_dict()))) == bare
