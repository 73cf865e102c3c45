"""A verdict as a person reads it in a terminal; imported only by commands that show some."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from car.outline import (
    CHAIN,
    PICTURES,
    confirmed,
    headline,
    looks,
    percent,
    place,
    span,
    subject,
    typical,
    unjudged,
)
from car.verify import Decision, Finding, Probe, Verdict
from car.verify.robustness import SAME_SHARE

_STYLES = {Decision.ACCEPTED: "bold green", Decision.REJECTED: "bold red", Decision.UNDECIDED: "bold yellow"}
_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("–", "dim")}
_ROOMY = 100
_COLUMNS = ("experts", "at frame", "random", "at frame", "false")


def verdict_table(
    verdict: Verdict, title: str = "Verdict on held-out trajectories", rehearsal: Verdict | None = None
) -> Group:
    """The verdict: its figures as a table, what was found, what was looked at besides, and the decision at the end.

    Args:
        verdict: what is shown.
        title: what it is the verdict on.
        rehearsal: of the same checkers on what refinement saw; its figures are shown below the others, dim.
    """
    heading = Text.assemble((title, "bold"), ": ", _decision(verdict))
    end = Text.assemble(_decision(verdict), f". {headline(verdict)}")
    needs = [Text(each.said, "yellow") for each in verdict.needs]
    findings: list[RenderableType] = [each for finding in verdict.findings for each in ("", *_finding(finding))]
    figures, notes = _Figures(verdict, rehearsal), _notes(verdict, rehearsal)
    return Group(heading, figures, *findings, "", _probes(verdict), "", *notes, *needs, end)


def _decision(verdict: Verdict) -> Text:
    return Text(verdict.decision.upper(), _STYLES[verdict.decision])


def _notes(verdict: Verdict, rehearsal: Verdict | None) -> list[Text]:
    below = " Dim, below: the same on the trajectories that refinement saw." if rehearsal else ""
    held = f" The programs ran at {verdict.isolation}" if verdict.isolation else ""
    return [
        Text(f"Required of {verdict.rule}.", "dim"),
        Text(f"Percentages are {verdict.confidence:.0%} intervals; at frame: median (range).{below}", "dim"),
        Text(f"{verdict.frames:,} frames, {verdict.distinct:,} of them differ within their episode.{held}", "dim"),
    ]


@dataclass(frozen=True)
class _Figures:
    """The table of the figures, as roomy as the screen allows."""

    verdict: Verdict
    rehearsal: Verdict | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield _figures(self.verdict, self.rehearsal, 2 if options.max_width >= _ROOMY else 1)


def _figures(verdict: Verdict, rehearsal: Verdict | None, gap: int) -> Table:
    table = Table(header_style="dim", box=None, padding=(0, gap, 0, 0))
    table.add_column("")
    table.add_column("sub-task", overflow="fold")
    for column in _COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    before = _cells(rehearsal) if rehearsal else {}
    for name, cells in _cells(verdict).items():
        earlier = before.get(name, [""] * len(cells))
        shown = [Text(now).append(f"\n{then}" if then else "", "dim") for now, then in zip(cells, earlier, strict=True)]
        if cells[-1] not in ("", "0"):
            shown[-1].stylize("red", 0, len(cells[-1]))
        style = "bold red" if verdict.of(name) else "" if name else "bold"
        table.add_row(_mark_of(verdict, name), Text(name or CHAIN, style), *shown)
    for missing in unjudged(verdict):
        table.add_row(_mark(False), Text(missing, "bold red"), Text("no program", "red"))
    return table


def _cells(verdict: Verdict) -> Mapping[str, list[str]]:
    """The figures of each sub-task by its name, and those of the chain by ""."""
    rows = {
        each.name: [
            _share(each.experts_done, each.experts, each.expert_interval),
            typical(each.expert_first),
            _share(each.randoms_done, each.randoms, each.random_interval),
            typical(each.random_first),
            str(each.false_firings),
        ]
        for each in verdict.subtasks
    }
    chain = verdict.chain
    experts = _share(chain.experts_done, chain.experts, chain.expert_interval)
    randoms = _share(chain.unconfirmed, chain.randoms, chain.random_interval)
    return {**rows, "": [experts, "", randoms, confirmed(chain), ""]}


def _share(done: int, total: int, interval: Sequence[float]) -> str:
    return f"{done}/{total} {span(interval):>7}"


def _mark(passed: bool | None, strict: bool = True) -> Text:
    return Text("!", "yellow") if passed is False and not strict else Text(*_MARKS[passed])


def _mark_of(verdict: Verdict, name: str) -> Text:
    undecided = not name and verdict.decision is Decision.UNDECIDED
    # Where a sub-task has no program, nothing is said against the chain, which nobody can have done.
    wrong = bool(verdict.of(name)) or (not name and not verdict.chain.experts_done)
    return Text("?", "yellow") if undecided else _mark(not wrong)


def _finding(finding: Finding) -> tuple[Text, Padding]:
    where = f", {place(finding)}" if place(finding) else ""
    told = Text.assemble(
        ("✗ ", "red"),
        (subject(finding), "bold"),
        ": ",
        (finding.mistake, "bold red"),
        f" ({finding.rule}{where})",
    )
    return told, Padding(Text(finding.message), (0, 0, 0, 2))


def _probes(verdict: Verdict) -> Table:
    """What was looked at besides the rule, one row for each kind."""
    found = looks(verdict)
    grid = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    _add(grid, "rules", "strict", _rules(found.rules) if found.rules else None)
    _add(grid, "exploits", "strict", _exploits(found.exploits) if found.exploits else None)
    _add(grid, "pictures", "reported", _pictures(found.pictures) if found.pictures else None)
    _add(grid, "shortcuts", "reported", _said(found.shortcuts) if found.shortcuts else None)
    _add(grid, "cost", "reported", _costs(found.costs) if found.costs else None)
    if found.others:
        _add(grid, "others", "reported", _said(found.others))
    return grid


def _add(grid: Table, kind: str, weight: str, shown: RenderableType | None) -> None:
    what = Text(kind, "bold").append(f"\n{weight}", "dim")
    grid.add_row(*((what, shown) if shown is not None else (Text(kind, "bold"), Text("not looked at", "dim"))))


def _rules(found: Mapping[str, Probe]) -> Group:
    kept = {name: each for name, each in found.items() if each.passed}
    broken = {name: each for name, each in found.items() if not each.passed}
    shown: list[RenderableType] = [_said(broken)] if broken else []
    if kept:
        shown.append(_beside(_said({name: each}) for name, each in kept.items()))
    return Group(*shown)


def _beside(texts: Iterable[Text]) -> Columns:
    return Columns(list(texts), padding=(0, 3))


def _exploits(found: Mapping[str, Probe]) -> Group:
    told = Text("what it pays, of what an expert is paid; from 100% on it rejects", "dim")
    paid = [
        Text.assemble(_mark(each.passed, each.strict), (f" {name} {_paid(each)}", "bold red" if each.rejects else ""))
        for name, each in found.items()
    ]
    return Group(told, _beside(paid))


def _paid(probe: Probe) -> str:
    return "not run" if probe.passed is None else percent(probe.values["ratio"])


def _pictures(found: Mapping[str, Mapping[str, Probe]]) -> Table:
    table = _inner(f"the same, {SAME_SHARE:.0%} asked", *PICTURES)
    for subtask, changes in found.items():
        table.add_row(Text(subtask), *(_same(changes.get(name)) for name in PICTURES))
    for said in dict.fromkeys(each.said for row in found.values() for each in row.values() if each.passed is None):
        table.add_row(Text(said, "dim"))
    return table


def _inner(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=bool(number), overflow="fold")
    return table


def _same(probe: Probe | None) -> Text:
    if probe is None or probe.passed is None:
        return _mark(None)
    return Text.assemble(_mark(probe.passed, probe.strict), f" {percent(probe.values['answers_same']):>5}")


def _costs(found: Mapping[str, Probe]) -> Table:
    table = _inner("microseconds", "a frame", "limit", "identify", "limit")
    for subtask, each in found.items():
        names = ("check_us", "limit_us", "identify_us", "identify_limit_us")
        frame, most, first, most_first = (_number(each.values.get(name)) for name in names)
        table.add_row(
            Text.assemble(_mark(each.passed, each.strict), f" {subtask}"),
            frame,
            Text(most, "dim"),
            first,
            Text(most_first, "dim"),
        )
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _said(found: Mapping[str, Probe]) -> Text:
    """Those that pass by their name alone, the others with what was measured."""
    lines = []
    for name, each in found.items():
        line = Text.assemble(_mark(each.passed, each.strict), f" {name}")
        lines.append(line if each.passed else line.append(f": {each.said}", "dim" if each.passed is None else ""))
    return Text("\n").join(lines)
