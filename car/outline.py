"""A verdict in the order and the words in which a person reads it: what a terminal, a page and a test report share."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from car.verify import ChainEvidence, Decision, Finding, Need, Probe, Verdict
from car.verify.perturbation import PERTURBATIONS
from car.verify.verdict import COST

CHAIN = "whole chain"
"""What findings and probes of no single sub-task are about."""

PICTURES = tuple(PERTURBATIONS)
"""The names of the probes with changed pictures."""

SHORTCUT = "shortcut"
_EXPLOIT = "exploit: "


@dataclass(frozen=True)
class Looks:
    """The probes of a verdict by what they look at.

    Args:
        rules: the strict ones by name, without the exploits.
        exploits: what doing nothing of use is paid, by the name of the exploit.
        pictures: by sub-task and then by what was changed in the pictures.
        shortcuts: by sub-task.
        costs: by sub-task.
        others: whatever else there is, by name.
    """

    rules: Mapping[str, Probe]
    exploits: Mapping[str, Probe]
    pictures: Mapping[str, Mapping[str, Probe]]
    shortcuts: Mapping[str, Probe]
    costs: Mapping[str, Probe]
    others: Mapping[str, Probe]


def looks(verdict: Verdict) -> Looks:
    """The probes of a verdict by what they look at."""
    rules: dict[str, Probe] = {}
    exploits: dict[str, Probe] = {}
    pictures: dict[str, dict[str, Probe]] = {}
    shortcuts: dict[str, Probe] = {}
    costs: dict[str, Probe] = {}
    others: dict[str, Probe] = {}
    for each in verdict.probes:
        if each.name.startswith(_EXPLOIT):
            exploits[each.name.removeprefix(_EXPLOIT)] = each
        elif each.name in PICTURES:
            pictures.setdefault(each.subtask, {})[each.name] = each
        elif each.name == SHORTCUT:
            shortcuts[each.subtask] = each
        elif each.name == COST:
            costs[each.subtask] = each
        else:
            kind = rules if each.strict else others
            kind[f"{each.name}, {each.subtask}" if each.subtask else each.name] = each
    return Looks(rules, exploits, pictures, shortcuts, costs, others)


def headline(verdict: Verdict) -> str:
    """Why the decision is what it is, in one sentence."""
    if verdict.decision is Decision.ACCEPTED:
        return f"No rule is broken: {_completed(verdict.chain)}."
    if verdict.decision is Decision.UNDECIDED:
        return f"No rule is broken, but there are too few data to decide: {_wanted(verdict.needs)}."
    said = "; ".join(dict.fromkeys(f"{subject(each)}: {each.mistake}" for each in verdict.findings))
    return f"{counted(len(verdict.findings), 'finding')}. {said}."


def _completed(chain: ChainEvidence) -> str:
    how = "" if chain.false_goals is None else " without success"
    return (
        f"the whole chain is done by {chain.experts_done} of {chain.experts} experts and{how} by {chain.unconfirmed} "
        f"of {chain.randoms} random agents"
    )


def _wanted(needs: Sequence[Need]) -> str:
    hopeless = [each.who for each in needs if each.more is None]
    if hopeless:
        return f"no number of further {' and '.join(hopeless)} trajectories would do"
    return f"{' and '.join(f'{each.more} more {each.who}' for each in needs)} trajectories are needed"


def subject(about: Finding | Probe) -> str:
    """What a finding or a probe is about: a sub-task, or the whole chain."""
    return about.subtask or CHAIN


def place(finding: Finding) -> str:
    """Where a finding shows first, with episodes counted as in its message; "" if no single frame shows it."""
    if finding.trajectory is None:
        return ""
    frame = "" if finding.time is None else f", frame {finding.time}"
    return f"episode {finding.trajectory + 1}{frame}"


def unjudged(verdict: Verdict) -> list[str]:
    """The sub-tasks that are accused and have no evidence, as they have no program."""
    known = {"", *(each.name for each in verdict.subtasks)}
    return list(dict.fromkeys(each.subtask for each in verdict.findings if each.subtask not in known))


def confirmed(chain: ChainEvidence) -> str:
    """What is known of the random trajectories that complete the chain and are not held against it; "" if of none."""
    if chain.false_goals is None:
        return "success unknown" if chain.randoms_done else ""
    more = chain.randoms_done - chain.false_goals
    return f"+{more} confirmed" if more else ""


def typical(times: Sequence[int | None]) -> str:
    """The median of the known times with their range, e.g. ``4.5 (1-9)``; "" if none is known."""
    known = [time for time in times if time is not None]
    if not known:
        return ""
    middle = median(known)
    shown = f"{middle:g}" if middle < 100 else f"{middle:.0f}"
    return shown if len(set(known)) == 1 else f"{shown} ({min(known)}-{max(known)})"


def span(interval: Sequence[float]) -> str:
    """An interval of shares in percent, rounded outwards, e.g. ``83-100%``."""
    low, high = interval
    return f"{_in_percent(low, math.floor)}-{_in_percent(high, math.ceil)}%"


def _in_percent(share: float, towards: Callable[[float], int]) -> str:
    # Near the share that random agents may reach, a tenth matters.
    return f"{towards(share * 1000) / 10:g}" if share < 0.1 else f"{towards(share * 100)}"


def percent(share: float) -> str:
    """A share in percent, to a tenth; what is not quite all of it is not 100%."""
    shown = round(share * 100, 1)
    return f"{min(shown, 99.9) if share < 1.0 else shown:g}%"


def counted(number: int, thing: str) -> str:
    """``1 finding``, ``2 findings``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
