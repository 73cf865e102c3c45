"""What is really the case in an environment, read from its state. For evaluation only.

A prompt, a checker, verification, refinement and training must not know any of this: the import contract in
pyproject.toml keeps every other module from importing it.
"""

from car.truth.minigrid import Predicate, truth_for

__all__ = ["Predicate", "truth_for"]
