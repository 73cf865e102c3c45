"""Training a model, with notes on the way."""

import time
from collections import defaultdict, deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure

from car.errors import RewardChanged
from car.rewards import Reward
from car.task import Task
from car.train.evaluate import Exam
from car.train.folder import RunFolder
from car.train.sb3.algorithms import load_model, new_model, save_model
from car.train.sb3.late import follow, late_in
from car.train.sb3.options import OptionEpisodes
from car.train.sb3.venv import make_venv
from car.train.settings import ON_POLICY, TRAINING_SEEDS_BELOW, WINDOW, Evaluation, OnProgress, Progress, TrainSettings

_KEPT_STEPS = 20_000
"""A checkpoint comes no later than this many steps after the one before."""


class Training:
    """A model and its environments, new or from the last checkpoint; a context manager that closes them.

    Args:
        run: where the run is kept.
        task: what to learn.
        reward: what to shape the reward with, or None.
        settings: of the run.

    Raises:
        UserError: the algorithm cannot act in the task, or the checkpoint is damaged.
        BadTask: the environment cannot be made.
    """

    def __init__(self, run: RunFolder, task: Task, reward: Reward | None, settings: TrainSettings) -> None:
        torch.set_num_threads(settings.threads)
        self._run, self._settings, self._reward = run, settings, reward
        self._venv = make_venv(task, [None] * settings.envs, reward, settings, late=True)
        if settings.hierarchical:
            self._venv = OptionEpisodes(self._venv, settings.scale, settings.env_reward == "add")
        try:
            self._model = self._resumed() or new_model(task, self._venv, settings)
        except BaseException:
            self._venv.close()
            raise
        follow(self._model)
        self._model.set_random_seed(_stream(settings.seed, self._model.num_timesteps))
        self._model.set_logger(configure(str(run.tensorboard), ["tensorboard"]))

    def _resumed(self) -> BaseAlgorithm | None:
        latest = self._run.latest_checkpoint()
        return None if latest is None else load_model(latest[1], self._settings, self._venv)

    def learn(self, exam: Exam, on_progress: OnProgress) -> None:
        """Trains to the end; writes progress, checkpoints and at last the policy.

        Raises:
            RewardChanged: a program said something else of a known frame than before, after a checkpoint was saved.
            KeyboardInterrupt: Ctrl-C, after a checkpoint was saved.
        """
        notes = _Notes(self._run, self._settings, self._reward, exam, on_progress)
        notes.init_callback(self._model)
        every = 1 if self._settings.algo in ON_POLICY else 10
        try:
            if (missing := self._settings.steps - self._model.num_timesteps) > 0:
                self._model.learn(missing, callback=notes, log_interval=every, reset_num_timesteps=False)
            notes.examine()
        except RewardChanged as changed:
            # Before anybody can be told, since whoever is told may interrupt.
            self._run.stop(str(changed))
            notes.interrupted()
            raise
        except KeyboardInterrupt:
            notes.interrupted()
            raise
        save_model(self._model, self._run.policy)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._model.logger.close()
        self._venv.close()


class _Notes(BaseCallback):
    """Takes the run's notes where an update has just been made, so that a checkpoint holds all that was learnt."""

    def __init__(
        self, run: RunFolder, settings: TrainSettings, reward: Reward | None, exam: Exam, on_progress: OnProgress
    ) -> None:
        super().__init__()
        self._run, self._settings, self._reward = run, settings, reward
        self._exam, self._on_progress = exam, on_progress
        latest = run.latest_checkpoint()
        self._kept = latest[0] if latest else 0
        before = run.cut(self._kept)
        self._before = before[-1] if before else Progress(0, settings.steps, 0.0, 0.0, 0)
        self._noted = self._before.steps
        self._examined = max((line.steps for line in before if line.evaluation), default=0)
        self._episodes = self._before.episodes
        self._credited: deque[float] = deque(maxlen=WINDOW)
        self._options: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=WINDOW))
        self._began = time.perf_counter(), time.process_time()

    def _on_step(self) -> bool:
        for index in np.flatnonzero(self.locals["dones"]):
            info = self.locals["infos"][index]
            if "car/option" in info:
                self._options[info["car/option"]].append(info["car/option_done"])
            if "episode" not in info:
                continue  # an option has ended, and its episode goes on
            self._episodes += 1
            milestones = info.get("car/milestones")
            if milestones:
                self._credited.append(sum(milestones.values()) / len(milestones))
        return True

    def _on_rollout_end(self) -> None:
        if (late := late_in(self.training_env)) is not None:
            self._credited.extend(late.credited())

    def _on_rollout_start(self) -> None:
        steps, every = self.model.num_timesteps, self._settings.eval_every
        if every and steps // every > self._examined // every:
            self.examine()
        elif steps - self._noted >= self._settings.envs * self._settings.n_steps:
            if steps - self._kept >= _KEPT_STEPS:
                self._checkpoint()
            self._note()

    def examine(self) -> None:
        """Evaluates the policy and saves a checkpoint, unless that was done at this step already."""
        if self._examined == self.model.num_timesteps:
            return
        self._examined = self.model.num_timesteps
        evaluation = self._exam.sit(self.model.policy)
        self._checkpoint()
        self._note(evaluation)

    def interrupted(self) -> None:
        """Saves what there is."""
        if self.model.num_timesteps > 0:
            self._checkpoint()
        if self.model.num_timesteps > self._noted:
            self._note()

    def _checkpoint(self) -> None:
        # Before anybody is told: whoever hears of these steps may interrupt, or take them for kept.
        self._kept = self.model.num_timesteps
        save_model(self.model, self._run.checkpoint(self._kept))
        self._run.prune()

    def _note(self, evaluation: Evaluation | None = None) -> None:
        line = self._line(evaluation)
        self._noted = line.steps
        self._run.append(line)
        self._log(line)
        self._on_progress(line)

    def _line(self, evaluation: Evaluation | None) -> Progress:
        successes = self.model.ep_success_buffer or ()
        episodes = self.model.ep_info_buffer or ()
        failures = getattr(self._reward, "failures", None)
        watched = getattr(self._reward, "watched", None)
        failed = 0 if watched is None else watched.failed
        return Progress(
            steps=self.model.num_timesteps,
            total=self._settings.steps,
            wall_seconds=round(self._before.wall_seconds + time.perf_counter() - self._began[0], 3),
            cpu_seconds=round(self._before.cpu_seconds + time.process_time() - self._began[1], 3),
            episodes=self._episodes,
            train_success=_mean(successes),
            train_length=_mean([each["l"] for each in episodes]),
            train_reward=_mean([each["r"] for each in episodes]),
            credited=_mean(self._credited),
            failures=None if failures is None else sum(failures.values()) + failed + (self._before.failures or 0),
            asked_again=None if watched is None else watched.slipped + (self._before.asked_again or 0),
            evaluation=evaluation,
        )

    def _log(self, line: Progress) -> None:
        """What TensorBoard shows beside the algorithm's own figures."""
        if line.evaluation is not None:
            for name in ("success", "length", "reward"):
                self.logger.record(f"evaluation/{name}", getattr(line.evaluation, name))
        for name in ("train_success", "train_reward", "credited", "failures"):
            if (value := getattr(line, name)) is not None:
                self.logger.record(f"progress/{name}", value)
        for name, ends in self._options.items():
            self.logger.record(f"option_done/{name}", _mean(ends))
        self.logger.dump(line.steps)


def _mean(values: Sequence[float] | deque[float]) -> float | None:
    return round(float(np.mean(values)), 6) if len(values) else None


def _stream(seed: int, steps: int) -> int:
    """The seed of the first training environment; the others follow it.

    Runs with seeds 0 and 1 would share most of their environments if these began at 0 and 1; and a resumed run must
    not meet the same episodes again.
    """
    drawn = int(np.random.SeedSequence([seed, steps]).generate_state(1)[0])
    return drawn % (TRAINING_SEEDS_BELOW - 1_000_000)
