"""The page on which a person judges a bundle."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from car.bundle import Bundle
from car.frames import Frame
from car.page import CELL, Strip, attempt_sections, authors, highlighted, render, strip, uri
from car.page.verdict import verdict_section
from car.sandbox import Sandbox
from car.trajectory import Trajectory
from car.verify import Finding, Observation, Rule, observe
from car.verify.blank import KINDS, blank_frame
from car.verify.credit import credited, prerequisites

SHOWN = 3
"""Strips of one kind that are open; the others are folded away."""

_SINCE_THE_START = (Rule.NEVER_ON_EXPERT, Rule.CRASHES, Rule.NOT_PURE)

MOST = 20
"""Random trajectories of one sub-task that are shown where nobody knows whether the firing is right."""


@dataclass(frozen=True)
class Shown:
    """One frame that decides something.

    Args:
        caption: which frame.
        picture: a data URI.
        width: at which to show it, in pixels.
    """

    caption: str
    picture: str
    width: int


@dataclass(frozen=True)
class Decisive:
    """A finding with the two frames that show it; without them if they are not here."""

    finding: Finding
    frames: Sequence[Shown]


@dataclass(frozen=True)
class SubTaskSection:
    """What the page shows of one sub-task."""

    name: str
    description: str
    after: tuple[str, ...]
    goal: bool
    source: Markup
    findings: Sequence[Decisive]
    experts: Sequence[Strip]
    more_experts: Sequence[Strip]
    suspects: Sequence[Strip]
    more_suspects: Sequence[Strip]
    randoms: Sequence[Strip]
    random_fired: int
    random_total: int


def review_page(bundle: Bundle, trajectories: Sequence[Trajectory], sandbox: Sandbox) -> str:
    """The page as HTML, one self-contained file.

    Args:
        bundle: what is reviewed.
        trajectories: on which to show where the checkers fire; may be empty.
        sandbox: where the checkers run.
    """
    seen: list[Observation] = []
    if trajectories:
        with sandbox.open(bundle.checkers) as session:
            seen = observe(session, trajectories)
    judged = judged_here(bundle, trajectories)
    return render(
        "review",
        bundle=bundle,
        section=verdict_section(bundle.verdict, bundle.rehearsal),
        chain=[_decisive(each, judged) for each in bundle.verdict.of("")],
        authors=authors(bundle),
        first=uri(bundle.frames["first"]),
        goal=uri(bundle.frames["goal"]),
        looked=bool(seen),
        subtasks=_sections(bundle, seen, judged),
        attempts=attempt_sections(bundle),
    )


def judged_here(bundle: Bundle, trajectories: Sequence[Trajectory]) -> list[Trajectory]:
    """Those that gave the verdict, in the order in which its findings count them; none if one of them is not here."""
    named = bundle.manifest["trajectories"]["verdict"]
    here = [each for each in trajectories if each.sha256() in named]
    if len(here) != len(named):
        return []
    return sorted(here, key=lambda each: (each.who == "random", -1 if each.seed is None else each.seed))


def _decisive(finding: Finding, judged: Sequence[Trajectory]) -> Decisive:
    """The finding with the frame on which it shows, and one to hold against that."""
    if finding.trajectory is None or finding.time is None or finding.trajectory >= len(judged):
        return Decisive(finding, ())
    trajectory, time = judged[finding.trajectory], finding.time
    before = 0 if finding.rule in _SINCE_THE_START else max(time - 1, 0)
    episode = f"{trajectory.who} episode {finding.trajectory + 1}"
    shown = [(f"{episode}, frame {each}", trajectory.frame(each)) for each in sorted({before, time})]
    if finding.probe in KINDS:
        shown = [shown[-1], (f"then the {finding.probe} picture", blank_frame(finding.probe, shown[-1][1].shape))]
    return Decisive(finding, [_shown(caption, frame) for caption, frame in shown])


def _shown(caption: str, frame: Frame) -> Shown:
    side = max(frame.shape[:2])
    return Shown(caption, uri(frame, 0), frame.shape[1] * max(1, CELL // side))


def _sections(bundle: Bundle, seen: Sequence[Observation], judged: Sequence[Trajectory]) -> list[SubTaskSection]:
    after = prerequisites(bundle.checkers)
    times = [credited(each.done, after) for each in seen]
    return [
        _section(bundle, index, seen, [each[index] for each in times], judged) for index in range(len(bundle.checkers))
    ]


def _section(
    bundle: Bundle,
    index: int,
    seen: Sequence[Observation],
    times: Sequence[int | None],
    judged: Sequence[Trajectory],
) -> SubTaskSection:
    checker = bundle.checkers[index]
    experts: list[Strip] = []
    randoms: list[Strip] = []
    suspects: list[Strip] = []
    for observation, time in zip(seen, times, strict=True):
        trajectory = observation.trajectory
        is_false = checker.subtask.goal and trajectory.who == "random" and trajectory.success is False
        # A goal that was not reached is wrongly seen even where it comes too early to be credited.
        moment = observation.first(index) if is_false and time is None else time
        if moment is None:
            continue
        what = "fires" if time is None else "credited"
        caption = f"{trajectory.name}, {what} on frame {moment} of {len(trajectory) - 1}"
        made = strip(trajectory, observation.done[:, index].tolist(), moment, caption, suspect=is_false)
        (suspects if is_false else experts if trajectory.who == "expert" else randoms).append(made)
    return SubTaskSection(
        name=checker.subtask.name,
        description=checker.subtask.description,
        after=checker.subtask.after,
        goal=checker.subtask.goal,
        source=highlighted(checker.source),
        findings=[_decisive(each, judged) for each in bundle.verdict.of(checker.subtask.name)],
        experts=experts[:SHOWN],
        more_experts=experts[SHOWN:],
        suspects=suspects[:SHOWN],
        more_suspects=suspects[SHOWN:],
        randoms=randoms[:MOST],
        random_fired=len(randoms),
        random_total=sum(each.trajectory.who == "random" for each in seen),
    )
