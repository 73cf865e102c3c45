"""The strict rules as named probes, so that a verdict shows what was looked at even where nothing was found."""

from collections.abc import Callable, Sequence

from car.verify.probe import Probe
from car.verify.rules import Case


def rule_probes(case: Case, asked_again: bool) -> list[Probe]:
    """One strict probe for each kind of rule, for the whole chain.

    Args:
        case: the checkers and what they said.
        asked_again: whether every frame was asked about a second time.
    """
    looks: tuple[Callable[[Case], Probe], ...] = (_first_frame, _in_order, _at_the_end, _without_success, _together)
    return [*(look(case) for look in looks), _again(case, asked_again)]


def _strict(name: str, wrong: Sequence[str], looked: int, fine: str) -> Probe:
    said = f"{fine}." if not wrong else f"Not so for {', '.join(dict.fromkeys(wrong))}."
    return Probe(name, "", True, not wrong, said, {"looked_at": looked, "wrong": len(wrong)})


def _names(case: Case) -> list[str]:
    return [each.subtask.name for each in case.checkers]


def _first_frame(case: Case) -> Probe:
    names = _names(case)
    wrong = [name for at, name in enumerate(names) for each in case.all if each.done[0, at]]
    return _strict("first frame", wrong, len(case.all), f"Nothing is done on any of the {len(case.all)} first frames")


def _in_order(case: Case) -> Probe:
    wrong = [name for at, name in enumerate(_names(case)) for where in case.experts if case.before_its_time(where, at)]
    return _strict(
        "in order",
        wrong,
        len(case.experts),
        f"In all {len(case.experts)} experts' episodes each sub-task is done only after those that must come before it",
    )


def _at_the_end(case: Case) -> Probe:
    goals = [at for at, each in enumerate(case.checkers) if each.subtask.goal]
    known = [where for where in case.experts if case.goal_from(where) > 0]
    if not known or not goals:
        return Probe("goal at the end", "", True, None, "Nobody knows when these experts reach the goal.")
    names = _names(case)
    wrong = [names[at] for at in goals for where in known if case.goal_before_the_end(where, at)]
    return _strict(
        "goal at the end", wrong, len(known), f"The goal is done on just the last frame of {len(known)} experts"
    )


def _without_success(case: Case) -> Probe:
    """Only reported: a few may be beyond any program; the rule says when there are too many."""
    name = "goal without success"
    goals = [at for at, each in enumerate(case.checkers) if each.subtask.goal]
    known = [where for where in case.randoms if case.all[where].trajectory.success is False]
    if not known or not goals:
        return Probe(name, "", False, None, "Nobody knows which random episodes succeed, or all of them do.")
    wrong = sum(case.times[where][at] is not None for at in goals for where in known)
    said = f"In {wrong} of {len(known)} random episodes that do not succeed the goal counts as reached."
    return Probe(name, "", False, wrong == 0, said, {"looked_at": len(known), "wrong": wrong})


def _together(case: Case) -> Probe:
    names = _names(case)
    pairs = [(other, at) for at in range(len(names)) for other in range(at) if case.together(at, other)]
    wrong = [f"{names[other]} and {names[at]}" for other, at in pairs]
    return _strict("fire together", wrong, len(case.all), "No two sub-tasks are always done together")


def _again(case: Case, asked_again: bool) -> Probe:
    if not asked_again:
        return Probe("asked again", "", True, None, "The programs were asked only once.")
    names = _names(case)
    wrong = [names[at] for each in case.all for at in each.disagreements]
    return _strict(
        "asked again",
        wrong,
        len(case.all),
        "Asked again in fresh processes, in another order of frames and episodes, every program says the same",
    )
