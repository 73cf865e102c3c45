"""The film of a trained agent: a few episodes, and beside them which sub-tasks are credited.

The policy plays episodes that neither training nor evaluation has seen. Milestones are credited by the run's own
reward, its programs in the sandbox.
"""

from car.film.encode import FORMATS
from car.film.film import Film, default_path, film_finished, film_run
from car.film.playing import FILM_SEED, Episode

__all__ = ["FILM_SEED", "FORMATS", "Episode", "Film", "default_path", "film_finished", "film_run"]
