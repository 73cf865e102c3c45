"""A corridor that draws itself, and many ways for it to be unfit."""

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

from car.task import Task

WIDTH, TILE = 6, 8


class Corridor(gym.Env[Any, Any]):
    """Walk right to the goal; the layout depends on the seed."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}
    observation_space = gym.spaces.Box(0, WIDTH, (2,), np.int64)
    action_space: gym.Space[Any] = gym.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None, flaw: str = "", limit: int = 30) -> None:
        self.render_mode, self.flaw, self.limit = render_mode, flaw, limit
        if flaw == "composite":
            self.action_space = gym.spaces.Dict({"move": gym.spaces.Discrete(2)})
        if flaw == "continuous":
            self.action_space = gym.spaces.Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.at, self.goal, self.steps = 0, int(self.np_random.integers(2, WIDTH)), 0
        self.seed_given = seed or 0
        if options:
            self.at = options.get("at", 0)
        return np.array([self.at, self.goal]), {"won": False}

    def step(self, action: Any) -> Any:
        right = action["move"] if isinstance(action, dict) else np.ravel(action)[0] > 0
        self.at = min(WIDTH - 1, max(0, self.at + (1 if right else -1)))
        self.steps += 1
        there = self.at == self.goal
        reward = float("nan") if self.flaw == "nan" else float(there)
        return np.array([self.at, self.goal]), reward, there, self.steps >= self.limit, {"won": there}

    def render(self) -> Any:
        width = WIDTH * TILE + (8 * self.steps if self.flaw == "grows" else 0)
        width += 8 * self.seed_given if self.flaw == "wider by seed" else 0
        picture = np.zeros((TILE, width, 3), np.uint8)
        picture[:, self.goal * TILE : (self.goal + 1) * TILE] = (0, 255, 0)
        picture[:, self.at * TILE : (self.at + 1) * TILE] = (255, 0, 0)
        if self.flaw == "float":
            return picture / 255.0
        return picture[:, :, 0] if self.flaw == "grey" else picture


class Blind(gym.Env[Any, Any]):
    """Takes a render mode, declares none, renders nothing."""

    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return 0, {}

    def step(self, action: Any) -> Any:
        return 0, 0.0, True, False, {}


class Pictured(Corridor):
    """Its observation holds the picture, under a key or alone."""

    def __init__(self, render_mode: str | None = None, alone: bool = False) -> None:
        super().__init__(render_mode)
        picture = gym.spaces.Box(0, 255, (TILE, WIDTH * TILE, 3), np.uint8)
        self.alone = alone
        self.observation_space = picture if alone else gym.spaces.Dict({"camera": picture})  # type: ignore[assignment]

    def _seen(self) -> Any:
        return self.render() if self.alone else {"camera": self.render()}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        _, info = super().reset(seed=seed, options=options)
        return self._seen(), info

    def step(self, action: Any) -> Any:
        return self._seen(), *super().step(action)[1:]


for _class in (Corridor, Blind, Pictured):
    if f"CarTest/{_class.__name__}-v0" not in gym.registry:
        gym.register(f"CarTest/{_class.__name__}-v0", f"{__name__}:{_class.__name__}")
if "CarTest/ByClass-v0" not in gym.registry:
    gym.register("CarTest/ByClass-v0", Corridor)


def walker(env: Any) -> Any:
    """Always to the right."""
    return lambda observation: 1


def loser(env: Any) -> Any:
    """Never to the right."""
    return lambda observation: 0


def clumsy(env: Any) -> Any:
    """Fails on every layout whose goal is at 3."""
    wins = env.unwrapped.goal != 3
    return lambda observation: int(wins)


def poor(env: Any) -> Any:
    """Succeeds only on layouts whose goal is at 3."""
    wins = env.unwrapped.goal == 3
    return lambda observation: int(wins)


def corridor(**fields: Any) -> Task:
    """The task, with other fields where given."""
    standard: dict[str, Any] = {"name": "corridor", "env_id": "CarTest/Corridor-v0", "expert": f"{__name__}:walker"}
    return Task(**{**standard, **fields})


def flawed(flaw: str) -> Task:
    """The task in an environment with a flaw."""
    return corridor(env_kwargs={"flaw": flaw})
