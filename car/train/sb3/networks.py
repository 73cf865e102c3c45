"""The networks for observations that Stable-Baselines3 has no fitting one for."""

from collections.abc import Mapping
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, FlattenExtractor
from torch import nn

_NATURE_CNN_SIDE = 36
_SMALLEST_SIDE = 4
_MOST_CHANNELS = 64


class SmallCnn(BaseFeaturesExtractor):
    """Three 2 x 2 convolutions with 16, 32 and 64 channels and a layer of 128 features, for small pictures and grids.

    Args:
        observation_space: of shape (channels, height, width), with sides of at least 4.
        features_dim: the number of features.
    """

    def __init__(self, observation_space: spaces.Box, features_dim: int = 128) -> None:
        super().__init__(observation_space, features_dim)
        channels, height, width = observation_space.shape
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 16, 2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 2),
            nn.ReLU(),
            nn.Conv2d(32, 64, 2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * (height - 3) * (width - 3), features_dim),
            nn.ReLU(),
        )

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """The features, shape (n, features_dim), of observations of shape (n, channels, height, width)."""
        features: torch.Tensor = self.layers(observations)
        return features


class MixedExtractor(BaseFeaturesExtractor):
    """The features of a dictionary's entries, one after another: small grids through `SmallCnn`, the rest as it is.

    Args:
        observation_space: a dictionary of boxes and discrete values.
    """

    def __init__(self, observation_space: spaces.Dict) -> None:
        parts = [_extractor(space) for space in observation_space.spaces.values()]
        super().__init__(observation_space, sum(part.features_dim for part in parts))
        self.keys = list(observation_space.spaces)
        self.parts = nn.ModuleList(parts)

    def forward(self, observations: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The features, shape (n, sum of all entries' features)."""
        return torch.cat([part(observations[key]) for key, part in zip(self.keys, self.parts, strict=True)], dim=1)


def _extractor(space: spaces.Space[Any]) -> BaseFeaturesExtractor:
    return SmallCnn(space) if isinstance(space, spaces.Box) and _is_small(space) else FlattenExtractor(space)


def _is_small(space: spaces.Space[Any]) -> bool:
    """Whether the space holds channels-first grids that are too small for the network that Atari games get."""
    if not isinstance(space, spaces.Box) or len(space.shape) != 3:
        return False
    channels, *sides = space.shape
    return channels <= _MOST_CHANNELS and min(sides) >= _SMALLEST_SIDE and max(sides) < _NATURE_CNN_SIDE


def policy_for(space: spaces.Space[Any]) -> tuple[str, dict[str, Any]]:
    """The name and the arguments of the policy for an observation space."""
    if isinstance(space, spaces.Dict):
        small = any(_is_small(each) for each in space.spaces.values())
        return "MultiInputPolicy", {"features_extractor_class": MixedExtractor} if small else {}
    if _is_small(space):
        return "CnnPolicy", {"features_extractor_class": SmallCnn, "normalize_images": is_image_space(space)}
    return ("CnnPolicy" if is_image_space(space) else "MlpPolicy"), {}
