"""The page on which a person judges a bundle."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from car.bundle import Bundle
from car.page import Strip, highlighted, render, strip, uri
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


@dataclass(frozen=True)
class AttemptSection:
    """One question and its answer, as the bundle keeps it."""

    number: int
    title: str
    used: bool
    complaints: Sequence[str]
    pictures: Sequence[tuple[str, str]]
    reply: str


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


def attempt_sections(bundle: Bundle) -> list[AttemptSection]:
    """Every question and answer of a bundle, in order."""
    folders = sorted((bundle.path / "attempts").iterdir(), key=lambda each: int(each.name.partition("-")[0]))
    return [_attempt(bundle, number, folder) for number, folder in enumerate(folders, 1)]


def _attempt(bundle: Bundle, number: int, folder: Path) -> AttemptSection:
    outcome = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    title = folder.name.partition("-")[2].rpartition("-")
    return AttemptSection(
        number=number,
        title=f"{title[0]}, attempt {title[2]}",
        used=outcome["used"],
        complaints=outcome["complaints"],
        pictures=[] if outcome["used"] else _pictures_of_next(bundle, folder),
        reply=(folder / "reply.md").read_text(encoding="utf-8"),
    )


def _pictures_of_next(bundle: Bundle, folder: Path) -> list[tuple[str, str]]:
    """The pictures that went back with the complaints: those of the question that followed, without the two frames."""
    following = f"{int(folder.name.partition('-')[0]) + 1:02d}-refine-"
    for each in (bundle.path / "attempts").glob(f"{following}*/prompt.md"):
        found = [
            line[2:-1].partition("](../../frames/") for line in each.read_text("utf-8").splitlines() if line[:2] == "!["
        ]
        return [
            (caption, uri(bundle.frames[name.removesuffix(".png")], 192))
            for caption, _, name in found
            if caption not in ("first frame", "goal frame")
        ]
    return []
