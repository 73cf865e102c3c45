"""PPO of Stable-Baselines3 on MiniGrid: one reward around a vector of environments.

In the checkout::

    python examples/sb3_ppo.py --task doorkey-6x6 --steps 100000
"""

import argparse

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

from car.tasks import find_task
from car.wrapper import DenseVecReward, FrameTap


class Tally(BaseCallback):
    """Sums what the bundle paid, and notes which episodes succeeded."""

    def __init__(self):
        super().__init__()
        self.paid, self.succeeded = 0.0, []

    def _on_step(self):
        for info, done in zip(self.locals["infos"], self.locals["dones"], strict=True):
            self.paid += info["car/shaped"]
            if done:
                self.succeeded.append(info["car/env_reward"] > 0)
        return True


def main():
    """Trains, and says how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="doorkey-6x6")
    parser.add_argument("--reward", help="a bundle's folder; default: generated_rewards/TASK")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # networks as small as these are slower on more
    task = find_task(arguments.task)

    def make_env():
        # The tap takes each frame inside; what the agent sees goes around it.
        return task.viewed(FrameTap(task.make_env(), task.make_camera()))

    venv = DenseVecReward(DummyVecEnv([make_env] * 16), arguments.reward or f"generated_rewards/{task.name}")
    model = PPO("MlpPolicy", venv, learning_rate=1e-3, n_steps=128, batch_size=256, n_epochs=4, ent_coef=0.02)
    model.set_random_seed(arguments.seed)
    tally = Tally()
    model.learn(arguments.steps, callback=tally)
    venv.close()
    last = tally.succeeded[-100:]
    print(f"{model.num_timesteps} steps, {len(tally.succeeded)} episodes; dense reward paid: {tally.paid:.2f}")
    print(f"success in the last {len(last)} training episodes: {sum(last) / max(1, len(last)):.0%}")


if __name__ == "__main__":
    main()
