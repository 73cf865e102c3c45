from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from car.train.sb3.networks import MixedExtractor, SmallCnn, policy_for

GRID = spaces.Box(0, 1, (3, 7, 7), np.float32)


def test_the_small_network_has_the_features_that_it_says() -> None:
    network = SmallCnn(GRID)
    assert network(torch.zeros(5, 3, 7, 7)).shape == (5, network.features_dim) == (5, 128)


def test_the_mixed_network_joins_grids_and_numbers() -> None:
    space = spaces.Dict({"keys": GRID, "milestones": spaces.Box(0, 1, (2,), np.float32)})
    network = MixedExtractor(space)
    features = network({"keys": torch.zeros(5, 3, 7, 7), "milestones": torch.ones(5, 2)})
    assert features.shape == (5, network.features_dim) == (5, 130)
    assert features[:, -2:].eq(1).all()


@pytest.mark.parametrize(
    ("space", "name", "extractor"),
    [
        (GRID, "CnnPolicy", SmallCnn),
        (spaces.Box(0, 255, (3, 7, 7), np.uint8), "CnnPolicy", SmallCnn),
        (spaces.Box(0, 255, (3, 64, 64), np.uint8), "CnnPolicy", None),
        (spaces.Box(-1, 1, (4,), np.float32), "MlpPolicy", None),
        (spaces.Box(0, 1, (3, 3, 3), np.float32), "MlpPolicy", None),
        (spaces.Discrete(5), "MlpPolicy", None),
        (spaces.Dict({"a": GRID}), "MultiInputPolicy", MixedExtractor),
        (spaces.Dict({"a": spaces.Discrete(5)}), "MultiInputPolicy", None),
    ],
)
def test_each_observation_space_gets_a_policy(space: spaces.Space[Any], name: str, extractor: type | None) -> None:
    policy, arguments = policy_for(space)
    assert policy == name
    assert arguments.get("features_extractor_class") is extractor


def test_only_pictures_of_bytes_are_divided_by_255() -> None:
    assert policy_for(GRID)[1]["normalize_images"] is False
    assert policy_for(spaces.Box(0, 255, (3, 7, 7), np.uint8))[1]["normalize_images"] is True
