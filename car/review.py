"""The page on which a person judges a bundle."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from car.bundle import Bundle
from car.page import Strip, attempt_sections, highlighted, render, strip, uri
from car.sandbox import Sandbox
from car.trajectory import Trajectory
from car.verify import Finding, Observation, observe
from car.verify.judge import credited

SHOWN = 3
"""Experts whose strips are open; those of the others are folded away."""


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
    randoms: Sequence[Strip]
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
        first=uri(bundle.frames["first"]),
        goal=uri(bundle.frames["goal"]),
        looked=bool(seen),
        subtasks=_sections(bundle, seen),
        attempts=attempt_sections(bundle),
    )


def _sections(bundle: Bundle, seen: Sequence[Observation]) -> list[SubTaskSection]:
    names = [each.subtask.name for each in bundle.checkers]
    after = [[names.index(name) for name in each.subtask.after if name in names] for each in bundle.checkers]
    times = [credited(each.done, after) for each in seen]
    return [_section(bundle, index, seen, [each[index] for each in times]) for index in range(len(names))]


def _section(bundle: Bundle, index: int, seen: Sequence[Observation], times: Sequence[int | None]) -> SubTaskSection:
    checker = bundle.checkers[index]
    experts: list[Strip] = []
    randoms: list[Strip] = []
    suspects: list[Strip] = []
    for observation, time in zip(seen, times, strict=True):
        if time is None:
            continue
        trajectory = observation.trajectory
        is_false = checker.subtask.goal and trajectory.who == "random" and trajectory.success is False
        caption = f"{trajectory.name}, credited on frame {time} of {len(trajectory) - 1}"
        made = strip(trajectory, observation.done[:, index].tolist(), time, caption, suspect=is_false)
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
        suspects=suspects,
        randoms=randoms,
        random_total=sum(each.trajectory.who == "random" for each in seen),
    )
