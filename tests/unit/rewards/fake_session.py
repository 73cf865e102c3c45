"""Sessions without workers: checkers are Python functions."""

from collections.abc import Callable, Sequence

import numpy as np

from car.checker import Checker, SubTask
from car.sandbox import Answers, Crashed, Outcome, Ran
from car.sandbox.isolation import Isolation


class FakeSession:
    """Answers with `judges`: (initial, current) -> Outcome; `asked` counts the answers that were worked out."""

    isolation = Isolation(0, ("do anything",), {})

    def __init__(self, judges: Sequence[Callable[[np.ndarray, np.ndarray], Outcome]]) -> None:
        self.checkers = [Checker(SubTask(f"task-{index}", "."), "") for index in range(len(judges))]
        self.judges = judges
        self.asked = 0
        self.calls = 0
        self.ended = 0
        self.renewed = 0

    def run(self, initial, frames, ask=None, explain=False):
        self.calls += 1
        shape = (len(frames), len(self.judges))
        initial = np.broadcast_to(initial, frames.shape)
        done, progress, failures, facts = np.full(shape, -1, np.int8), np.full(shape, np.nan), {}, {}
        for row, checker in np.argwhere(np.ones(shape, bool) if ask is None else ask).tolist():
            self.asked += 1
            outcome = self.judges[checker](initial[row], frames[row])
            if isinstance(outcome, Ran):
                done[row, checker] = outcome.done
                progress[row, checker] = np.nan if outcome.progress is None else outcome.progress
                facts[row, checker] = {"asked": self.asked}
            else:
                done[row, checker] = -2
                failures[row, checker] = outcome
        return Answers(done, progress, failures, facts if explain else {})

    def renew(self):
        self.renewed += 1

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.ended += 1


def brightness(threshold: int) -> Callable[[np.ndarray, np.ndarray], Outcome]:
    """Done if the frame is brighter than the first one by `threshold`; crashes on 13."""

    def judge(initial: np.ndarray, current: np.ndarray) -> Outcome:
        level, start = int(current[0, 0, 0]), int(initial[0, 0, 0])
        if level == 13:
            return Crashed("check", f"ValueError: unlucky {threshold}", 3)
        done = level - start >= threshold
        return Ran(done, None if threshold == 3 else float(np.clip((level - start) / threshold, 0, 1)))

    return judge


def grey(*levels: int, side: int = 4) -> np.ndarray:
    """A batch of frames of one brightness each."""
    return np.stack([np.full((side, side, 3), level, np.uint8) for level in levels])
