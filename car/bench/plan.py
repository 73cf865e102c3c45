"""What a benchmark trains: for each task some rewards, each with the same algorithm and the same seeds."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from car.bench.oracle import seen_by_oracle
from car.bundle import find_bundle, label_of, load_bundle
from car.errors import BadBundle, UnknownName, UserError
from car.milestones import Shaping
from car.rewards import is_made, made_reward
from car.rewards.clip import is_clip, open_clip_reward, read_reference, with_prompts
from car.task import Task
from car.tasks import find_task
from car.tasks.sentences import SENTENCES, prompts_of
from car.train import SPARSE, Job, TrainSettings, check_run
from car.train.folder import RunFolder
from car.truth import truth_for

GENERATED, ORACLE = "generated", "oracle"

ROWS: Mapping[str, str] = {
    SPARSE: "the environment's own reward alone",
    GENERATED: "the bundle of the task, in addition",
    ORACLE: "a reward written by hand from the true sub-tasks, in addition",
    "naive": "the same pay for all sub-tasks but the last one, which pays only what the environment pays",
    "hidden": "the bundle, but the agent does not see what is credited",
    "options": "the bundle, with a policy for each sub-task",
    "clip-cosine": "CLIP's cosine with the goal, regularised by a baseline, as a potential and in addition",
    "clip-softmax": "1 where CLIP's softmax says that the goal is reached, which ends the episode, in addition",
    "clip-gated": "the bundle says what is done, and CLIP shapes what comes next, as a potential and in addition",
}
"""The rewards that a benchmark can compare, and what each one is."""

_TRUE = ("oracle", "naive")
_CHANGES: Mapping[str, Mapping[str, Any]] = {
    SPARSE: {"observe_milestones": False},
    "hidden": {"observe_milestones": False},
    "options": {"hierarchical": True},
    "clip-cosine": {"observe_milestones": False, "shaping": "potential"},
    "clip-softmax": {"observe_milestones": False},
    "clip-gated": {"shaping": "potential"},
}

CLIP_ROWS: Mapping[str, str] = {
    "clip-cosine": "clip-cosine:worlds?alpha=0.5",
    "clip-softmax": "clip-softmax:worlds?end=true",
    "clip-gated": "clip-cosine:worlds?alpha=0.5",
}
"""The rewards of `ROWS` that are CLIPs; prompts, and what is left out here, are the task's and the default."""

SUITE: Mapping[str, int] = {
    "doorkey-6x6": 80_000,
    "doorkey-8x8": 120_000,
    "unlock": 80_000,
    "unlockpickup": 150_000,
    "keycorridor-s3r2": 120_000,
    "multiroom-n4-s5": 100_000,
    "blockedunlockpickup": 300_000,
}
"""The tasks of the benchmark, and how many environment steps each run has."""

_BESIDES: Mapping[str, Sequence[str]] = {
    "unlock": ("naive",),
    "keycorridor-s3r2": ("options",),
    "multiroom-n4-s5": ("hidden",),
}
_STEPS = 150_000


@dataclass(frozen=True)
class Row:
    """One reward on one task, to be trained with every seed.

    Args:
        task: what is learnt, with the camera that the reward needs.
        label: one of `ROWS`, or the name of a reward of one's own.
        reward: what `car.train.train` takes.
        settings: of each run, but for the seed.
    """

    task: Task
    label: str
    reward: str
    settings: TrainSettings

    def folder(self, seed: int, out: Path) -> Path:
        """Where the run of a seed is kept."""
        return out / self.task.name / self.label / f"seed-{seed}"


def settings_for(steps: int) -> TrainSettings:
    """What every run of a benchmark has in common: PPO as `TrainSettings` has it, and one evaluation at the end.

    With a dense reward the agent sees the credited share, because what is paid once is not Markov for it otherwise.
    """
    return TrainSettings(steps=steps, observe_milestones=True, eval_every=0, eval_episodes=100)


def rows_for(
    name: str, labels: Sequence[str] = (), steps: int | None = None, folder: Path = Path("generated_rewards")
) -> tuple[list[Row], list[str]]:
    """The rows of one task.

    Args:
        name: what `find_task` takes.
        labels: the rewards: keys of `ROWS`, folders of bundles, CLIP rewards in one line, or ``module:attribute`` of a
            `car.rewards.RewardMaker`; by default sparse, generated and oracle, and for some tasks of the suite one
            more.
        steps: of each run; by default those of the suite, or 150,000.
        folder: where the bundles are.

    Returns:
        The rows, and a sentence for each one that was asked for by default and cannot be trained.

    Raises:
        UnknownName: there is no such task or reward; or, if it was asked for, no bundle or ground truth.
        UserError: no step, or a bundle that was verified on another environment.
    """
    task = find_task(name)
    settings = settings_for(steps if steps is not None else SUITE.get(task.name, _STEPS))
    rows, missing = [], []
    for label in dict.fromkeys(labels) or (SPARSE, GENERATED, ORACLE, *_BESIDES.get(task.name, ())):
        try:
            rows.append(_row(task, label, settings, folder))
        except (UnknownName, BadBundle) as lacking:
            if labels:
                raise
            missing.append(f"{task.name} without {label}: {lacking}")
    return rows, missing


def _row(task: Task, label: str, settings: TrainSettings, folder: Path) -> Row:
    name, changes = label, _CHANGES.get(label, {})
    if label in CLIP_ROWS:
        reward = _clip(label, task, folder)
    elif is_clip(label):
        name, reward, changes = _slug(label), with_prompts(read_reference(label), task).reference, _CHANGES[SPARSE]
    elif is_made(label):
        # Not with its colon, since folders are named after it.
        name, reward = label.replace(":", "."), label
    elif label in _TRUE:
        truth_for(task.name)
        task, reward = seen_by_oracle(task), f"car.bench.oracle:{label}"
    elif label in ROWS:
        reward = SPARSE if label == SPARSE else str(_bundle_of(task, task.name, folder))
    elif Path(label).is_dir():
        name, reward = label_of(label), str(_bundle_of(task, label, folder))
    else:
        raise UnknownName("reward to compare", label, [*ROWS, "the folder of a bundle", "clip-...", "module:attribute"])
    return Row(task, name, reward, replace(settings, **changes))


def _clip(label: str, task: Task, folder: Path) -> str:
    asked = read_reference(CLIP_ROWS[label])
    if label == "clip-gated":
        gate = _bundle_of(task, task.name, folder)
        asked = replace(asked, gate=str(gate), baseline=(prompts_of(task).baseline,), goal=_sentences(task, gate))
    return with_prompts(asked, task).reference


def _sentences(task: Task, gate: Path) -> tuple[str, ...]:
    """Those of the true sub-tasks, where the bundle has as many; else its own descriptions are asked."""
    known = [SENTENCES[each.name] for each in truth_for(task.name) if each.name in SENTENCES]
    return tuple(known) if len(known) == len(load_bundle(gate).subtasks) else ()


def _slug(reference: str) -> str:
    """What the folder of a CLIP reward is called: its line, as far as that can be a name."""
    return re.sub(r"[^A-Za-z0-9.=-]+", "-", reference).strip("-")[:100]


def _bundle_of(task: Task, name: str, folder: Path) -> Path:
    path = find_bundle(name, folder)
    known = load_bundle(path).task
    if (known.env_id, dict(known.env_kwargs)) != (task.env_id, dict(task.env_kwargs)):
        raise UserError(f"The bundle {path} was verified on {known.env_id}, not on {task.env_id}.")
    return path


def jobs_for(
    rows: Sequence[Row], seeds: Sequence[int], out: Path, allow_unreviewed: bool = False, isolation: int | None = None
) -> list[Job]:
    """A run of every row with every seed; each goes on where it stopped, and a finished one is not trained again.

    The first seed of all rows comes first, so that an early look shows all of them.
    """
    return [
        Job(
            row.label,
            row.task,
            row.reward,
            replace(row.settings, seed=seed),
            row.folder(seed, out),
            resume=True,
            allow_unreviewed=allow_unreviewed,
            isolation=isolation,
        )
        for seed in seeds
        for row in rows
    ]


def bundles_of(rows: Sequence[Row]) -> list[Path]:
    """The folders of the bundles that rows train with."""
    paths = {row.reward for row in rows if row.reward != SPARSE and not is_made(row.reward)}
    paths |= {gate for row in rows if is_clip(row.reward) and (gate := read_reference(row.reward).gate)}
    return [Path(each) for each in sorted(paths)]


def check(rows: Sequence[Row]) -> None:
    """Finds what is wrong with rows before anything is trained: it would be found after hours.

    Raises:
        UserError: two of them have the same name and would be kept in the same folder, or one names a reward that
            cannot be made.
    """
    named = Counter((row.task.name, row.label) for row in rows)
    if twice := next((name for name, count in named.items() if count > 1), None):
        raise UserError(f"Two of the tasks or rewards are called {' with '.join(twice)}; name them differently.")
    for row in rows:
        if is_clip(row.reward):
            settings = read_reference(row.reward)
            # Whether a gate may be used is found out when its bundle is.
            open_clip_reward(replace(settings, gate="").reference, row.task).close()
        elif is_made(row.reward):
            made_reward(row.reward, row.task, Shaping(row.settings.shaping)).close()


def unfinished(jobs: Sequence[Job]) -> list[Job]:
    """The jobs that are not done.

    Raises:
        UserError: the folder of one holds a run that was asked for something else, or was stopped because its reward
            changed.
    """
    for job in jobs:
        check_run(job.task, job.reward, job.settings, job.folder)
    return [job for job in jobs if not RunFolder(job.folder).finished]
