"""How many frames a second a bundle's programs and CLIPs of several sizes look at: the same frames, in one run.

``python -m tests.benchmarks.clip_speed [--task doorkey-8x8] [--frames 512]``, on a quiet machine; needs the extra
``clip``. The large CLIPs have random weights, which take as long as real ones.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from car.clip.labelled import label_episodes
from car.frames import Frame
from car.rewards.clip.loading import load_encoder
from car.rewards.code import open_reward
from car.tasks import find_task

_BATCH = 16
_MODELS = {"worlds": 512, "ViT-B-32/random": 64, "ViT-L-14/random": 16}
_ROUNDS = 3


def measure(task: str, count: int, threads: int) -> dict[str, float]:
    """Frames a second of each, the best of three rounds; frames are different ones, and nothing is remembered."""
    torch.set_num_threads(threads)
    frames = list(label_episodes(find_task(task), 60).pictures)[:count]
    rates = {"programs": _by_programs(task, frames)}
    for model, most in _MODELS.items():
        encoder = load_encoder(model, device="cpu")
        some = frames[:most]
        rates[model] = max(_rate(encoder.images, some) for _ in range(_ROUNDS))
    return rates


def _by_programs(task: str, frames: Sequence[Frame]) -> float:
    best = 0.0
    for _ in range(_ROUNDS):
        reward = open_reward(f"generated_rewards/{task}")
        ask = np.ones((_BATCH, len(reward.names)), np.bool_)
        first = np.stack([frames[0]] * _BATCH)
        # The first call also starts the workers, and finds what `identify` looks for.
        reward.signals(first, np.stack([frames[0]] * _BATCH), ask)
        best = max(
            best,
            _rate(
                lambda some, r=reward, f=first, a=ask: r.signals(f[: len(some)], np.stack(some), a[: len(some)]), frames
            ),
        )
        reward.close()
    return best


def _rate(look: Callable[[Sequence[Frame]], object], frames: Sequence[Frame]) -> float:
    began = time.perf_counter()
    for start in range(0, len(frames), _BATCH):
        look(frames[start : start + _BATCH])
    return len(frames) / (time.perf_counter() - began)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="doorkey-8x8")
    parser.add_argument("--frames", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rates = measure(asked.task, asked.frames, asked.threads)
    if asked.json:
        print(json.dumps(rates))
        return
    for name, rate in rates.items():
        print(f"{name:20} {rate:12,.1f} frames/s   programs are {rates['programs'] / rate:10,.1f} times as fast")


if __name__ == "__main__":
    main()
