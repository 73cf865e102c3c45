"""DQN of Stable-Baselines3 on MiniGrid: one environment, and the milestones in what the agent sees.

In the checkout::

    python examples/sb3_dqn.py --steps 100000
"""

import argparse

import gymnasium as gym
import torch
from stable_baselines3 import DQN

from car.tasks import find_task
from car.wrapper import DenseReward


class Tally(gym.Wrapper):
    """Sums what the bundle paid, and notes which episodes succeeded."""

    def __init__(self, env):
        super().__init__(env)
        self.paid, self.succeeded = 0.0, []

    def step(self, action):
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.paid += info["car/shaped"]
        if terminated or truncated:
            self.succeeded.append(info["car/env_reward"] > 0)
        return observation, reward, terminated, truncated, info


def main():
    """Trains, and says how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="unlock")
    parser.add_argument("--reward", help="a bundle's folder; default: generated_rewards/TASK")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # networks as small as these are slower on more

    task = find_task(arguments.task)
    reward = arguments.reward or f"generated_rewards/{task.name}"
    env = Tally(DenseReward(task.viewed(task.make_env()), reward, observe_milestones=True))
    model = DQN(
        "MlpPolicy",
        env,
        learning_rate=5e-4,
        buffer_size=min(100_000, arguments.steps),
        learning_starts=min(2_000, arguments.steps // 10),
        batch_size=64,
        target_update_interval=1_000,
        exploration_fraction=0.4,
        seed=arguments.seed,
    )
    model.learn(arguments.steps)
    env.close()
    last = env.succeeded[-100:]
    print(f"{model.num_timesteps} steps, {len(env.succeeded)} episodes; dense reward paid: {env.paid:.2f}")
    print(f"success in the last {len(last)} training episodes: {sum(last) / max(1, len(last)):.0%}")


if __name__ == "__main__":
    main()
