"""What one training run is asked to do, and what it reports."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from car.errors import UnknownName, UserError
from car.milestones import KINDS
from car.wrapper.scoring import ENV_REWARDS

ALGORITHMS = ("ppo", "a2c", "dqn", "sac")
ON_POLICY = ("ppo", "a2c")
SHAPINGS = KINDS

TRAINING_SEEDS_BELOW = 1_000_000_000
"""Training environments are reset with seeds below this number, evaluation environments with seeds from it on."""

EVALUATION_SEED = TRAINING_SEEDS_BELOW

WINDOW = 100
"""The training success rate is over this many last episodes."""

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ppo": {},
    "a2c": {"n_steps": 16, "batch": 256, "learning_rate": 7e-4},
    "dqn": {"envs": 4, "n_steps": 512, "batch": 64, "learning_rate": 5e-4},
    "sac": {"envs": 1, "n_steps": 1000, "gamma": 0.95},
}


@dataclass(frozen=True)
class TrainSettings:
    """The settings of one training run; the defaults suit PPO on MiniGrid's symbolic view.

    Args:
        algo: ``ppo``, ``a2c``, ``dqn`` (discrete actions only) or ``sac`` (continuous actions only).
        steps: environment steps in all; PPO and A2C finish the rollout that reaches it.
        seed: of the network, the actions and the training environments.
        envs: training environments that step together.
        n_steps: steps of each environment between two updates (PPO, A2C); for DQN and SAC, how often progress is noted.
        batch: samples in one gradient step (PPO, DQN, SAC).
        epochs: passes over each rollout (PPO).
        learning_rate: of the optimiser.
        gamma: discount; also that of the potential-based shaping.
        gae_lambda: of generalised advantage estimation (PPO, A2C).
        clip: the range of the probability ratio (PPO).
        ent_coef: weight of the entropy bonus (PPO, A2C).
        shaping: ``bonus`` or ``potential``; see `car.wrapper`.
        env_reward: ``add`` the environment's own reward to the shaped one, or ``replace`` it.
        scale: what the shaped reward is multiplied with.
        monotone_progress: whether ``potential`` counts the largest progress of a sub-task so far; see `car.milestones`.
        observe_milestones: whether the agent sees which sub-tasks have been credited.
        every: k; the reward looks at each k-th step of an episode and at its last one, and nothing is rendered in
            between. For environments in which rendering is dear; see docs/speed.md.
        hierarchical: whether each sub-task gets a policy of its own, with its own pseudo-reward, and the milestones say
            which of them acts; see docs/options.md. For PPO and A2C, and a reward with sub-tasks. Instead of the shaped
            reward each policy gets `scale` when its sub-task is credited, and the environment's own reward if
            `env_reward` is ``add``.
        eval_every: steps between two evaluations, each with a checkpoint; 0 evaluates at the end only.
        eval_episodes: episodes in one evaluation.
        eval_deterministic: whether evaluation takes the likeliest action instead of a sampled one.
        threads: PyTorch threads.

    Raises:
        UnknownName: an algorithm, shaping or env_reward that does not exist.
        UserError: a number outside its range.
    """

    algo: str = "ppo"
    steps: int = 100_000
    seed: int = 0
    envs: int = 16
    n_steps: int = 128
    batch: int = 256
    epochs: int = 4
    learning_rate: float = 1e-3
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip: float = 0.2
    ent_coef: float = 0.02
    shaping: Literal["potential", "bonus"] = "bonus"
    env_reward: Literal["add", "replace"] = "add"
    scale: float = 1.0
    monotone_progress: bool = False
    observe_milestones: bool = False
    every: int = 1
    hierarchical: bool = False
    eval_every: int = 20_000
    eval_episodes: int = 20
    eval_deterministic: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        for kind, name, known in (
            ("algorithm", self.algo, ALGORITHMS),
            ("shaping", self.shaping, SHAPINGS),
            ("env_reward", self.env_reward, ENV_REWARDS),
        ):
            if name not in known:
                raise UnknownName(kind, name, list(known))
        for name in ("steps", "envs", "n_steps", "batch", "epochs", "every", "eval_episodes", "threads"):
            _check(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("seed", "eval_every", "ent_coef"):
            _check(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")
        for name in ("gamma", "gae_lambda"):
            _check(0 <= getattr(self, name) <= 1, name, getattr(self, name), "0 to 1")
        for name in ("learning_rate", "clip", "scale"):
            _check(getattr(self, name) > 0, name, getattr(self, name), "more than 0")
        fine = self.shaping == "potential" or not self.monotone_progress
        _check(fine, "monotone_progress", True, "off unless shaping is potential")
        self._check_hierarchical()
        rollout = self.envs * self.n_steps
        _check(
            self.algo != "ppo" or rollout % self.batch == 0,
            "batch",
            self.batch,
            f"a divisor of envs * n_steps = {rollout}, so that no gradient step has fewer samples",
        )

    def _check_hierarchical(self) -> None:
        fine = not self.hierarchical or (self.algo in ON_POLICY and self.shaping == "bonus")
        _check(fine, "hierarchical", True, "off unless algo is ppo or a2c, and shaping is bonus")

    @classmethod
    def said(cls, pairs: Sequence[str]) -> dict[str, Any]:
        """Settings from words.

        Args:
            pairs: ``NAME=VALUE`` each.

        Raises:
            UnknownName: there is no such setting.
            UserError: what is said is no pair, or the value is no such number or truth value.
        """
        kinds = {each.name: type(each.default) for each in dataclasses.fields(cls)}
        settings: dict[str, Any] = {}
        for pair in pairs:
            name, equals, value = (part.strip() for part in pair.partition("="))
            if not equals:
                raise UserError(f"{pair!r} is no setting; say NAME=VALUE, e.g. gamma=0.95.")
            if name not in kinds:
                raise UnknownName("training setting", name, list(kinds))
            settings[name] = _parsed(name, value, kinds[name])
        return settings

    @property
    def rounded_steps(self) -> int:
        """The steps that a run has in the end: algorithms that are on-policy train in whole rollouts."""
        rollout = self.envs * self.n_steps
        return -(-self.steps // rollout) * rollout if self.algo in ON_POLICY else self.steps

    @classmethod
    def for_algo(cls, algo: str, **changes: Any) -> Self:
        """The settings that suit an algorithm, with some of them changed.

        Raises:
            UnknownName: there is no such algorithm.
            UserError: a setting that does not exist, or a number outside its range.
        """
        if algo not in ALGORITHMS:
            raise UnknownName("algorithm", algo, list(ALGORITHMS))
        fields = [each.name for each in dataclasses.fields(cls)]
        if unknown := sorted(set(changes) - set(fields)):
            raise UnknownName("training setting", unknown[0], fields)
        return cls(**{**_DEFAULTS[algo], **changes, "algo": algo})

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON-serialisable fields; `TrainSettings(**fields)` makes them again."""
        return dataclasses.asdict(self)


def _parsed(name: str, value: str, kind: type) -> Any:
    known = {"true": True, "false": False} if kind is bool else {}
    try:
        return known[value.lower()] if kind is bool else kind(value.replace("_", "") if kind is int else value)
    except (KeyError, ValueError):
        what = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise UserError(f"The training setting {name} = {value!r} must be {what}.") from None


def _check(fine: bool, name: str, value: object, range_: str) -> None:
    if not fine:
        raise UserError(f"The training setting {name} = {value} must be {range_}.")


@dataclass(frozen=True)
class Evaluation:
    """What a policy reached in an environment with its own reward and success alone.

    Args:
        episodes: how many were played.
        success: the share of them in which the environment reported success.
        length: mean steps of an episode.
        reward: mean sum of the environment's own reward.
    """

    episodes: int
    success: float
    length: float
    reward: float


@dataclass(frozen=True)
class Progress:
    """One line of ``progress.jsonl``: where a run stands.

    Means are over the last 100 training episodes; None means that nothing is known yet.

    Args:
        steps: environment steps so far.
        total: the steps that the run shall have in the end.
        wall_seconds: time spent training so far, evaluation included, pauses between resumed parts not.
        cpu_seconds: processor time of the training process so far, without the checkers' processes.
        episodes: training episodes that have ended so far.
        train_success: share of episodes with the environment's own success.
        train_length: mean steps.
        train_reward: mean sum of the environment's own reward.
        credited: mean share of the sub-tasks that were credited at the end of an episode; None without a reward.
        failures: frames on which a checker failed so far; None without a reward that counts them.
        asked_again: known frames that were slipped in so far, to see whether the programs still say the same; None
            without a reward that is watched.
        evaluation: what an evaluation at this point reached; None in a line about training alone.
    """

    steps: int
    total: int
    wall_seconds: float
    cpu_seconds: float
    episodes: int
    train_success: float | None = None
    train_length: float | None = None
    train_reward: float | None = None
    credited: float | None = None
    failures: int | None = None
    asked_again: int | None = None
    evaluation: Evaluation | None = None

    @property
    def solved(self) -> float | None:
        """`train_success`, where episodes that are missing to 100 count as failures: a lucky one is no success."""
        return None if self.train_success is None else self.train_success * min(1.0, self.episodes / WINDOW)

    def as_dict(self) -> dict[str, Any]:
        """The line as JSON-serialisable fields; `Progress.of` makes it again."""
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The line with these fields."""
        evaluation = fields.get("evaluation")
        return cls(**{**fields, "evaluation": Evaluation(**evaluation) if evaluation else None})


OnProgress = Callable[[Progress], None]
"""Called with every line of progress as it is written."""
