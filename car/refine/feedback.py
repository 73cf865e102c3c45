"""From a finding to a complaint: the fact, the decisive frames, and what the checker's own `explain` said there."""

import json
from collections.abc import Sequence

import numpy as np

from car.frames import Frame
from car.prompts import Complaint
from car.sandbox import Answers, Session
from car.trajectory import Trajectory
from car.verify import Finding, Rule

_BEFORE_AND_AT = (Rule.TOO_EARLY, Rule.GOAL_TOO_EARLY, Rule.TOO_EASY, Rule.FALSE_GOAL)


def complaint_about(finding: Finding, trajectories: Sequence[Trajectory], session: Session) -> Complaint:
    """The complaint for a finding.

    Args:
        finding: what was found on the trajectories.
        trajectories: those that were judged.
        session: the live checker that it was found against, alone.
    """
    if finding.trajectory is None or finding.time is None:
        return Complaint(finding.message)
    trajectory = trajectories[finding.trajectory]
    times = _decisive(finding.rule, finding.time, len(trajectory))
    frames = {_caption(finding.trajectory, trajectory, time): trajectory.frame(time) for time in times}
    return Complaint(finding.message, _explained(session, trajectory, times), frames)


def _decisive(rule: Rule, time: int, length: int) -> list[int]:
    if rule in _BEFORE_AND_AT:
        times = {0, max(time - 1, 0), time}
    elif rule is Rule.NEVER_ON_EXPERT:
        times = {0, length // 3, 2 * length // 3, length - 1}
    else:
        times = {0, time}
    return sorted(times)


def _caption(index: int, trajectory: Trajectory, time: int) -> str:
    return f"{trajectory.who} episode {index + 1}, frame {time}"


def _explained(session: Session, trajectory: Trajectory, times: Sequence[int]) -> str:
    frames: list[Frame] = [trajectory.frame(time) for time in times]
    answers = session.run(trajectory.frame(0), np.stack(frames), explain=True)
    said = [f"frame {time}: {_fact(answers, row)}" for row, time in enumerate(times) if (row, 0) in answers.facts]
    return "; ".join(said)


def _fact(answers: Answers, row: int) -> str:
    return f"check = {bool(answers.done[row, 0] == 1)}, {json.dumps(dict(answers.facts[row, 0]), sort_keys=True)}"
