"""The reward that is code: the checkers of a bundle, behind the sandbox."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from car.checker import SubTask
from car.errors import BadBundle
from car.frames import Frame, Frames
from car.milestones import Milestones, Shaping
from car.rewards.memo import REMEMBERED
from car.rewards.sharing import Lease, lease_of, lease_shared
from car.rewards.watch import Watch, WatchedSession
from car.sandbox import Answers, Crashed, Refused, Sandbox, Session, TimedOut
from car.sandbox.isolation import Isolation
from car.task import Task

_BELOW_DONE = float(np.nextafter(1.0, 0.0))
_CAUSES = 256


class CodeReward:
    """Signals from checkers that run in a session.

    What was asked before about equal frames is not asked again, but for known frames that are slipped in, see
    `WatchedSession`. A copy shares the live workers, which end with the
    last copy that is closed. Not for several threads at a time, and not for another process than the one that made it.

    Args:
        session: live checkers, k of them; this object closes it.
        subtasks: what each of them checks, in the same order; the goal last.
        name: what to call the reward.
        shaping: what milestones pay.
        task: the task that the checkers were made for, if known; it says how frames are taken.
        frame_shape: the shape (H, W, 3) of the frames that they were verified on, if known.

    Attributes:
        subtasks: what each of the checkers checks.
        failures: how often a checker failed, by (sub-task, cause). In training a checker that fails has not seen its
            sub-task done; that is all.

    Raises:
        BadBundle: a sub-task comes after one that is not there, or some wait for each other.
    """

    def __init__(
        self,
        session: Session | Lease,
        subtasks: Sequence[SubTask],
        name: str,
        shaping: Shaping = Shaping(),
        task: Task | None = None,
        frame_shape: tuple[int, ...] | None = None,
    ) -> None:
        self.name = name
        self.subtasks = tuple(subtasks)
        self.names = tuple(each.name for each in subtasks)
        self.task = task
        self.frame_shape = frame_shape
        self.failures: Counter[tuple[str, str]] = Counter()
        self._shaping = shaping
        self._after = [[self._index(before, each) for before in each.after] for each in subtasks]
        Milestones(self._after, shaping)
        self._session = session if isinstance(session, Lease) else lease_of(session)

    def _index(self, before: str, subtask: SubTask) -> int:
        if before not in self.names:
            raise BadBundle(f"The sub-task {subtask.name!r} of {self.name} comes after {before!r}, which is not there.")
        return self.names.index(before)

    @property
    def watched(self) -> WatchedSession:
        """The session, which counts the known frames that were slipped in; other rewards may share it."""
        return self._session.watched

    @property
    def isolation(self) -> Isolation:
        """How well the programs are isolated, as measured."""
        return self._session.watched.isolation

    def signals(self, initial: Frames, frames: Frames, ask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """1 where a sub-task is done, else its progress below 1, 0 where the checker failed, NaN where not asked.

        Args:
            initial: first frame of each row's episode, (n, H, W, 3).
            frames: the frames to score, (n, H, W, 3).
            ask: which sub-tasks are asked about which row, (n, k).

        Raises:
            RewardChanged: a checker said something else of a known frame than before.
        """
        return self._signals(self._session.run(initial, frames, ask), failed=0.0)

    def signals_of(
        self, initial: Sequence[Frame], frames: Sequence[Frame], ask: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """`signals`, for frames that are not stacked, but NaN where the checker failed.

        What is known of a read-only array is found by its identity.

        Args:
            initial: first frame of each row's episode, n of (H, W, 3).
            frames: the frames to score, n of (H, W, 3).
            ask: which sub-tasks are asked about which row, (n, k).

        Raises:
            RewardChanged: a checker said something else of a known frame than before.
        """
        return self._signals(self._session.run(initial, frames, ask), failed=np.nan)

    def foresee(self, initial: Sequence[Frame], frames: Sequence[Frame], ask: NDArray[np.bool_]) -> None:
        """Asks in advance, so that the answers are remembered; failures are not counted, for they will be asked again.

        Args:
            initial: first frame of each row's episode, n of (H, W, 3).
            frames: the frames, n of (H, W, 3).
            ask: which sub-tasks each row will probably be asked about, (n, k).

        Raises:
            RewardChanged: a checker said something else of a known frame than before.
        """
        self._session.run(initial, frames, ask)

    def _signals(self, answers: Answers, failed: float) -> NDArray[np.float64]:
        self._count(answers)
        signals: NDArray[np.float64] = np.minimum(np.fmax(answers.progress, 0.0), _BELOW_DONE)
        signals[answers.done == 1] = 1.0
        signals[answers.done == -2] = failed
        signals[answers.done == -1] = np.nan
        return signals

    def _count(self, answers: Answers) -> None:
        for (_, checker), failure in answers.failures.items():
            cause = self.names[checker], _cause(failure)
            # A cause can hold numbers from the frame, so their variety has no bound.
            known = cause in self.failures or len(self.failures) < _CAUSES
            self.failures[cause if known else (self.names[checker], "other causes")] += 1

    def episode(self) -> Milestones:
        """The milestones of a new episode."""
        return Milestones(self._after, self._shaping)

    def close(self) -> None:
        """Gives the workers back; a second time does nothing."""
        self._session.give_back()


def _cause(failure: Crashed | TimedOut | Refused) -> str:
    if isinstance(failure, TimedOut):
        return f"{failure.where}: no answer within {failure.seconds:g} s"
    return f"{failure.where}: {failure.cause if isinstance(failure, Crashed) else failure.reason}"


def open_reward(
    bundle_path: str | Path,
    shaping: Shaping = Shaping(),
    allow_unreviewed: bool = False,
    sandbox: Sandbox | None = None,
    watch: Watch = Watch(),
    isolation: int | None = None,
    remembered: int = REMEMBERED,
) -> CodeReward:
    """The reward of a bundle.

    All rewards that one thread of one process opens for the same bundle with the same content share one session,
    whatever their shaping: sixteen environments that each wrap themselves start k workers, not 16 k. The session ends
    when the last of these rewards is closed.

    Args:
        bundle_path: the bundle's folder.
        shaping: what milestones pay.
        allow_unreviewed: also run a bundle that no person has approved.
        sandbox: where checkers run, in a session that is not shared; by default, a process each on this machine.
        watch: how often known frames are slipped in, to see whether the programs still say the same.
        isolation: the lowest isolation level at which programs may run, by default 2; not for a sandbox that is given.
        remembered: for how many pairs of frames it is remembered what the programs said.

    Raises:
        BadBundle: missing, damaged, changed, not approved, or without a program for one of its sub-tasks.
        SandboxUnavailable: this machine cannot isolate checkers as well as is asked for.
    """
    from car.bundle import load_bundle

    bundle = load_bundle(Path(bundle_path))
    if not (bundle.approved or allow_unreviewed):
        raise BadBundle(
            f"Nobody has approved the bundle {bundle_path}: read it with `car review {bundle.task.name}` and approve "
            "it with `--approve`, or pass allow_unreviewed=True."
        )
    checkers = list(bundle.checkers)
    subtasks = [each.subtask for each in checkers]
    if subtasks != list(bundle.subtasks):
        missing = ", ".join(each.name for each in bundle.subtasks if each not in subtasks)
        raise BadBundle(f"The bundle {bundle_path} has no program for {missing}: its reward would be incomplete.")
    if sandbox is None:
        key = Path(bundle_path).resolve(), bundle.manifest_sha256, isolation
        lease = lease_shared(key, lambda: _default_sandbox(isolation).open(checkers), watch, remembered)
    else:
        lease = lease_of(sandbox.open(checkers), watch, remembered)
    return CodeReward(lease, subtasks, bundle.task.name, shaping, bundle.task, bundle.frame_shape)


def _default_sandbox(isolation: int | None) -> Sandbox:
    from car.sandbox.process import ProcessSandbox

    sandbox: Sandbox = ProcessSandbox(isolation)
    return sandbox
