"""The page that tells the whole story of a task: two frames in, a trained agent out."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from car.bundle import Bundle
from car.outline import counted
from car.page import AttemptSection, Strip, attempt_sections, authors, gif_uri, highlighted, png_uri, render, strip, uri
from car.page.verdict import verdict_section
from car.sandbox import Sandbox
from car.trajectory import Trajectory
from car.verify import observe
from car.verify.credit import credited, prerequisites


@dataclass(frozen=True)
class RunRow:
    """One training run, as the table shows it.

    Args:
        label: the reward, e.g. ``generated`` or ``sparse``.
        seed: of the run.
        steps: environment steps taken.
        solved_at: steps after which 90 % of the last 100 training episodes succeeded; None if never.
        success: in the last evaluation, 0 to 1; None if there was none.
        episodes: how many it played.
        seconds: of training, wall clock.
        cpu_seconds: of the training process.
    """

    label: str
    seed: int
    steps: int
    solved_at: int | None
    success: float | None
    episodes: int
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class _Moment:
    name: str
    description: str
    after: tuple[str, ...]
    shown: Strip | None
    source: str


def report_page(
    bundle: Bundle,
    runs: Sequence[RunRow],
    curve: Path,
    expert: Trajectory,
    sandbox: Sandbox,
    commands: Sequence[str],
    film: Path | None = None,
) -> str:
    """The page as HTML, one self-contained file.

    Args:
        bundle: the generated reward.
        runs: the training runs to compare.
        curve: the PNG with their learning curves.
        expert: an expert's trajectory on which to show where each checker fires.
        sandbox: where the checkers run.
        commands: how to do all this again.
        film: a GIF of an agent that was trained with it, or None.
    """
    attempts = attempt_sections(bundle)
    return render(
        "report",
        bundle=bundle,
        section=verdict_section(bundle.verdict, bundle.rehearsal),
        authors=authors(bundle),
        first=uri(bundle.frames["first"]),
        goal=uri(bundle.frames["goal"]),
        moments=_moments(bundle, expert, sandbox),
        sent_back=[each for each in attempts if each.complaints],
        calls=len(attempts),
        story=_story(bundle, attempts, runs),
        curve=png_uri(curve.read_bytes()),
        film=None if film is None else gif_uri(film.read_bytes()),
        runs=runs,
        episodes=max((each.episodes for each in runs), default=0),
        commands=commands,
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    )


def _moments(bundle: Bundle, expert: Trajectory, sandbox: Sandbox) -> list[_Moment]:
    with sandbox.open(bundle.checkers) as session:
        seen = observe(session, [expert])[0]
    # A sub-task for which no program was found is in nobody's way.
    after = prerequisites(bundle.checkers)
    times = credited(seen.done, after)
    made = []
    for index, (checker, time) in enumerate(zip(bundle.checkers, times, strict=True)):
        caption = f"{expert.name}: done on frame {time}"
        shown = None if time is None else strip(expert, seen.done[:, index].tolist(), time, caption)
        subtask = checker.subtask
        made.append(_Moment(subtask.name, subtask.description, subtask.after, shown, highlighted(checker.source)))
    return made


def _story(bundle: Bundle, attempts: Sequence[AttemptSection], runs: Sequence[RunRow]) -> list[str]:
    sent_back = sum(bool(each.complaints) for each in attempts)
    verdict, chain = bundle.verdict, bundle.verdict.chain
    steps = [
        f"A vision-language model saw two pictures and named {counted(len(bundle.manifest['subtasks']), 'sub-task')}.",
        f"It named them and wrote their programs in {counted(len(attempts), 'answer')}; "
        + (f"{sent_back} of them went back with measured facts." if sent_back else "none had to go back."),
        f"On held-out trajectories the whole chain is done by {chain.experts_done} of {chain.experts} experts and by "
        f"{chain.randoms_done} of {chain.randoms} random agents: {verdict.decision}.",
    ]
    return [*steps, *(_outcome(each) for each in runs)]


def _outcome(run: RunRow) -> str:
    reward = f"the {run.label} reward (seed {run.seed})"
    end = "" if run.success is None else f"; at the end it succeeds in {run.success:.0%} of the evaluation episodes"
    if run.solved_at is None:
        return f"With {reward}, PPO does not reach 90% success in {run.steps:,} steps{end}."
    return f"With {reward}, PPO reaches 90% success after {run.solved_at:,} steps{end}."
