"""Code as Reward: a vision-language model writes reward programs from two frames; verified, they train agents."""

__version__ = "0.1.0"
