"""Plays recorded actions around an exported file, in an interpreter that cannot import `car`.

Standard input: the environment, the episodes and the settings of the wrapper. Standard output: what was paid.
"""

import importlib
import json
import sys
from typing import Any

import gymnasium as gym
import numpy as np


def played(env: gym.Env[Any, Any], episodes: list[tuple[int, list[Any]]]) -> list[list[Any]]:
    """A line for each reset and each step: the reward, what `info` says of it, and milestones in the observation."""
    lines: list[list[Any]] = []
    for seed, actions in episodes:
        observation, info = env.reset(seed=seed)
        lines.append(_line(0.0, info, observation))
        for action in actions:
            taken = action if isinstance(action, int) else np.array(action, np.float32)
            observation, reward, terminated, truncated, info = env.step(taken)
            lines.append(_line(float(reward), info, observation))
            if terminated or truncated:
                break
    return lines


def _line(reward: float, info: dict[str, Any], observation: Any) -> list[Any]:
    seen = observation["milestones"].tolist() if isinstance(observation, dict) and "milestones" in observation else None
    told = [float(info.get(key, 0.0)) for key in ("car/env_reward", "car/shaped", "car/credited")]
    return [reward, *told, info["car/milestones"], seen]


def main() -> None:
    """Plays all episodes with each of the settings."""
    sys.modules["car"] = None  # type: ignore[assignment]
    given = json.load(sys.stdin)
    for package in given["packages"]:
        importlib.import_module(package)
    reward = importlib.import_module("reward")
    said = []
    for settings in given["settings"]:
        env = reward.DenseReward(gym.make(given["env_id"], **given["env_kwargs"]), **settings)
        said.append(played(env, given["episodes"]))
        env.close()
    json.dump({"said": said, "ours": [name for name in sys.modules if name.startswith("car.")]}, sys.stdout)


if __name__ == "__main__":
    main()
