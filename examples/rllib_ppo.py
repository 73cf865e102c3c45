"""PPO of RLlib on MiniGrid: the environment is registered by name, with the reward in it.

In the checkout::

    python examples/rllib_ppo.py --steps 60000

It needs RLlib, which is not among the pinned packages; docs/trainers.md says how it was installed.
"""

import argparse
from pathlib import Path

import gymnasium as gym
import ray
from ray import tune
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback

from car.tasks import find_task
from car.wrapper import DenseReward


class Tally(RLlibCallback):
    """Reports what the bundle paid and which episodes succeeded, as metrics of the environment runners."""

    def on_episode_step(self, *, episode, metrics_logger, **_):
        """Reads what `DenseReward` left in the step's info."""
        info = episode.get_infos(-1)
        # MiniGrid's DoorKey terminates where it succeeds, and nowhere else.
        facts = {"paid": info["car/shaped"], "ended": episode.is_done, "succeeded": episode.is_terminated}
        for name, value in facts.items():
            metrics_logger.log_value(name, float(value), reduce="lifetime_sum")


def make_env(config):
    """The environment for one runner; RLlib calls this in its processes, so the bundle's path is absolute."""
    task = find_task(config["task"])
    return gym.wrappers.FlattenObservation(task.viewed(DenseReward(task.make_env(), config["reward"])))


def main():
    """Trains, and says how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="doorkey-6x6")
    parser.add_argument("--reward", help="a bundle's folder; default: generated_rewards/TASK")
    parser.add_argument("--steps", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    reward = str(Path(arguments.reward or f"generated_rewards/{arguments.task}").resolve())

    tune.register_env("dense-minigrid", make_env)
    config = (
        PPOConfig()
        .environment("dense-minigrid", env_config={"task": arguments.task, "reward": reward})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=16)
        .training(train_batch_size=2048, minibatch_size=256, num_epochs=4, lr=1e-3, entropy_coeff=0.02)
        .callbacks(Tally)
        .debugging(seed=arguments.seed)
    )
    algorithm, steps, runners = config.build_algo(), 0, {}
    while steps < arguments.steps:
        runners = algorithm.train()["env_runners"]
        steps = int(runners["num_env_steps_sampled_lifetime"])
    algorithm.stop()
    ray.shutdown()
    paid, ended, succeeded = (float(runners[name]) for name in ("paid", "ended", "succeeded"))
    print(f"{steps} steps, {ended:.0f} episodes; dense reward paid: {paid:.2f}")
    print(f"success in all training episodes: {succeeded / max(1.0, ended):.0%}")


if __name__ == "__main__":
    main()
