"""Judges one mutant: it takes the original's place in its chain, and the whole chain is judged."""

import dataclasses
import time
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from car.checker import Checker
from car.sandbox import Limits
from car.trajectory import Trajectory
from car.verify import Observation, Rule, Verdict, judge, observe, twice, verdict_on
from car.verify.blank import asked_about_blank
from car.verify.credit import credited, prerequisites
from tools.mutants.case import Case
from tools.mutants.found import finds_the_same
from tools.mutants.mutate import Mutant
from tools.mutants.results import Differs, Outcome, Result

CERTAIN = frozenset(
    {
        Rule.CRASHES,
        Rule.NOT_PURE,
        Rule.TRUE_AT_START,
        Rule.TOO_EARLY,
        Rule.GOAL_TOO_EARLY,
        Rule.NEVER_ON_EXPERT,
    }
)
"""Rules that, broken on some of the trajectories, are broken on all of them: no further episode puts it right.

A goal without success is not among them: how many of those are too many depends on how many episodes there are.
"""

ASKED_LESS = frozenset({str(Rule.CRASHES), str(Rule.NOT_PURE)})
"""Rules that may be broken only on frames of random episodes that `car verify` does not ask about."""

FEW_EXPERTS = 4
QUICK = Limits(lives=0)
"""A worker that dies is not replaced: one failure is enough."""

_Found = TypeVar("_Found")


def judged(case: Case, place: int, changed: Checker) -> Verdict:
    """The verdict on the chain with a changed program, as `car verify` gives it on the held-out trajectories.

    What the other programs say is known: only the changed one runs here, and it is asked about all frames. Where that
    alone is why it is rejected, `verified` has the last word.
    """
    with twice(case.sandbox, [changed]) as (first, second):
        alone = observe(first, case.held_out, second)
        said = asked_about_blank(first, alone)
    blank = case.blank.copy()
    blank[..., place] = said[..., 0]
    return _verdict(case, place, changed, case.seen, alone, blank)


def verified(case: Case, place: int, changed: Checker) -> Verdict:
    """The verdict on the chain with a changed program, with all of its programs run just as `car verify` runs them."""
    chain = [changed if at == place else each for at, each in enumerate(case.checkers)]
    return verdict_on(chain, case.held_out, case.sandbox, subtasks=case.subtasks, reported=False)


def try_mutant(case: Case, place: int, mutant: Mutant, key: str, verifier: str) -> Result:
    """Judges a mutant of the checker at `place`, with as little work as its outcome needs.

    Args:
        case: what it is judged on.
        place: of the original in its chain.
        mutant: what takes its place.
        key: what the result is known by.
        verifier: the hash of the verifier.
    """
    began = time.monotonic()
    outcome, rules, held_out, fresh = _outcome(case, place, mutant)
    return Result(
        key=key,
        verifier=verifier,
        bundle=case.name,
        subtask=case.checkers[place].subtask.name,
        operator=mutant.operator,
        line=mutant.line,
        before=mutant.before,
        after=mutant.after,
        outcome=outcome,
        rules=rules,
        held_out=held_out,
        fresh=fresh,
        seconds=round(time.monotonic() - began, 3),
    )


def _outcome(case: Case, place: int, mutant: Mutant) -> tuple[Outcome, tuple[str, ...], Differs, Differs]:
    original = case.checkers[place]
    quick = Checker(original.subtask, mutant.lean)
    known = Differs(), Differs()
    if rules := _broken_early(case, place, quick):
        return Outcome.KILLED, rules, *known
    if not mutant.in_check and finds_the_same(case, original.source, mutant.lean):
        return Outcome.EQUIVALENT, (), *known
    with case.sandbox.open([quick], QUICK) as session:
        alone = observe(session, case.held_out)
        if rules := _settled(case, place, quick, _rules(_verdict(case, place, quick, case.seen, alone))):
            return Outcome.KILLED, rules, *known
        alone_fresh = observe(session, case.fresh)
    known = differs(case, place, case.seen, alone), differs(case, place, case.seen_fresh, alone_fresh)
    if known == (Differs(), Differs()):
        return Outcome.EQUIVALENT, (), *known
    changed = Checker(original.subtask, mutant.source)
    rules = _settled(case, place, changed, _rules(judged(case, place, changed)))
    return Outcome.KILLED if rules else Outcome.SURVIVED, rules, *known


def _settled(case: Case, place: int, changed: Checker, rules: tuple[str, ...]) -> tuple[str, ...]:
    """The rules that are broken where `car verify` looks too."""
    return _rules(verified(case, place, changed)) if rules and set(rules) <= ASKED_LESS else rules


def _broken_early(case: Case, place: int, quick: Checker) -> tuple[str, ...]:
    """The certain rules that it breaks on a few experts or on all of them; most mutants end here."""
    experts = [at for at, each in enumerate(case.held_out) if each.who == "expert"]
    random = next(at for at, each in enumerate(case.held_out) if each.who == "random")
    with case.sandbox.open([quick], QUICK) as session:
        for some in (experts[:FEW_EXPERTS], experts):
            chosen = [*some, random]
            alone = observe(session, [case.held_out[at] for at in chosen])
            verdict = _verdict(case, place, quick, [case.seen[at] for at in chosen], alone)
            # The random one comes last; what fails there alone may be where nobody asks.
            found = [each for each in verdict.findings if each.trajectory != len(some)]
            if certain := tuple(dict.fromkeys(str(each.rule) for each in found if each.rule in CERTAIN)):
                return certain
    return ()


def _verdict(
    case: Case,
    place: int,
    changed: Checker,
    seen: Iterable[Observation],
    alone: Iterable[Observation],
    blank: NDArray[np.bool_] | None = None,
) -> Verdict:
    chain = [changed if at == place else each for at, each in enumerate(case.checkers)]
    together = [replaced(before, place, now) for before, now in zip(seen, alone, strict=True)]
    return judge(chain, together, subtasks=case.subtasks, blank=blank)


def replaced(seen: Observation, place: int, alone: Observation) -> Observation:
    """What a chain said of a trajectory, with one checker's answers, failures and disagreements replaced."""
    done = seen.done.copy()
    done[:, place] = alone.done[:, 0]
    return dataclasses.replace(
        seen,
        done=done,
        failures=_with(seen.failures, place, alone.failures),
        disagreements=_with(seen.disagreements, place, alone.disagreements),
    )


def _with(known: dict[int, _Found], place: int, alone: dict[int, _Found]) -> dict[int, _Found]:
    others = {checker: found for checker, found in known.items() if checker != place}
    return {**others, place: alone[0]} if alone else others


def _rules(verdict: Verdict) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(each.rule) for each in verdict.findings))


def differs(case: Case, place: int, seen: Sequence[Observation], alone: Sequence[Observation]) -> Differs:
    """Where a changed checker answers otherwise than the original, and where that changes what is credited."""
    after = prerequisites(case.checkers)
    counted = []
    for before, now in zip(seen, alone, strict=True):
        other = now.done[:, 0] != before.done[:, place]
        if not other.any() and not now.failures:
            continue
        times = credited(before.done, after), credited(replaced(before, place, now).done, after)
        # A failure where the original says not done is a difference too.
        frames = max(len(np.unique(before.trajectory.order[other])), 1)
        counted.append((frames, *_changes(before.trajectory, *times)))
    return Differs(*(sum(column) for column in zip(*counted, strict=True))) if counted else Differs()


def _changes(
    trajectory: Trajectory, before: Sequence[int | None], now: Sequence[int | None]
) -> tuple[int, int, int, int]:
    """Whether an expert's or a random episode is credited otherwise; how many sub-tasks earlier, how many later."""
    never = len(trajectory)
    steps = [(never if b is None else b) - (never if a is None else a) for a, b in zip(before, now, strict=True)]
    changed, expert = any(steps), trajectory.who == "expert"
    earlier, later = sum(step < 0 for step in steps), sum(step > 0 for step in steps)
    return int(changed and expert), int(changed and not expert), earlier, later
