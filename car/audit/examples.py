"""What audits found, as counter-examples for refinement."""

from collections.abc import Sequence
from pathlib import Path

from car.audit.findings import Findings
from car.audit.folder import AuditFolder, aside
from car.audit.played import CONTRARY, EVALUATION, EXPERT, FROM_AGENT, FROM_EXPERT, TRAINING
from car.errors import BadTrajectory, UserError
from car.refine import CounterExample, CounterExamples, Flaw

_HOW = {
    TRAINING: "in which an agent was trained on nothing but what such programs pay",
    EVALUATION: "of an agent that was trained on nothing but what such programs pay",
    CONTRARY: "of an agent that was trained on what such programs pay, less what success cost",
    EXPERT: "of an expert, in a layout that was not recorded before",
    FROM_AGENT: "in which a trained agent went on at random from where a sub-task had become possible",
    FROM_EXPERT: "in which an expert's episode went on at random from where a sub-task had become possible",
}


def counter_examples(folder: Path, task: str, size: tuple[int, int]) -> CounterExamples:
    """The counter-examples of all audits of a task: of the last one, and of those that were put aside.

    Of each kind, every second layout goes to the refinement, and what is left to the verdict. What a person said goes
    to the refinement.

    Args:
        folder: where audits are kept, or that of one audit.
        task: the task's name.
        size: width and height of the task's recorded frames.

    Raises:
        UserError: there is no audit of the task, the last one is not finished, one is damaged, or the one that is named
            is of another task.
        BadTrajectory: the frames have another size than the recorded ones.
    """
    last = folder if AuditFolder(folder).about.exists() else folder / task
    if not AuditFolder(last).about.exists() and not aside(last):
        raise UserError(f"There is no audit of {task!r} in {folder}; make one with `car audit {task}`.")
    found: list[CounterExample] = []
    judged: list[CounterExample] = []
    # What was put aside before it was finished cannot be finished any more.
    before = [path for path in aside(last) if AuditFolder(path).finished]
    for path in [*before, *([last] if AuditFolder(last).about.exists() else [])]:
        findings = AuditFolder(path).findings()
        if findings.task != task:
            if path == folder:
                raise UserError(f"The audit in {path} is of {findings.task!r}, not of {task!r}.")
            continue
        named = f"audit {path.suffix[1:]}, episode" if path != last else "audit episode"
        found += _disagreeing(findings, named)
        judged += _judged(findings, named)
    _check_size([*found, *judged], size, task)
    return _parted(found, judged)


def _disagreeing(findings: Findings, named: str) -> list[CounterExample]:
    return [_example(findings, number, named, flaw, "", None) for number, flaw in findings.disagreements]


def _judged(findings: Findings, named: str) -> list[CounterExample]:
    names = [each.name for each in findings.subtasks]
    made = []
    for each in findings.wrong:
        time = findings.episodes[each.episode - 1].times[names.index(each.subtask)]
        subtask = "" if findings.subtasks[findings.goal].name == each.subtask else each.subtask
        made.append(_example(findings, each.episode, named, Flaw.JUDGED, subtask, time))
    return made


def _example(findings: Findings, number: int, named: str, flaw: Flaw, subtask: str, time: int | None) -> CounterExample:
    played = findings.episodes[number - 1]
    last = len(played.trajectory) - 1
    how = _HOW[played.how]
    return CounterExample(f"{named} {number}", how, played.trajectory, flaw, subtask, last if time is None else time)


def _parted(found: Sequence[CounterExample], judged: Sequence[CounterExample]) -> CounterExamples:
    """Those that may be seen, and the others; the same seed is never on both sides, and each kind is seen."""
    shown = {each.trajectory.seed for each in judged}
    for flaw in Flaw:
        layouts = {each.trajectory.seed for each in found if each.flaw is flaw}
        shown |= set(sorted(layouts, key=lambda seed: -1 if seed is None else seed)[::2])
    refine = [each for each in found if each.trajectory.seed in shown]
    return CounterExamples((*refine, *judged), tuple(each for each in found if each.trajectory.seed not in shown))


def _check_size(examples: Sequence[CounterExample], size: tuple[int, int], task: str) -> None:
    other = next((each.trajectory.size for each in examples if each.trajectory.size != size), None)
    if other is not None:
        here, there = (f"{width} x {height}" for width, height in (size, other))
        raise BadTrajectory(
            f"The audits of {task!r} have frames of {there} pixels, and its trajectories have {here}; make the audit "
            "anew with --fresh, or put its folder elsewhere."
        )
