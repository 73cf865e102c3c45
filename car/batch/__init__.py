"""Reward code for many tasks: each in a process of its own, on this machine or on those of a Ray cluster.

A task that fails does not stop the others, and the same call goes on where it was interrupted.
"""

from car.batch.order import TASK, Order
from car.batch.outcome import FAILED, Outcome, Standing, exit_code_of
from car.batch.places import journal_of
from car.batch.run import Audience, Batch, recorded

__all__ = [
    "FAILED",
    "TASK",
    "Audience",
    "Batch",
    "Order",
    "Outcome",
    "Standing",
    "exit_code_of",
    "journal_of",
    "recorded",
]
