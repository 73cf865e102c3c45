"""An environment in which one option is learnt alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from car.errors import UserError
from car.option.options import Options, options
from car.task import Camera, Env, Policy
from car.wrapper import DenseReward


class OptionEnv(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """The sub-problem of one option: an episode begins where the option may, terminates when it is done, and pays 1.

    `reset` begins an episode of the environment. Until the option may begin, the given policies act, each while its
    own option runs; they are learnt before, in an `OptionEnv` of their own, or written by hand. Where the episode ends
    on the way, or the option is done on the way, the next one begins. `step` pays the option's pseudo-reward and
    terminates where the option is done. The episode also ends where the environment's does, then mostly unpaid.

    `info` gets what `DenseReward` puts there, ``car/env_reward`` and ``car/milestones`` among it, and ``car/option``.

    Args:
        env: the environment.
        bundle: a bundle's folder, or its open options, which are left open.
        option: the name of the option.
        policies: for each option that runs before it, by name, what chooses its actions. None are needed where the
            option may begin at once.
        patience: how many steps and episodes the earlier options may take together in one `reset`.
        camera: as in `DenseReward`.
        allow_unreviewed: as in `DenseReward`.
        isolation: as in `DenseReward`.

    Raises:
        UnknownName: there is no such option.
        UserError: a policy is missing; at reset, the earlier options do not get there.
        BadBundle: missing, damaged, changed, or not approved.
        SandboxUnavailable: this machine cannot isolate programs as well as is asked for.
        BadFrame: frames cannot be taken.
    """

    def __init__(
        self,
        env: Env,
        bundle: Options | str | Path,
        option: str,
        policies: Mapping[str, Policy] | None = None,
        patience: int = 10_000,
        camera: Camera | str | None = None,
        allow_unreviewed: bool = False,
        isolation: int | None = None,
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            # Open options and policies need not be copied, and cannot always be.
            _disable_deepcopy=True,
            bundle=str(bundle) if isinstance(bundle, Path) else bundle,
            option=option,
            policies=policies,
            patience=patience,
            camera=camera,
            allow_unreviewed=allow_unreviewed,
            isolation=isolation,
        )
        self._opened = not isinstance(bundle, Options)
        self._options = bundle if isinstance(bundle, Options) else options(bundle, allow_unreviewed, isolation)
        self._option, self._policies, self._patience = self._options[option], dict(policies or {}), patience
        if missing := [name for name in self._before(option) if name not in self._policies]:
            raise UserError(
                f"The option {option!r} begins after {missing[0]!r}; give a policy that gets there: "
                f"policies={{{missing[0]!r}: ...}}."
            )
        gym.Wrapper.__init__(self, env)
        self._dense = DenseReward(env, self._options.reward, camera=camera)
        self._begun = False

    def _before(self, name: str) -> list[str]:
        """All that must be credited before an option may begin, in the options' order."""
        needed, waiting = set[str](), list(self._options[name].after)
        while waiting:
            needed.add(each := waiting.pop())
            waiting += [earlier for earlier in self._options[each].after if earlier not in needed]
        return [each for each in self._options.names if each in needed]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode and lets the earlier options run, until this one may begin.

        Raises:
            UserError: they have used up the patience.
        """
        observation, info = self._dense.reset(seed=seed, options=options)
        running: str | None = None
        for _ in range(self._patience):
            credited = [name for name, done in info["car/milestones"].items() if done]
            if self._option.available(credited):
                self._begun = True
                return observation, {**info, "car/option": self._option.name}
            over = self._option.name in credited
            if not over:
                running = self._next(credited, running)
                observation, _, terminated, truncated, info = self._dense.step(self._policies[running](observation))
                over = terminated or truncated
            if over:
                observation, info = self._dense.reset(options=options)
                running = None
        raise UserError(
            f"The option {self._option.name!r} could not begin within {self._patience} steps; its initiation set "
            f"({', '.join(self._option.after) or 'empty'}) is not reached by the policies that were given."
        )

    def _next(self, credited: list[str], running: str | None) -> str:
        """Which earlier option runs; those that are not needed are passed over."""
        if running is not None and running not in credited:
            return running
        return next(name for name in self._before(self._option.name) if self._options[name].available(credited))

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """The environment's step, paid and ended as the option's.

        Raises:
            UserError: `reset` was not called.
        """
        if not self._begun:
            raise UserError("Call reset() before step().")
        observation, _, terminated, truncated, info = self._dense.step(action)
        done = bool(info["car/milestones"][self._option.name])
        self._begun = not (done or terminated or truncated)
        return observation, float(done), terminated or done, truncated, {**info, "car/option": self._option.name}

    def close(self) -> None:
        """Closes the environment, and the options if they were opened here."""
        self._dense.close()
        if self._opened:
            self._options.close()
