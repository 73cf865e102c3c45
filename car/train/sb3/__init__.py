"""Stable-Baselines3 behind our own words; nothing outside this folder imports it, or PyTorch, for training."""

from car.train.sb3.algorithms import load_actor, own_noise, torch_threads
from car.train.sb3.training import Training
from car.train.sb3.venv import make_venv

__all__ = ["Training", "load_actor", "make_venv", "own_noise", "torch_threads"]
