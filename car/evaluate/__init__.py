"""Measures a bundle's programs against what is really the case, on fresh episodes of a built-in task.

This is an evaluation: it says how good the programs are, and nothing that makes or judges them may know of it. Only
this module reads `car.truth`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from car.bundle import Bundle
from car.errors import BadTask, UnknownName, UserError
from car.evaluate.counterpart import LEAST_AGREEMENT, agreements, counterparts
from car.evaluate.episodes import FRESH_SEEDS, Fresh
from car.evaluate.evaluation import Evaluation, Played, pairs_in, played, starts_in
from car.evaluate.figures import FirstFigures, FrameFigures, Share, SubTaskFigures, compared
from car.evaluate.rounds import MOST, Progress, Rounds
from car.record import Stage
from car.record.labelled import KINDS
from car.sandbox import Limits, Sandbox
from car.tasks import all_tasks
from car.truth import Predicate, truth_for

__all__ = [
    "FRESH_SEEDS",
    "KINDS",
    "LEAST_AGREEMENT",
    "Evaluation",
    "FirstFigures",
    "FrameFigures",
    "Played",
    "Progress",
    "Share",
    "SubTaskFigures",
    "evaluate",
]


def evaluate(
    bundle: Bundle,
    sandbox: Sandbox,
    *,
    pairs: int = 5000,
    episodes: int = 20,
    seed: int = 0,
    slips: float = 0.2,
    match: Mapping[str, str] | None = None,
    limits: Limits = Limits(),
    on_episode: Callable[[Progress], None] | None = None,
) -> Evaluation:
    """Plays fresh episodes, and compares what the bundle's checkers say with what is really the case.

    Args:
        bundle: what is measured.
        sandbox: where its checkers run.
        pairs: at least so many distinct (first frame, frame) pairs, unless 500 episodes of each kind have fewer.
        episodes: at least so many episodes of each kind, 1 to 500.
        seed: the fresh seeds begin at `FRESH_SEEDS` + this.
        slips: the share of random actions in a mixed episode, 0 to 1.
        match: by sub-task, the name of the predicate to compare it with. By default, the goal is compared with the
            last one, and the others each with the one with which they agree best.
        limits: what each checker may use.
        on_episode: called after each episode.

    Raises:
        UnknownName: there is no ground truth for the task, or a name in `match` does not exist.
        UserError: a number out of its range.
        BadTask: the bundle's task has only the name of the built-in one, cannot be made, or has no expert.
        BadFrame: the task gives frames of another size than those that the bundle is for.
        SandboxUnavailable: this machine cannot isolate as well as is asked for.
    """
    predicates = _truth_of(bundle)
    # The manifest is a file that anyone may write: what it names as camera or expert is not imported.
    bundle = replace(bundle, task=all_tasks()[bundle.task.name])
    names = [each.name for each in predicates]
    fixed = _fixed(bundle, names, match or {})
    _check_numbers(pairs, episodes, seed, slips)
    with sandbox.open(bundle.checkers, limits) as session, Stage(bundle.task) as stage:
        fresh = Fresh(bundle, lambda env: [each.holds(env) for each in predicates], session, stage, seed, slips)
        rounds = Rounds(fresh, pairs, episodes, on_episode)
        matching, measured = rounds.matching(), rounds.measured()
        isolation = session.isolation
    agreement = agreements(matching)
    return Evaluation(
        task=bundle.task.name,
        bundle_sha256=bundle.manifest_sha256,
        subtasks=compared(bundle.checkers, names, counterparts(agreement, fixed), agreement, measured),
        without_program=_without_program(bundle),
        predicates=tuple(names),
        played=played(measured),
        pairs=pairs_in(measured),
        starts=starts_in(measured),
        slips=slips,
        seeds=(FRESH_SEEDS + seed, fresh.next_seed - 1),
        matching=len(matching),
        skipped=fresh.skipped,
        isolation=isolation,
    )


def _without_program(bundle: Bundle) -> tuple[str, ...]:
    programs = {each.subtask.name for each in bundle.checkers}
    return tuple(each.name for each in bundle.subtasks if each.name not in programs)


def _check_numbers(pairs: int, episodes: int, seed: int, slips: float) -> None:
    if pairs < 1 or not 1 <= episodes <= MOST or seed < 0 or not 0.0 <= slips <= 1.0:
        raise UserError(
            f"There must be at least 1 pair, 1 to {MOST} episodes of each kind, a seed from 0 and slips from 0 to 1; "
            f"these are {pairs}, {episodes}, {seed} and {slips:g}."
        )


def _truth_of(bundle: Bundle) -> list[Predicate]:
    predicates = truth_for(bundle.task.name)
    own = all_tasks()[bundle.task.name]
    if (own.env_id, dict(own.env_kwargs)) != (bundle.task.env_id, dict(bundle.task.env_kwargs)):
        raise BadTask(
            f"The ground truth of {own.name!r} is that of {own.env_id} {dict(own.env_kwargs)}. This bundle's task has "
            f"the same name, but its environment is {bundle.task.env_id} {dict(bundle.task.env_kwargs)}."
        )
    if own.camera != bundle.task.camera:
        raise BadTask(
            f"The frames of {own.name!r} come from {own.camera!r}; those that this bundle is for come from "
            f"{bundle.task.camera!r}."
        )
    return predicates


def _fixed(bundle: Bundle, predicates: list[str], match: Mapping[str, str]) -> dict[int, int]:
    """The checkers whose predicate is known beforehand: the goal's, and those asked for."""
    names = [each.subtask.name for each in bundle.checkers]
    fixed = {index: len(predicates) - 1 for index, each in enumerate(bundle.checkers) if each.subtask.goal}
    for subtask, predicate in match.items():
        if subtask not in names:
            raise UnknownName("sub-task with a program", subtask, names)
        if predicate not in predicates:
            raise UnknownName(f"true predicate of {bundle.task.name}", predicate, predicates)
        fixed[names.index(subtask)] = predicates.index(predicate)
    return fixed
