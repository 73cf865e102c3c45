"""PPO in one file, with PyTorch and Gymnasium's vectors alone.

In the checkout::

    python examples/cleanrl_style.py --task doorkey-6x6 --steps 60000
"""

import argparse

import gymnasium as gym
import numpy as np
import torch
from torch import nn

from car.tasks import find_task
from car.wrapper import DenseVectorReward, FrameTap

ENVS, STEPS, EPOCHS, BATCH = 16, 128, 4, 256
GAMMA, LAMBDA, CLIP, ENTROPY, VALUE, RATE = 0.99, 0.95, 0.2, 0.02, 0.5, 1e-3


class Agent(nn.Module):
    """Two networks of one shape: the logits of the actions, and the value."""

    def __init__(self, inputs, actions):
        super().__init__()

        def network(outputs, gain):
            layers = [nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)]
            for layer in layers[::2]:
                nn.init.orthogonal_(layer.weight, np.sqrt(2))
                nn.init.zeros_(layer.bias)
            nn.init.orthogonal_(layers[-1].weight, gain)
            return nn.Sequential(*layers)

        self.actor, self.critic = network(actions, 0.01), network(1, 1.0)

    def forward(self, observations):
        """The distribution of the actions and the values, for flat observations (n, inputs)."""
        return torch.distributions.Categorical(logits=self.actor(observations)), self.critic(observations).squeeze(-1)


def advantages_of(rewards, values, last_value, dones):
    """Generalised advantage estimation over a rollout of shape (STEPS, ENVS); an episode's end cuts it."""
    advantages, running = torch.zeros_like(rewards), torch.zeros(ENVS)
    for step in reversed(range(STEPS)):
        following = last_value if step == STEPS - 1 else values[step + 1]
        alive = 1.0 - dones[step]
        running = rewards[step] + GAMMA * following * alive - values[step] + GAMMA * LAMBDA * alive * running
        advantages[step] = running
    return advantages


def update(agent, optimizer, observations, actions, log_probs, advantages, returns):
    """PPO's clipped update over a rollout, flattened to (STEPS * ENVS, ...)."""
    for _ in range(EPOCHS):
        for index in torch.randperm(len(actions)).split(BATCH):
            policy, value = agent(observations[index])
            ratio = (policy.log_prob(actions[index]) - log_probs[index]).exp()
            gain = advantages[index]
            gain = (gain - gain.mean()) / (gain.std() + 1e-8)
            loss = -torch.min(ratio * gain, ratio.clamp(1 - CLIP, 1 + CLIP) * gain).mean()
            loss += VALUE * (value - returns[index]).pow(2).mean() - ENTROPY * policy.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()


def make_envs(task, reward):
    """ENVS environments in one vector, with the reward around it; the last frame of an episode is not lost."""

    def make_env():
        env = task.viewed(FrameTap(task.make_env(), task.make_camera()))
        return gym.wrappers.FlattenObservation(env)

    vector = gym.vector.SyncVectorEnv([make_env] * ENVS, autoreset_mode=gym.vector.AutoresetMode.SAME_STEP)
    return DenseVectorReward(vector, reward)


def main():
    """Trains, and says how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="doorkey-6x6")
    parser.add_argument("--reward", help="a bundle's folder; default: generated_rewards/TASK")
    parser.add_argument("--steps", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # networks as small as these are slower on more
    torch.manual_seed(arguments.seed)
    task = find_task(arguments.task)
    envs = make_envs(task, arguments.reward or f"generated_rewards/{task.name}")
    inputs, actions = envs.single_observation_space.shape[0], envs.single_action_space.n
    agent = Agent(inputs, actions)
    optimizer = torch.optim.Adam(agent.parameters(), RATE, eps=1e-5)

    paid, succeeded, taken = 0.0, [], 0
    observation = torch.as_tensor(envs.reset(seed=arguments.seed)[0])
    while taken < arguments.steps:
        rollout = {
            "observations": torch.zeros(STEPS, ENVS, inputs),
            "actions": torch.zeros(STEPS, ENVS, dtype=torch.int64),
        }
        rollout |= {name: torch.zeros(STEPS, ENVS) for name in ("log_probs", "values", "rewards", "dones")}
        for step in range(STEPS):
            with torch.no_grad():
                policy, value = agent(observation)
                action = policy.sample()
            following, reward, terminated, truncated, infos = envs.step(action.numpy())
            done = terminated | truncated
            seen = (observation, action, policy.log_prob(action), value, torch.as_tensor(reward), torch.as_tensor(done))
            for store, each in zip(rollout.values(), seen, strict=True):
                store[step] = each
            # Where an episode ended, what it was paid last is in `final_info`.
            last = infos.get("final_info", {})
            paid += infos["car/shaped"].sum() + np.sum(last.get("car/shaped", 0.0))
            succeeded += [bool(each) for each in last["car/env_reward"][done] > 0] if done.any() else []
            observation = torch.as_tensor(following)
        taken += ENVS * STEPS
        with torch.no_grad():
            advantages = advantages_of(rollout["rewards"], rollout["values"], agent(observation)[1], rollout["dones"])
        returns = advantages + rollout["values"]
        flat = [rollout[name].flatten(0, 1) for name in ("observations", "actions", "log_probs")]
        update(agent, optimizer, *flat, advantages.flatten(), returns.flatten())
    envs.close()
    last = succeeded[-100:]
    print(f"{taken} steps, {len(succeeded)} episodes; dense reward paid: {paid:.2f}")
    print(f"success in the last {len(last)} training episodes: {sum(last) / max(1, len(last)):.0%}")


if __name__ == "__main__":
    main()
