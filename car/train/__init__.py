"""Training: Stable-Baselines3 on a task with a dense reward or a sparse one, and evaluation on the task's own success.

Nothing heavy is imported before a run begins.
"""

from car.train.evaluate import Actor, Exam, evaluate
from car.train.folder import steps_to
from car.train.job import Job, OnRunProgress
from car.train.many import run_jobs, train_many
from car.train.run import SPARSE, TrainResult, check_run, load_policy, result_of, train
from car.train.settings import ALGORITHMS, EVALUATION_SEED, Evaluation, Progress, TrainSettings

__all__ = [
    "ALGORITHMS",
    "EVALUATION_SEED",
    "SPARSE",
    "Actor",
    "Evaluation",
    "Exam",
    "Job",
    "OnRunProgress",
    "Progress",
    "TrainResult",
    "TrainSettings",
    "check_run",
    "evaluate",
    "load_policy",
    "result_of",
    "run_jobs",
    "steps_to",
    "train",
    "train_many",
]
