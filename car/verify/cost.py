"""What a checker costs: microseconds for an episode's first frame, for every other frame, and line by line.

A program runs at every step of a training, so a slow one slows all of it. It is measured in its own worker, by
`stopwatch`, whose text is put around the program's: no code of it runs here.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from car.checker import Checker
from car.sandbox import Limits, Sandbox, Session
from car.trajectory import Trajectory
from car.verify import stopwatch
from car.verify.lines import LineCost, dearest
from car.verify.probe import Probe
from car.verify.sample import distinct_times, evenly

IDENTIFY_SHARE = 20
"""How many times as long as a frame `identify` may take: it runs once in an episode."""

_PIXELS = 128 * 128
_EPISODES, _FRAMES = 8, 7
"""From how many episodes, and how many frames of each."""
_BATCH = 8
_REPEATS, _PROFILES = 5, 4
_SECONDS = 1.0
"""After that, whatever was measured must do: a slow program is slow without many repeats."""
_PROFILED = 12
_SLOWED = 20.0
"""How many times as long a frame may take while its lines are counted."""
_LONGEST_NS = 10**13

_Row = tuple[int, int]
"""The number of a trajectory, and the time in it."""
_Facts = dict[str, Any]


@dataclass(frozen=True)
class Cost:
    """What one checker costs, each frame at the best of several times: what a busy machine adds is left out.

    Args:
        identify_us: `identify` on a first frame, the median, in microseconds; 0 if there is none.
        check_us: one frame, the mean, in microseconds: `check`, and `progress` where there is one.
        progress_us: the part of it that `progress` takes; None if there is none.
        frames: how many frames were measured.
        lines: the dearest lines of a frame, dearest first; empty if they could not be told.
        identify_lines: those of `identify`.
    """

    identify_us: float
    check_us: float
    progress_us: float | None
    frames: int
    lines: tuple[LineCost, ...] = ()
    identify_lines: tuple[LineCost, ...] = ()


def limit_us(frame_shape: Sequence[int], base: float = 500.0) -> float:
    """What a frame may cost, in microseconds: `base` up to 128 x 128 pixels, beyond that in proportion to the pixels.

    Args:
        frame_shape: (H, W) or (H, W, 3).
        base: the least limit, in microseconds.
    """
    return base * max(1.0, frame_shape[0] * frame_shape[1] / _PIXELS)


def measure(
    sandbox: Sandbox, checker: Checker, trajectories: Sequence[Trajectory], limits: Limits = Limits()
) -> Cost | None:
    """What a checker costs on frames spread evenly over some of the trajectories.

    Each repeat is in a fresh worker, for in a training too no frame is asked about twice; the best time of each frame
    counts. A frame on which the program fails is left out.

    Args:
        sandbox: where the program runs.
        checker: the program.
        trajectories: where the frames come from; all of one size.
        limits: what it may use.

    Returns:
        None if it answered about no frame, or there is none.

    Raises:
        SandboxUnavailable: this machine cannot isolate as well as is asked for.
    """
    rows = _sample(trajectories)
    with sandbox.open([_around(checker, stopwatch.Clock)], replace(limits, lives=0)) as session:
        timed = _Questions(session, trajectories, int).ask(rows, _REPEATS)
    # The first frames that a process sees take longer than all others.
    settled = [row for row in rows[_EPISODES:] if row in timed] or list(timed)
    if not settled:
        return None
    chosen = [settled[place] for place in evenly(range(len(settled)), _PROFILED)]
    patient = replace(limits, lives=0, frame_seconds=limits.frame_seconds * _SLOWED)
    with sandbox.open([_around(checker, stopwatch.Profile)], patient) as session:
        counted = _Questions(session, trajectories, list).ask(chosen, _PROFILES)
    return _cost(checker.source, timed, settled, counted)


def cost_probe(checker: Checker, cost: Cost | None, limit: float) -> Probe:
    """Whether a checker costs no more than the limit for a frame, and 20 times that for `identify`; only reported.

    Args:
        checker: the program.
        cost: what it costs; None if that could not be measured.
        limit: for a frame, in microseconds.
    """
    most = IDENTIFY_SHARE * limit
    values: dict[str, Any] = {"limit_us": limit, "identify_limit_us": most}
    if cost is None:
        said = "What the program costs could not be measured: it answered about no frame."
        values |= dict.fromkeys(("identify_us", "check_us", "progress_us"))
        return Probe("cost", checker.subtask.name, False, None, said, values | {"frames": 0})
    part = "" if cost.progress_us is None else f", {cost.progress_us:.0f} of them for progress"
    said = (
        f"A frame takes {cost.check_us:.0f} microseconds{part}, where {limit:.0f} are allowed, and identify takes "
        f"{cost.identify_us:.0f} once an episode, where {most:.0f} are allowed."
    )
    values |= {
        "identify_us": round(cost.identify_us, 1),
        "check_us": round(cost.check_us, 1),
        "progress_us": None if cost.progress_us is None else round(cost.progress_us, 1),
        "frames": cost.frames,
    }
    fine = cost.check_us <= limit and cost.identify_us <= most
    return Probe("cost", checker.subtask.name, False, fine, said, values)


def told(cost: Cost, most: int = 5) -> str:
    """The profile by line, as text for a prompt; "" if there is none.

    Args:
        cost: what was measured.
        most: how many lines are told, of `identify` and of the rest.
    """
    said = []
    if cost.lines:
        said.append(f"One frame takes {cost.check_us:.0f} microseconds. The lines that take most of it:")
        said += [each.told("frame") for each in cost.lines[:most]]
    if cost.identify_lines:
        said.append(f"`identify` takes {cost.identify_us:.0f} microseconds. The lines that take most of it:")
        said += [each.told("first frame") for each in cost.identify_lines[:most]]
    return "\n".join(said)


def _sample(trajectories: Sequence[Trajectory]) -> list[_Row]:
    """Distinct frames, spread evenly; one of each episode, then the next of each."""
    chosen = evenly(range(len(trajectories)), _EPISODES)
    times = [evenly(distinct_times(trajectories[number]), _FRAMES) for number in chosen]
    return [
        (number, own[turn])
        for turn in range(_FRAMES)
        for number, own in zip(chosen, times, strict=True)
        if turn < len(own)
    ]


def _around(checker: Checker, watch: type) -> Checker:
    """The program that measures the checker."""
    text = Path(stopwatch.__file__).read_text(encoding="utf-8")
    functions = "identify, check, explain = watch.identify, watch.check, watch.explain"
    return Checker(checker.subtask, f"{text}\n\nwatch = {watch.__name__}({checker.source!r})\n{functions}\n")


class _Questions:
    """Asks a measuring program about frames.

    Args:
        session: with that program alone.
        trajectories: where the frames come from.
        kind: what its figures are, ``int`` or lists of them.
    """

    def __init__(self, session: Session, trajectories: Sequence[Trajectory], kind: type) -> None:
        self._session, self._trajectories, self._kind = session, trajectories, kind

    def ask(self, rows: Sequence[_Row], repeats: int) -> dict[_Row, list[_Facts]]:
        """The facts of each row that was answered, of each repeat that there was time for."""
        kept: dict[_Row, list[_Facts]] = {}
        end = time.monotonic() + _SECONDS
        for repeat in range(repeats):
            if repeat:
                self._session.renew()
            for start in range(0, len(rows), _BATCH):
                batch = rows[start : start + _BATCH]
                for row, facts in zip(batch, self._facts(batch), strict=True):
                    if "check_ns" in facts:
                        kept.setdefault(row, []).append(facts)
                if time.monotonic() > end:
                    return kept
        return kept

    def _facts(self, rows: Sequence[_Row]) -> Iterator[_Facts]:
        initial = np.stack([self._trajectories[number].frame(0) for number, _ in rows])
        frames = np.stack([self._trajectories[number].frame(at) for number, at in rows])
        facts = self._session.run(initial, frames, explain=True).facts
        return (self._sound(facts.get((at, 0), {})) for at in range(len(rows)))

    def _sound(self, facts: Mapping[str, Any]) -> _Facts:
        """The facts that can be figures: whatever comes from a worker, the program may have made up."""
        return {name: each for name, each in facts.items() if type(each) is self._kind and _is_figure(each)}


def _is_figure(value: Any) -> bool:
    if type(value) is list:
        return all(type(each) is int and _is_figure(each) for each in value)
    return bool(0 <= value < _LONGEST_NS)


def _cost(
    source: str, timed: dict[_Row, list[_Facts]], settled: Sequence[_Row], counted: dict[_Row, list[_Facts]]
) -> Cost:
    check = {row: _best(timed[row], "check_ns") for row in settled}
    progress = {row: _best(timed[row], "progress_ns") for row in settled}
    identify = _identify_ns(timed)
    first = {number: facts for (number, _), facts in counted.items()}
    has_progress = any("progress_ns" in each for row in settled for each in timed[row])
    progress_us = float(np.mean(list(progress.values()))) / 1000
    return Cost(
        identify_us=float(np.median(list(identify.values()))) / 1000,
        check_us=float(np.mean(list(check.values()))) / 1000 + progress_us,
        progress_us=progress_us if has_progress else None,
        frames=len(settled),
        lines=dearest(source, "check", list(counted.values()), sum(check[row] + progress[row] for row in counted)),
        identify_lines=dearest(source, "identify", list(first.values()), sum(identify[number] for number in first)),
    )


def _identify_ns(timed: dict[_Row, list[_Facts]]) -> dict[int, int]:
    """The best time of each episode's first frame."""
    episodes: dict[int, list[_Facts]] = {}
    for (number, _), facts in timed.items():
        episodes.setdefault(number, []).extend(facts)
    return {number: _best(facts, "identify_ns") for number, facts in episodes.items()}


def _best(facts: Sequence[_Facts], name: str) -> int:
    return min((each[name] for each in facts if name in each), default=0)
