"""The page on which a person judges a bundle."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from car.bundle import Bundle
from car.page import Strip, attempt_sections, authors, highlighted, render, strip, uri
from car.sandbox import Sandbox
from car.trajectory import Trajectory
from car.verify import Finding, Observation, observe
from car.verify.credit import credited, prerequisites

SHOWN = 3
"""Strips of one kind that are open; the others are folded away."""

MOST = 20
"""Random trajectories of one sub-task that are shown where nobody knows whether the firing is right."""


@dataclass(frozen=True)
class SubTaskSection:
    """What the page shows of one sub-task."""

    name: str
    description: str
    after: tuple[str, ...]
    goal: bool
    source: Markup
    findings: Sequence[Finding]
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
    return render(
        "review",
        bundle=bundle,
        authors=authors(bundle),
        first=uri(bundle.frames["first"]),
        goal=uri(bundle.frames["goal"]),
        looked=bool(seen),
        subtasks=_sections(bundle, seen),
        attempts=attempt_sections(bundle),
    )


def _sections(bundle: Bundle, seen: Sequence[Observation]) -> list[SubTaskSection]:
    after = prerequisites(bundle.checkers)
    times = [credited(each.done, after) for each in seen]
    return [_section(bundle, index, seen, [each[index] for each in times]) for index in range(len(bundle.checkers))]


def _section(bundle: Bundle, index: int, seen: Sequence[Observation], times: Sequence[int | None]) -> SubTaskSection:
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
        findings=bundle.verdict.of(checker.subtask.name),
        experts=experts[:SHOWN],
        more_experts=experts[SHOWN:],
        suspects=suspects[:SHOWN],
        more_suspects=suspects[SHOWN:],
        randoms=randoms[:MOST],
        random_fired=len(randoms),
        random_total=sum(each.trajectory.who == "random" for each in seen),
    )
