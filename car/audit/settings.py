"""How hard an audit tries."""

from dataclasses import asdict, dataclass
from typing import Any

from car.errors import UserError
from car.train import TrainSettings

_EVALUATED_EVERY = 10_000


@dataclass(frozen=True)
class Effort:
    """How hard an audit tries.

    Args:
        steps: environment steps of each agent that is trained; a rollout of 2,048 steps is finished.
        seeds: how many agents are paid by the bundle alone, with the seeds 0, 1, ...
        contrary: how many more there are, for whom success costs what the goal pays: a goal that is one is worth
            nothing to them, and one that is none is.
        episodes: that are played with each policy, every 10,000 steps and at the end.
        starts: at most so many episodes of agents, and as many of experts, are continued at random.
        each: continuations from each of these episodes and each sub-task.
        onward: steps of a continuation at the most.

    Raises:
        UserError: a number below 1; `contrary`, `starts`, `each` and `onward` may be 0.
    """

    steps: int = 50_000
    seeds: int = 2
    contrary: int = 1
    episodes: int = 10
    starts: int = 10
    each: int = 6
    onward: int = 120

    def __post_init__(self) -> None:
        for name, least in (
            ("steps", 1),
            ("seeds", 1),
            ("episodes", 1),
            ("contrary", 0),
            ("starts", 0),
            ("each", 0),
            ("onward", 0),
        ):
            if getattr(self, name) < least:
                raise UserError(f"An audit needs {name} of at least {least}, not {getattr(self, name)}.")

    @property
    def agents(self) -> int:
        """How many agents are trained; the last ones are the contrary ones."""
        return self.seeds + self.contrary

    def training(self, seed: int, observe: bool) -> TrainSettings:
        """How the agent of a seed is trained: paid by the bundle, and seeing what is credited if it can."""
        return TrainSettings(
            steps=self.steps,
            seed=seed,
            env_reward="replace" if seed < self.seeds else "add",
            observe_milestones=observe,
            eval_every=_EVALUATED_EVERY,
            eval_episodes=self.episodes,
        )

    def as_dict(self) -> dict[str, Any]:
        """The numbers by name."""
        return asdict(self)
