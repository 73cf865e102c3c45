"""What it costs in samples, and saves in time, if the reward looks at each k-th step only.

python -m tests.benchmarks.seldom_looks

Trains on DoorKey-6x6 with MiniGrid's own rendering for a camera, which costs more than the rest of a step.
"""

import argparse
import os
import platform
import tempfile
from pathlib import Path

from car.tasks import find_task
from car.train import TrainResult, TrainSettings, train
from car.train.folder import RunFolder
from tests.benchmarks.training_speed import rendered


def per_step(result: TrainResult) -> float:
    """Microseconds of the training process's processor time for a step, from the first rollout to the last."""
    lines = [line for line in RunFolder(result.folder).lines() if line.evaluation is None]
    first, last = lines[0], lines[-1]
    return (last.cpu_seconds - first.cpu_seconds) / (last.steps - first.steps) * 1e6


def said(every: int, seed: int, result: TrainResult) -> str:
    """One line of the table."""
    solved = "never" if result.solved_at is None else f"{result.solved_at:,}"
    success = 0.0 if result.evaluation is None else result.evaluation.success
    return f"{every:2}  {seed:4}  {solved:>16}  {success:10.0%}  {per_step(result):20.0f}"


def main() -> None:
    """Trains, one run after the other, and prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="doorkey-6x6", help="a MiniGrid task with a shipped bundle")
    parser.add_argument("--every", type=int, nargs="+", default=[1, 5, 20])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=40_960)
    asked = parser.parse_args()
    task = rendered(find_task(asked.task))
    bundle = Path(__file__).parents[2] / "generated_rewards" / asked.task
    print(f"{asked.task}, {os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f} at the beginning")
    print(" k  seed  90% solved after  evaluation  processor us a step", flush=True)
    for seed in range(asked.seeds):
        for every in asked.every:
            settings = TrainSettings(steps=asked.steps, seed=seed, every=every, eval_every=0, eval_episodes=100)
            with tempfile.TemporaryDirectory() as folder:
                result = train(task, bundle, settings, Path(folder) / "run")
                print(said(every, seed, result), flush=True)


if __name__ == "__main__":
    main()
