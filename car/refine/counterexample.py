"""Episodes that an audit found, and what a program must say of them; see `car.audit`, which makes them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from car.checker import Checker
from car.trajectory import Trajectory
from car.verify import Decision, Finding, Observation, Probe, Rule, Verdict, described
from car.verify.credit import credited, prerequisites

PROBE = "audit"
"""The probe by which findings from counter-examples are known."""


class Flaw(StrEnum):
    """In what an episode speaks against a program."""

    UNCONFIRMED = "goal without success"
    EARLY = "goal before the success"
    MISSED = "success without the goal"
    JUDGED = "judged wrong by a person"


_RULES = {
    Flaw.UNCONFIRMED: Rule.EXPLOITABLE,
    Flaw.EARLY: Rule.GOAL_TOO_EARLY,
    Flaw.MISSED: Rule.NEVER_ON_EXPERT,
    Flaw.JUDGED: Rule.EXPLOITABLE,
}


@dataclass(frozen=True)
class CounterExample:
    """An episode, and in what it speaks against the program of one sub-task.

    Args:
        name: what to call the episode, e.g. ``audit episode 3``.
        how: how it came about, as the end of a sentence.
        trajectory: the episode.
        flaw: in what it speaks against a program.
        subtask: the sub-task's name; "" for the goal, whatever it is called.
        time: of the frame on which a person judged, and else of the last frame.
    """

    name: str
    how: str
    trajectory: Trajectory
    flaw: Flaw
    subtask: str
    time: int


@dataclass(frozen=True)
class CounterExamples:
    """The counter-examples of a task in two parts that share no seed.

    Args:
        refine: what refinement may see and learn from.
        verdict: what besides decides.
    """

    refine: tuple[CounterExample, ...] = ()
    verdict: tuple[CounterExample, ...] = ()

    @property
    def shown(self) -> tuple[Trajectory, ...]:
        """The episodes that refinement may see."""
        return tuple(each.trajectory for each in self.refine)

    @property
    def every(self) -> tuple[CounterExample, ...]:
        """Both parts."""
        return (*self.refine, *self.verdict)


@dataclass(frozen=True)
class Refuted:
    """A program that a counter-example speaks against.

    Args:
        index: of the counter-example.
        checker: of the program in its chain.
        time: the frame on which it shows.
        said: the fact, in one or two sentences.
        rule: the rule that is broken.
    """

    index: int
    checker: int
    time: int
    said: str
    rule: Rule


def refuted(
    checkers: Sequence[Checker], observations: Sequence[Observation], examples: Sequence[CounterExample]
) -> list[Refuted]:
    """The programs that counter-examples speak against, one entry for each of these that does.

    Args:
        checkers: in the chain's order; one of a sub-task that is not there is not looked for.
        observations: what they said of each counter-example's trajectory.
        examples: as many, in the same order.
    """
    after = prerequisites(checkers)
    found = []
    for number, (example, seen) in enumerate(zip(examples, observations, strict=True)):
        for index, checker in enumerate(checkers):
            if _is_about(example, checker):
                wrong = _wrong(example, seen, index, after)
                found += [Refuted(number, index, *wrong, rule=_rule(example, seen, index))] if wrong else []
    return found


def _is_about(example: CounterExample, checker: Checker) -> bool:
    return checker.subtask.goal if not example.subtask else checker.subtask.name == example.subtask


def _rule(example: CounterExample, seen: Observation, index: int) -> Rule:
    return Rule.CRASHES if index in seen.failures else _RULES[example.flaw]


def _wrong(
    example: CounterExample, seen: Observation, index: int, after: Sequence[Sequence[int]]
) -> tuple[int, str] | None:
    """The frame on which a program is wrong, and how; None if the example does not speak against it."""
    if index in seen.failures:
        when, failure = seen.failures[index]
        return when, f"On frame {when} of {example.name} the program gave no answer: {described(failure)}"
    if example.flaw is Flaw.JUDGED:
        return _judged(example, seen, index)
    times = credited(seen.done, after)
    if example.flaw is Flaw.MISSED:
        before = [times[each] for each in after[index]]
        if times[index] is not None or None in before:
            return None
        return _missed(example, max((time for time in before if time is not None), default=0))
    time = times[index]
    if time is None or (example.flaw is Flaw.EARLY and time >= example.time):
        return None
    truth = "no success in the whole episode"
    if example.flaw is Flaw.EARLY:
        truth = f"success only on frame {example.time}, the last"
    said = f"`check` returned True on frame {time}, and the environment reports {truth}. Required: False on frame"
    return time, f"{_in(example)} {said} {time}."


def _in(example: CounterExample) -> str:
    return f"In {example.name}, {example.how},"


def _judged(example: CounterExample, seen: Observation, index: int) -> tuple[int, str] | None:
    if not seen.done[example.time, index]:
        return None
    said = f"`check` returned True on frame {example.time}, and a person who looked at it says that the sub-task is"
    return example.time, f"{_in(example)} {said} not done there. Required: False on frame {example.time}."


def _missed(example: CounterExample, possible: int) -> tuple[int, str]:
    """What to say of a success that nobody saw, where it had been possible from a frame on."""
    last = example.time
    said = f"the environment reports success, and `check` returned False on all of frames {possible} to {last}"
    if possible:
        said += f"; on frame {possible} all that the sub-task comes after had been done"
    # A success that did not end the episode can have been on any of its frames.
    required = f"True on frame {last}, the last" if example.trajectory.terminated else "True on one of these frames"
    return last, f"{_in(example)} {said}. Required: {required}."


def with_audit(
    verdict: Verdict, checkers: Sequence[Checker], found: Sequence[Refuted], examples: Sequence[CounterExample]
) -> Verdict:
    """The verdict with what counter-examples say of the same checkers; any that speaks against one of them rejects.

    They are no sample of anything, so no share is made of them, and the counted shares stay what they are.

    Args:
        verdict: on recorded trajectories.
        checkers: that were judged.
        found: see `refuted`.
        examples: the counter-examples; without any, the verdict stays as it is.
    """
    if not examples:
        return verdict
    first: dict[int, Refuted] = {}
    for each in found:
        first.setdefault(each.checker, each)
    findings = [
        Finding(each.rule, name, each.said, probe=PROBE)
        for index, each in sorted(first.items())
        if not verdict.of(name := checkers[index].subtask.name)
    ]
    wrong = len({each.index for each in found})
    said = f"Of {len(examples)} episodes that an audit found, {wrong} speak against these programs."
    probe = Probe(PROBE, "", True, not found, said, {"looked_at": len(examples), "wrong": wrong})
    return replace(
        verdict,
        decision=Decision.REJECTED if found else verdict.decision,
        needs=() if found else verdict.needs,
        findings=(*verdict.findings, *findings),
        probes=(*verdict.probes, probe),
    )
