"""`car verify`."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from car.cli.output import (
    REWARDS,
    TRAJECTORIES,
    Confidence,
    ExpertShare,
    FrameLimit,
    Json,
    LowestLevel,
    RandomShare,
    Rewards,
    Trajectories,
    next_step,
    note,
    progress,
    result,
)
from car.errors import BadTrajectory, UserError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from car.bundle import Bundle
    from car.cli.output import Advance
    from car.rewards.clip.encoder import Encoder
    from car.sandbox import Session
    from car.task import Task
    from car.trajectory import Trajectory
    from car.verify import Bar, Observation, Probe, Verdict

Every = Annotated[bool, typer.Option("--all", help="Judge also on what refinement saw.")]
Quick = Annotated[
    bool, typer.Option("--quick", help="Leave out changed pictures, cost and shortcuts, which only report.")
]
RunnableTask = Annotated[
    str | None,
    typer.Option("--task", help="The task whose environment may be run to find shortcuts, if not built in."),
]
SecondOpinion = Annotated[
    str | None, typer.Option("--second-opinion", help="A CLIP, e.g. worlds: report whether it agrees; decides nothing.")
]
JunitFile = Annotated[Path | None, typer.Option("--junit", dir_okay=False, help="Also write the verdict as JUnit XML.")]
_MUST_AGREE = ("name", "env_id", "env_kwargs", "camera", "success")


def verify(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, or the name of its task.")],
    expert: ExpertShare = 1.0,
    random: RandomShare = 0.1,
    confidence: Confidence = None,
    limit: FrameLimit = 500.0,
    every: Every = False,
    quick: Quick = False,
    task: RunnableTask = None,
    second_opinion: SecondOpinion = None,
    junit: JunitFile = None,
    folder: Trajectories = TRAJECTORIES,
    rewards: Rewards = REWARDS,
    isolation: LowestLevel = None,
    as_json: Json = False,
) -> None:
    """Judges a bundle's checkers again, on the trajectories that are here and that refinement did not see.

    A rule that is broken rejects them; with too few data it stays undecided, and what is missing is said. Other looks
    at them (changed pictures, shortcuts, cost) are reported and decide nothing.

    Exit code 0: accepted. 1: rejected or undecided. 2: it could not be judged.

    Examples:
    car verify doorkey-8x8
    car verify doorkey-8x8 --confidence 0.95 --junit verdict.xml
    """
    from car.bundle import find_bundle, load_bundle
    from car.verify import Bar

    bar = Bar(expert, random, confidence, frame_us=limit)
    loaded = load_bundle(find_bundle(bundle, rewards))
    encoder = None if second_opinion is None else _encoder(second_opinion)
    runnable = _runnable(loaded, task)
    judged = _judged(loaded, folder, every)
    verdict = _verdict(loaded, judged, bar, isolation, quick, runnable, encoder)
    verdict = verdict if every else _compared(verdict, loaded.rehearsal, bar)
    if junit is not None:
        _write_junit(junit, verdict, loaded.task.name)
    kind = f"all {len(judged)}" if every else f"{len(judged)} held-out"
    result(
        as_json,
        _document(loaded, verdict, held_out=not every),
        _table(verdict, f"Verdict on {kind} trajectories", loaded.rehearsal),
        next_step(f"car review {bundle} --open"),
    )
    raise typer.Exit(0 if verdict.accepted else 1)


def _encoder(model: str) -> "Encoder":
    from car.rewards.clip.loading import load_encoder

    return load_encoder(model)


def _write_junit(path: Path, verdict: "Verdict", name: str) -> None:
    from car.files import write_atomically
    from car.junit import junit_xml

    with write_atomically(path) as stream:
        stream.write(junit_xml(verdict, name))


def _document(loaded: "Bundle", verdict: "Verdict", held_out: bool) -> dict[str, Any]:
    return {
        "bundle": str(loaded.path),
        "held_out": held_out,
        "verdict": verdict.as_dict(),
        "rehearsal": loaded.rehearsal.as_dict(),
    }


def _table(verdict: "Verdict", title: str, rehearsal: "Verdict") -> "RenderableType":
    from car.cli.verdict import verdict_table

    return verdict_table(verdict, title, rehearsal)


def _judged(loaded: "Bundle", folder: Path, every: bool) -> "list[Trajectory]":
    """The trajectories that are here and that refinement did not see, or all of them.

    Raises:
        BadTrajectory: they cannot give a verdict on this bundle.
    """
    from car.record import load_set
    from car.verify import check_set

    name = loaded.task.name
    kinds = load_set(folder, name)
    judged = []
    for who, recorded in zip(("expert", "random"), kinds, strict=True):
        kept = [each for each in recorded if every or each.sha256() not in loaded.refined_on]
        if not kept:
            raise BadTrajectory(
                f"Refinement saw all {len(recorded)} {who} trajectories of {name!r} that are here; record others with "
                f"`car record {name} --seed 1000`, or judge on these with --all."
            )
        judged += kept
    check_set(judged)
    height, width, _ = loaded.frame_shape
    if judged[0].size != (width, height):
        here = " x ".join(map(str, judged[0].size))
        raise BadTrajectory(
            f"The trajectories of {name!r} have frames of {here} pixels, and the bundle's programs were made for "
            f"{width} x {height}; record them anew, or generate the bundle anew."
        )
    return judged


def _runnable(loaded: "Bundle", named: str | None) -> "Task | None":
    """The task whose environment may be run: the one that was named, or else a built-in one that is just the bundle's.

    What a bundle says of its task decides on no import: it may come from anywhere.

    Raises:
        UserError: the named one is another than the bundle's.
    """
    from car.tasks import all_tasks, find_task

    wanted = loaded.task.as_dict()
    if named is not None:
        found = find_task(named)
        differs = [field for field in _MUST_AGREE if found.as_dict()[field] != wanted[field]]
        if differs:
            raise UserError(
                f"--task {named} is not the task of this bundle: its {differs[0]} is "
                f"{found.as_dict()[differs[0]]!r}, and the bundle's is {wanted[differs[0]]!r}."
            )
        return found
    built_in = all_tasks().get(loaded.task.name)
    if built_in is not None and built_in.as_dict() == wanted:
        return built_in
    note(
        f"The environment of {loaded.task.name} is not run: without --task TASK, which names it, nobody looks for "
        "shortcuts or repeats an action.",
        "yellow",
    )
    return None


def _verdict(
    loaded: "Bundle",
    judged: "Sequence[Trajectory]",
    bar: "Bar",
    isolation: int | None,
    quick: bool,
    runnable: "Task | None",
    encoder: "Encoder | None",
) -> "Verdict":
    from car.sandbox.process import ProcessSandbox
    from car.verify import verdict_on

    with (
        progress(f"verifying {loaded.task.name}", len(judged)) as advance,
        # Some environments print while they are made; standard output is for the result.
        redirect_stdout(sys.stderr),
    ):
        run = _Run(loaded, runnable, quick, advance, len(judged), encoder)
        return verdict_on(
            loaded.checkers,
            judged,
            ProcessSandbox(isolation),
            bar,
            loaded.subtasks,
            on_trajectory=run.looked,
            reported=not quick,
            further=run.further,
        )


class _Run:
    """Says what is going on, and runs the environment for the probes that need it."""

    def __init__(
        self,
        loaded: "Bundle",
        runnable: "Task | None",
        quick: bool,
        advance: "Advance",
        total: int,
        encoder: "Encoder | None",
    ) -> None:
        self._loaded, self._runnable, self._quick, self._encoder = loaded, runnable, quick, encoder
        self._advance, self._left = advance, total

    def looked(self, trajectory: "Trajectory") -> None:
        self._left -= 1
        self._advance(None if self._left else "probing: changed pictures")

    def further(self, session: "Session", observations: "Sequence[Observation]") -> "Sequence[Probe]":
        from car.refine import one_action, shortcuts

        found: list[Probe] = []
        checkers = self._loaded.checkers
        experts = [each for each in observations if each.trajectory.who == "expert"]
        if self._runnable is not None:
            self._advance("probing: one action again and again", 0)
            found.append(one_action(self._runnable, experts, checkers, session))
        if self._runnable is not None and not self._quick:
            self._continued(0, len(checkers))
            found += shortcuts(self._runnable, experts, checkers, session, on_step=self._continued)
        if self._encoder is not None:
            from car.rewards.clip.opinion import second_opinions

            self._advance("asking CLIP for a second opinion", 0)
            found += second_opinions(self._encoder, observations, checkers)
        self._advance("probing: changed pictures, and what the programs cost", 0)
        return found

    def _continued(self, done: int, of: int) -> None:
        self._advance(f"probing: shortcuts ({done} of {of} sub-tasks)", 0)


def _compared(verdict: "Verdict", rehearsal: "Verdict", bar: "Bar") -> "Verdict":
    """The verdict with what is over-fitted named, where the rehearsal's findings are those that this bar would give."""
    from car.verify import compared

    clean = [each for each in rehearsal.subtasks if not rehearsal.of(each.name)]
    same = all(each.experts_done >= bar.expert_share * each.experts for each in clean)
    return compared(verdict, rehearsal) if same else verdict
