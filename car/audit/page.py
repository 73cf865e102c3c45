"""The page on which a person sees what an audit found, and judges what no program can."""

from collections.abc import Sequence
from dataclasses import dataclass

from car.audit.findings import Findings
from car.audit.played import HOWS, Played
from car.page import render, uri
from car.refine import Flaw
from car.trajectory import Trajectory

SHOWN = 6
"""So many episodes of each kind of disagreement are shown in full; the others are folded away."""

_SAID = {
    Flaw.UNCONFIRMED: "The goal was credited, and the environment reports no success in the whole episode.",
    Flaw.EARLY: "The goal was credited before the frame on which the environment reports success.",
    Flaw.MISSED: "The environment reports success, and the goal was not credited.",
}


@dataclass(frozen=True)
class Shot:
    """One frame of a strip.

    Args:
        caption: which frame, and what was credited on it.
        picture: a data URI.
        credited: whether something was credited on it.
        accused: whether that is known or said to be wrong.
    """

    caption: str
    picture: str
    credited: bool = False
    accused: bool = False


@dataclass(frozen=True)
class Reel:
    """An episode: its first frame, and for each sub-task the frame on which it was credited and the one before it."""

    number: int
    caption: str
    shots: Sequence[Shot]


@dataclass(frozen=True)
class Group:
    """The episodes of one kind of disagreement."""

    title: str
    said: str
    count: int
    reels: Sequence[Reel]
    more: Sequence[Reel]


def audit_page(findings: Findings, folder: str) -> str:
    """The page as HTML, one self-contained file.

    Args:
        findings: what was found.
        folder: of the audit, as a person types it.
    """
    numbered = list(enumerate(findings.episodes, 1))
    disagree = {number for number, _ in findings.disagreements}
    others = [(number, each) for number, each in numbered if number not in disagree]
    return render(
        "audit",
        findings=findings,
        folder=folder,
        counted=sum(findings.flaws().values()) if findings.confirmed else 0,
        groups=[_group(findings, flaw) for flaw in Flaw if any(flaw is each for _, each in findings.disagreements)],
        best=[_reel(findings, number, each) for number, each in others],
        tallies=sorted(findings.tallies, key=lambda each: HOWS.index(each.how)),
    )


def _group(findings: Findings, flaw: Flaw) -> Group:
    reels = [
        _reel(findings, each, findings.episodes[each - 1]) for each, kind in findings.disagreements if kind is flaw
    ]
    return Group(flaw.capitalize(), _SAID[flaw], findings.flaws()[flaw], reels[:SHOWN], reels[SHOWN:])


def _reel(findings: Findings, number: int, played: Played) -> Reel:
    said = {(each.episode, each.subtask): each.wrong for each in findings.judgements}
    names = [each.name for each in findings.subtasks]
    disagrees = number in {each for each, _ in findings.disagreements}
    accused = {name for name in names if said.get((number, name))}
    if disagrees and played.flaw is not Flaw.MISSED:
        accused.add(names[findings.goal])
    moments: dict[int, list[str]] = {}
    for index in played.way:
        time = played.times[index]
        if time is not None:
            moments.setdefault(time, []).append(names[index])
    return Reel(number, _caption(played, accused), _shots(played.trajectory, moments, accused))


def _caption(played: Played, accused: set[str]) -> str:
    trajectory = played.trajectory
    ended = "success" if trajectory.success else "no success"
    steps = len(trajectory) - 1
    said = f"{played.how}, seed {trajectory.seed}, {steps} steps, {ended}; paid {played.paid:.2f}"
    return f"{said}; wrong: {', '.join(sorted(accused))}" if accused else said


def _shots(trajectory: Trajectory, moments: dict[int, list[str]], accused: set[str]) -> list[Shot]:
    last = len(trajectory) - 1
    before = {time - 1 for time in moments if time > 0}
    shots = []
    for time in sorted({0, last, *moments, *before}):
        names = moments.get(time, [])
        caption = f"{time}: {', '.join(names)}" if names else "last" if time == last else str(time)
        shots.append(Shot(caption, uri(trajectory.frame(time), 0), bool(names), bool(accused & set(names))))
    return shots
