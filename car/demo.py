"""The whole loop on a recorded session: two frames in, a trained agent out, no key needed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from car.bundle import Bundle, load_bundle, save_bundle
from car.files import write_text
from car.film import default_path, film_finished
from car.generation import provenance_of, session_with
from car.record import Progress as Recorded
from car.record import load_set, record_to
from car.refine import Event, generate
from car.report import RunRow, report_page
from car.review import review_page
from car.sandbox.process import ProcessSandbox
from car.task import Task
from car.tasks import find_task
from car.train import OnRunProgress, TrainResult, TrainSettings, train_many
from car.train.curve import success_curve
from car.trajectory import Trajectory
from car.verify import split

EXPERTS, RANDOMS = 25, 125


@dataclass(frozen=True)
class Demo:
    """What the demo does.

    Args:
        folder: where everything that it makes goes.
        task: the task; there must be a recorded session of it.
        steps: environment steps of each training run.
        isolation: the lowest isolation level at which programs may run; by default 2.
        jobs: training runs side by side.
    """

    folder: Path
    task: str = "doorkey-8x8"
    steps: int = 120_000
    isolation: int | None = None
    jobs: int = 2


@dataclass(frozen=True)
class Shown:
    """What the demo has made.

    Args:
        bundle: the generated reward.
        results: the training runs by reward.
        report: the page that tells it all.
        review: the page on which a person judges the bundle.
    """

    bundle: Bundle
    results: dict[str, list[TrainResult]]
    report: Path
    review: Path


@dataclass(frozen=True)
class Audience:
    """Who is told what happens.

    Args:
        stage: the next stage begins; its number and title.
        recorded: an episode was recorded.
        generated: something happened while reward code was generated.
        bundled: the bundle is there.
        trained: a line of progress of a run.
    """

    stage: Callable[[int, str], None]
    recorded: Callable[[Recorded], None]
    generated: Callable[[Event], None]
    bundled: Callable[[Bundle], None]
    trained: OnRunProgress


def show(demo: Demo, audience: Audience) -> Shown:
    """Runs the demo; what an interrupted one has done is not done again.

    Raises:
        UserError: there is no recorded session of the task, or its folder cannot be written.
    """
    task = find_task(demo.task)
    # Before any episode is recorded: without a session there is nothing to show.
    vlm = session_with(f"replay/{task.name}", demo.folder / "journal")
    audience.stage(1, f"Record {EXPERTS} expert and {RANDOMS} random episodes of {task.env_id}")
    record_to(demo.folder / "trajectories", task, EXPERTS, RANDOMS, progress=audience.recorded)
    experts, randoms = load_set(demo.folder / "trajectories", task.name)
    audience.stage(2, "Replay a recorded session: a vision-language model names sub-tasks and writes programs")
    draft = generate(split(experts, randoms), vlm, ProcessSandbox(demo.isolation), listen=audience.generated, task=task)
    made = [*experts, *randoms]
    bundle = load_bundle(save_bundle(demo.folder / "generated_rewards", task, draft, provenance_of(vlm, draft)))
    audience.bundled(bundle)
    review = demo.folder / "review.html"
    write_text(review, review_page(bundle, made, ProcessSandbox(demo.isolation)))
    audience.stage(3, "Train the same PPO twice: with the generated reward, and with the sparse one")
    results = _trained(demo, task, bundle, audience)
    report = demo.folder / "report.html"
    write_text(report, _report(demo, bundle, results, experts[0]))
    return Shown(bundle, results, report, review)


def _trained(demo: Demo, task: Task, bundle: Bundle, audience: Audience) -> dict[str, list[TrainResult]]:
    return train_many(
        task,
        {"generated": bundle.path, "sparse": "sparse"},
        TrainSettings(steps=demo.steps),
        [0],
        demo.folder / "runs",
        at_once=demo.jobs,
        on_progress=audience.trained,
        resume=True,
        allow_unreviewed=True,
        isolation=demo.isolation,
    )


def _report(demo: Demo, bundle: Bundle, results: dict[str, list[TrainResult]], expert: Trajectory) -> str:
    curve = demo.folder / "curve.png"
    title = f"{bundle.task.env_id}: success of the same PPO with two rewards"
    success_curve({label: [each.folder for each in runs] for label, runs in results.items()}, curve, title)
    name, steps = bundle.task.name, demo.steps
    commands = [
        f"car record {name} --expert {EXPERTS} --random {RANDOMS} --seed 0",
        f"car generate {name} --vlm replay/{name}",
        f"car review {name} --open",
        f"car train {name} --reward {name} --reward sparse --steps {steps} --jobs 2",
    ]
    film = _film(demo, results["generated"][0])
    return report_page(bundle, run_rows(results), curve, expert, ProcessSandbox(demo.isolation), commands, film)


def _film(demo: Demo, run: TrainResult) -> Path | None:
    """The film of an agent; the report does without it where it cannot be made."""
    path = default_path(run.folder)
    return path if film_finished(run.folder, [path], demo.isolation)[0] else None


def run_rows(results: dict[str, list[TrainResult]]) -> list[RunRow]:
    """The results as rows of the report."""
    return [
        RunRow(
            label=label,
            seed=seed,
            steps=run.steps,
            solved_at=run.solved_at,
            success=None if run.evaluation is None else run.evaluation.success,
            episodes=0 if run.evaluation is None else run.evaluation.episodes,
            seconds=run.wall_seconds,
            cpu_seconds=run.cpu_seconds,
        )
        for label, runs in results.items()
        for seed, run in enumerate(runs)
    ]
