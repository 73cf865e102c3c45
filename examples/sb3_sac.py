"""SAC of Stable-Baselines3 on a continuous task, the mountain car.

In the checkout::

    python examples/sb3_sac.py --steps 20000
"""

import argparse

import gymnasium as gym
import torch
from stable_baselines3 import SAC

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
            self.succeeded.append(bool(terminated))
        return observation, reward, terminated, truncated, info


def main():
    """Trains, and says how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reward", default="generated_rewards/mountaincar-continuous", help="a bundle's folder")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # networks as small as these are slower on more

    # The environment pays 100 at the flag and takes up to 0.1 for each step: the sub-tasks are worth as much together.
    env = Tally(DenseReward(find_task("mountaincar-continuous").make_env(), arguments.reward, scale=100.0))
    model = SAC(
        "MlpPolicy",
        env,
        buffer_size=min(50_000, arguments.steps),
        learning_starts=min(1_000, arguments.steps // 4),
        train_freq=32,
        gradient_steps=16,
        gamma=0.99,
        tau=0.01,
        use_sde=True,
        policy_kwargs={"net_arch": [64, 64], "log_std_init": -2.0},
        seed=arguments.seed,
    )
    model.learn(arguments.steps)
    env.close()
    last = env.succeeded[-20:]
    print(f"{model.num_timesteps} steps, {len(env.succeeded)} episodes; dense reward paid: {env.paid:.2f}")
    print(f"success in the last {len(last)} training episodes: {sum(last) / max(1, len(last)):.0%}")


if __name__ == "__main__":
    main()
