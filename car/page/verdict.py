"""What a page shows of a verdict, beside what the same checkers did on the trajectories that refinement saw."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from car.outline import CHAIN, PICTURES, Looks, headline, looks, percent, span, typical, unjudged
from car.page.chart import first_times, ratio_bar, share_bar
from car.verify import ChainEvidence, Decision, Finding, Probe, SubTaskEvidence, Verdict
from car.verify.robustness import SAME_SHARE
from car.verify.shortcut import MOST_FOR_NOTHING

_TONES = {"accepted": "good", "rejected": "bad", "undecided": "open"}


@dataclass(frozen=True)
class Share:
    """A counted share, drawn and in words."""

    chart: Markup
    said: str
    interval: str


@dataclass(frozen=True)
class Row:
    """The figures of one sub-task, or of the whole chain.

    Args:
        name: what the row is about.
        tone: ``good``, ``bad`` or ``open``, which gives the mark.
        mistakes: the kinds of mistake that were found, each once.
        experts: the share of experts that have it done; None if it has no program.
        randoms: the same for random trajectories.
        before: the row of the same on the trajectories that refinement saw.
        times: when it was first done, as a chart; None for the chain.
        typical: the same in words, for experts and random ones.
        false: how often it is known to have said done wrongly.
        note: what else is to be known.
    """

    name: str
    tone: str
    mistakes: tuple[str, ...]
    experts: Share | None = None
    randoms: Share | None = None
    before: "Row | None" = None
    times: Markup | None = None
    typical: tuple[str, str] = ("", "")
    false: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Measured:
    """One probe as a row: what it is called, what it found, and perhaps bars."""

    name: str
    probe: Probe
    bars: Sequence[tuple[Markup, str]] = ()


@dataclass(frozen=True)
class VerdictSection:
    """What a page shows of a verdict.

    Args:
        tone: ``good``, ``bad`` or ``open``, which gives the colour.
        decision: the word.
        headline: why, in a sentence.
        verdict: for what is shown as it is.
        rows: one for each sub-task, and one for the chain at the end.
        earlier: what was found on the trajectories that refinement saw.
        rules: the strict probes but for the exploits.
        exploits: strict.
        pictures: for each sub-task the probes of each changed picture, in the order of `changes`.
        changes: the names of what was changed.
        asked: which share of the answers must stay the same.
        shortcuts: for each sub-task.
        costs: for each sub-task.
        others: whatever else there is.
    """

    tone: str
    decision: str
    headline: str
    verdict: Verdict
    rows: Sequence[Row]
    earlier: Sequence[Finding]
    rules: Sequence[Measured]
    exploits: Sequence[Measured]
    pictures: Mapping[str, Sequence[Probe | None]]
    changes: Sequence[str]
    asked: str
    shortcuts: Sequence[Measured]
    costs: Sequence[Measured]
    others: Sequence[Measured]


def verdict_section(verdict: Verdict, rehearsal: Verdict) -> VerdictSection:
    """What a page shows of a verdict.

    Args:
        verdict: on trajectories that refinement did not see.
        rehearsal: of the same checkers, on those that it saw.
    """
    found = looks(verdict)
    return VerdictSection(
        tone=_TONES[verdict.decision],
        decision=verdict.decision,
        headline=headline(verdict),
        verdict=verdict,
        rows=_rows(verdict, rehearsal),
        earlier=rehearsal.findings,
        rules=_measured(found.rules),
        exploits=_exploits(found),
        pictures={name: [changes.get(each) for each in PICTURES] for name, changes in found.pictures.items()},
        changes=PICTURES,
        asked=percent(SAME_SHARE),
        shortcuts=[_shortcut(each) for each in found.shortcuts.values()],
        costs=_costs(found),
        others=_measured(found.others),
    )


def _rows(verdict: Verdict, rehearsal: Verdict) -> list[Row]:
    last = max(_times([verdict, rehearsal]), default=1)
    before = {each.name: _row(rehearsal, each, last) for each in rehearsal.subtasks}
    rows = [replace(_row(verdict, each, last), before=before.get(each.name)) for each in verdict.subtasks]
    missing = [Row(name, "bad", _mistakes(verdict, name)) for name in unjudged(verdict)]
    return [*rows, *missing, replace(_chain(verdict), before=_chain(rehearsal))]


def _times(verdicts: Iterable[Verdict]) -> Iterable[int]:
    for verdict in verdicts:
        for each in verdict.subtasks:
            yield from (time for time in (*each.expert_first, *each.random_first) if time is not None)


def _row(verdict: Verdict, each: SubTaskEvidence, last: int) -> Row:
    return Row(
        name=each.name,
        tone="bad" if verdict.of(each.name) else "good",
        mistakes=_mistakes(verdict, each.name),
        experts=_share(each.experts_done, each.experts, each.expert_interval, "expert"),
        randoms=_share(each.randoms_done, each.randoms, each.random_interval, "random"),
        times=first_times(each.expert_first, each.random_first, last),
        typical=(typical(each.expert_first), typical(each.random_first)),
        false=each.false_firings,
    )


def _chain(verdict: Verdict) -> Row:
    chain, open_ = verdict.chain, verdict.decision is Decision.UNDECIDED
    return Row(
        name=CHAIN,
        tone="bad" if verdict.of("") else "open" if open_ else "good",
        mistakes=_mistakes(verdict, ""),
        experts=_share(chain.experts_done, chain.experts, chain.expert_interval, "expert"),
        randoms=_share(chain.unconfirmed, chain.randoms, chain.random_interval, "random"),
        note=_known(chain),
    )


def _known(chain: ChainEvidence) -> str:
    if not chain.randoms_done:
        return ""
    if chain.false_goals is None:
        return "whether random agents succeed is not known"
    return f"random: {chain.randoms_done} in all, {chain.false_goals} of them without the environment's success"


def _mistakes(verdict: Verdict, subtask: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.mistake for each in verdict.of(subtask)))


def _share(done: int, total: int, interval: Sequence[float], kind: str) -> Share:
    return Share(share_bar(done, total, interval, kind), f"{done} of {total}", span(interval))


def _measured(probes: Mapping[str, Probe]) -> list[Measured]:
    return [Measured(name, each) for name, each in probes.items()]


def _exploits(found: Looks) -> list[Measured]:
    ratios = {name: each.values.get("ratio") for name, each in found.exploits.items()}
    most = max([1.25, *(ratio for ratio in ratios.values() if ratio is not None)])
    return [
        Measured(name, each, _bar(ratios[name], most, 1.0, each, width=200)) for name, each in found.exploits.items()
    ]


def _bar(ratio: float | None, most: float, line: float, probe: Probe, width: int = 120) -> list[tuple[Markup, str]]:
    return [] if ratio is None else [(ratio_bar(ratio, most, line, _tone(probe), width), percent(ratio))]


def _shortcut(probe: Probe) -> Measured:
    return Measured(probe.subtask, probe, _bar(probe.values.get("share_for_nothing"), 1.0, MOST_FOR_NOTHING, probe))


def _costs(found: Looks) -> list[Measured]:
    kinds = (("check_us", "limit_us"), ("identify_us", "identify_limit_us"))
    return [
        Measured(name, each, [_cost(each.values.get(taken), each.values[limit]) for taken, limit in kinds])
        for name, each in found.costs.items()
    ]


def _tone(probe: Probe) -> str:
    if probe.passed is None:
        return "soft"
    return "good" if probe.passed else "bad" if probe.strict else "open"


def _cost(taken: float | None, limit: float) -> tuple[Markup, str]:
    if taken is None:
        return Markup(""), "not measured"
    said = f"{taken:,.0f} of {limit:,.0f} \u00b5s"
    return ratio_bar(taken / limit, 1.25, 1.0, "good" if taken <= limit else "open"), said
