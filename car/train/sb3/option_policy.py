"""A policy for each option."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule

from car.errors import UserError
from car.train.sb3.networks import policy_for
from car.train.sb3.options import OBSERVATION, OPTION

_Answer = tuple[torch.Tensor, ...]


class OptionPolicy(BasePolicy):
    """k actor-critics that share nothing, one for each option; each row of a batch goes to the one that runs there.

    No gradient of one option reaches the networks of another, and where an option has no row in a batch, its networks
    and their part of the optimiser's memory stay as they are.

    Args:
        observation_space: a dictionary as `ActiveOption` makes it.
        action_space: of the environments.
        lr_schedule: of the optimiser.
        policy_class: of each option's actor-critic.
        policy_kwargs: for each of them.
        use_sde: not for options, so False.
        optimizer_class: of the one optimiser of all networks.
        optimizer_kwargs: for it.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        policy_class: type[ActorCriticPolicy],
        policy_kwargs: Mapping[str, Any],
        use_sde: bool = False,
        optimizer_class: type[torch.optim.Optimizer] = torch.optim.Adam,
        optimizer_kwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(observation_space, action_space)
        self._parts = {"policy_class": policy_class, "policy_kwargs": dict(policy_kwargs)}
        space, (count,) = own_space(observation_space), cast(spaces.Box, observation_space[OPTION]).shape
        learning = {**policy_kwargs, "optimizer_class": optimizer_class, "optimizer_kwargs": optimizer_kwargs}
        options = [policy_class(space, action_space, lr_schedule, **learning) for _ in range(count)]
        self.options = torch.nn.ModuleList(options)
        # The actor-critics' own optimisers never step.
        kwargs: dict[str, Any] = {"lr": lr_schedule(1), **options[0].optimizer_kwargs}
        self.optimizer = optimizer_class(self.parameters(), **kwargs)

    def forward(self, obs: PyTorchObs, deterministic: bool = False) -> _Answer:
        """The actions (n, ...), values (n, 1) and logarithms of the actions' probabilities (n,)."""
        return self._each(obs, lambda option, own, rows: option(own, deterministic))

    def evaluate_actions(self, obs: PyTorchObs, actions: torch.Tensor) -> _Answer:
        """The values (n, 1), the logarithms of the given actions' probabilities (n,), and the entropies (n,)."""
        return self._each(obs, lambda option, own, rows: cast(_Answer, option.evaluate_actions(own, actions[rows])))

    def predict_values(self, obs: PyTorchObs) -> torch.Tensor:
        """The values, (n, 1)."""
        return self._each(obs, lambda option, own, rows: (option.predict_values(own),))[0]

    def obs_to_tensor(self, observation: Any) -> tuple[PyTorchObs, bool]:
        """The observations as tensors, and whether there are several.

        Raises:
            UserError: they do not say which option runs.
        """
        if not isinstance(observation, dict) or OPTION not in observation:
            raise UserError(_NOT_TOLD)
        return super().obs_to_tensor(observation)

    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> torch.Tensor:
        return self._each(observation, lambda option, own, rows: (option._predict(own, deterministic),))[0]

    def _each(self, obs: PyTorchObs, ask: Callable[[ActorCriticPolicy, PyTorchObs, torch.Tensor], _Answer]) -> _Answer:
        """What every option answers to its own rows, put together in the order of the batch."""
        told = cast(Mapping[str, torch.Tensor], obs)
        runs = told[OPTION].argmax(dim=1)
        present = torch.unique(runs).tolist()
        rows = [torch.nonzero(runs == index).flatten() for index in present]
        answers = [
            ask(cast(ActorCriticPolicy, self.options[index]), _own(told, some), some)
            for index, some in zip(present, rows, strict=True)
        ]
        order = torch.argsort(torch.cat(rows))
        return tuple(torch.cat(column)[order] for column in zip(*answers, strict=True))

    def _get_constructor_parameters(self) -> dict[str, Any]:
        kept = super()._get_constructor_parameters()
        del kept["normalize_images"]
        return {**kept, **self._parts, "lr_schedule": self._dummy_schedule}


_NOT_TOLD = (
    "A policy of options must be told which option runs: evaluate it with the reward and the settings that it was "
    "trained with, evaluate(policy, task, reward=..., settings=...)."
)


def option_policy_for(space: spaces.Space[Any]) -> tuple[type[OptionPolicy], dict[str, Any]]:
    """The class and the arguments of the policy for observations as `ActiveOption` makes them, for PPO and A2C."""
    name, kwargs = policy_for(own_space(cast(spaces.Dict, space)))
    return OptionPolicy, {"policy_class": PPO.policy_aliases[name], "policy_kwargs": kwargs}


def own_space(space: spaces.Dict) -> spaces.Space[Any]:
    """What each option's policy observes, without the entry that says which option runs."""
    entries = {key: each for key, each in space.spaces.items() if key != OPTION}
    return entries[OBSERVATION] if list(entries) == [OBSERVATION] else spaces.Dict(entries)


def _own(obs: Mapping[str, torch.Tensor], rows: torch.Tensor) -> PyTorchObs:
    entries = {key: each[rows] for key, each in obs.items() if key != OPTION}
    return entries[OBSERVATION] if list(entries) == [OBSERVATION] else entries
