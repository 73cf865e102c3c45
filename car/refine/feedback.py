"""From a finding to a complaint: the fact, the decisive frames, and what the checker's own `explain` said there."""

import json
from collections.abc import Sequence

import numpy as np

from car.frames import Frame
from car.prompts import Complaint
from car.refine.counterexample import CounterExample, Refuted
from car.sandbox import Answers, Session
from car.trajectory import Trajectory
from car.verify import Finding, Observation, Rule
from car.verify.blank import KINDS, blank_frame

MOST_FRAMES = 5
"""At most so many frames go back with one complaint."""

_BEFORE_AND_AT = (Rule.TOO_EARLY, Rule.GOAL_TOO_EARLY, Rule.TOO_EASY, Rule.FALSE_GOAL)
_WITH_AN_EXAMPLE = (Rule.TOO_EASY, Rule.FALSE_GOAL, Rule.EXPLOITABLE)


def complaint_about(finding: Finding, observations: Sequence[Observation], session: Session) -> Complaint:
    """The complaint for a finding.

    Args:
        finding: what was found on the trajectories.
        observations: what was said of those that were judged, by the accused checker as the last one.
        session: the live checker that it was found against, alone.
    """
    if finding.trajectory is None or finding.time is None:
        return Complaint(finding.message, kind=finding.mistake)
    trajectory = observations[finding.trajectory].trajectory
    times = _decisive(finding.rule, finding.time, len(trajectory))
    shown = [trajectory.frame(time) for time in times]
    captions = [_caption(finding.trajectory, trajectory, time) for time in times]
    if finding.probe in KINDS:
        shown.append(blank_frame(finding.probe, trajectory.frame(0).shape))
        captions.append(f"the {finding.probe} picture")
    facts = _explained(session, trajectory.frame(0), shown, captions)
    frames = dict(zip(captions, shown, strict=True)) | _example(finding, observations)
    return Complaint(finding.message, facts, dict(list(frames.items())[:MOST_FRAMES]), finding.mistake)


def complaint_from_audit(
    found: Sequence[Refuted], example: CounterExample, observations: Sequence[Observation], session: Session
) -> Complaint:
    """The complaint for what counter-examples of an audit show; the first one is shown.

    Args:
        found: against the same program, at least one.
        example: the counter-example of the first of them.
        observations: what was said of the recorded trajectories, by the accused checker as the last one.
        session: the live checker, alone.
    """
    first, more, trajectory = found[0], len(found) - 1, example.trajectory
    finding = Finding(first.rule, session.checkers[0].subtask.name, first.said)
    times = sorted({0, max(first.time - 1, 0), first.time})
    captions = [f"{example.name}, frame {time}" for time in times]
    shown = [trajectory.frame(time) for time in times]
    facts = _explained(session, trajectory.frame(0), shown, captions)
    frames = dict(zip(captions, shown, strict=True)) | _example(finding, observations)
    also = f" {more} other audit episode{'s speak' if more > 1 else ' speaks'} against it too." if more else ""
    return Complaint(first.said + also, facts, dict(list(frames.items())[:MOST_FRAMES]), finding.mistake)


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


def _example(finding: Finding, observations: Sequence[Observation]) -> dict[str, Frame]:
    """The frame on which an expert has the sub-task done, to set against those on which nobody has."""
    if finding.rule not in _WITH_AN_EXAMPLE:
        return {}
    for index, each in enumerate(observations):
        time = each.first(each.done.shape[1] - 1)
        if each.trajectory.who == "expert" and time is not None:
            caption = f"{_caption(index, each.trajectory, time)}, where it is rightly done"
            return {caption: each.trajectory.frame(time)}
    return {}


def _explained(session: Session, initial: Frame, shown: Sequence[Frame], captions: Sequence[str]) -> str:
    answers = session.run(initial, np.stack(shown), explain=True)
    told = [(row, caption) for row, caption in enumerate(captions) if (row, 0) in answers.facts]
    return "; ".join(f"{_short(caption)}: {_fact(answers, row)}" for row, caption in told)


def _short(caption: str) -> str:
    return caption.rpartition(", ")[2]


def _fact(answers: Answers, row: int) -> str:
    return f"check = {bool(answers.done[row, 0] == 1)}, {json.dumps(dict(answers.facts[row, 0]), sort_keys=True)}"
