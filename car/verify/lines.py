"""Which lines of a program take its time."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MOST = 8
_TEXT = 120
_ENDS = re.compile(r"\r\n|\r|\n")
_COLUMNS = ("line", "ns", "hits", "events")


@dataclass(frozen=True)
class LineCost:
    """One line of a program.

    Args:
        line: its number, from 1.
        text: the line, without what it is indented by.
        hits_per_frame: how often it began, for one frame (or for one first frame, if it is of `identify`).
        share: of the time, in [0, 1]; functions of the program that the line calls count on lines of their own.
    """

    line: int
    text: str
    hits_per_frame: float
    share: float

    def told(self, per: str) -> str:
        """The line, for a prompt.

        Args:
            per: what the hits are counted for, e.g. ``frame``.
        """
        hits = f"{self.hits_per_frame:.0f}" if self.hits_per_frame >= 10 else f"{self.hits_per_frame:.2g}"
        return f"- line {self.line}, {self.share:.0%} of the time, {hits} times a {per}: `{self.text}`"


@dataclass(frozen=True)
class _Count:
    ns: int = 0
    hits: int = 0
    events: int = 0

    def __add__(self, other: "_Count") -> "_Count":
        return _Count(self.ns + other.ns, self.hits + other.hits, self.events + other.events)


def dearest(source: str, name: str, told: Sequence[Sequence[Mapping[str, Any]]], true_ns: int) -> tuple[LineCost, ...]:
    """The lines that take most of a function's time, dearest first.

    To count lines holds a program up, and lines that do little most of all. By how much is known from the time that it
    takes when nobody counts; so much is taken off for every time that it was held up.

    Args:
        source: the program.
        name: the function, ``identify`` or ``check``, by which its facts are called.
        told: for each frame the facts of `stopwatch.Profile`, once for each repeat.
        true_ns: what all the frames took without the count, in nanoseconds.
    """
    counts: dict[int, _Count] = {}
    for repeats in told:
        for line, count in _quickest([_table(facts, name) for facts in repeats]).items():
            counts[line] = counts.get(line, _Count()) + count
    events = sum(each.events for each in counts.values())
    delay = max(0.0, (sum(each.ns for each in counts.values()) - true_ns) / events) if events else 0.0
    spent = {line: each.ns - delay * each.events for line, each in counts.items() if each.ns > delay * each.events}
    whole, texts = sum(spent.values()), _ENDS.split(source)
    return tuple(
        LineCost(line, _text(texts, line), counts[line].hits / len(told), spent[line] / whole)
        for line in sorted(spent, key=lambda line: -spent[line])[:_MOST]
    )


def _table(facts: Mapping[str, Any], name: str) -> dict[int, _Count]:
    columns = [facts.get(f"{name}_{column}") or () for column in _COLUMNS]
    return {line: _Count(*numbers) for line, *numbers in zip(*columns, strict=False)}


def _quickest(repeats: Sequence[Mapping[int, _Count]]) -> dict[int, _Count]:
    """Each line at the best of its times: a line on which the machine did something else would seem dear.

    A line that one repeat does not tell was too cheap there to be told, so it is not dear.
    """
    common = set(repeats[0]).intersection(*repeats[1:]) if repeats else set()
    return {line: min((each[line] for each in repeats), key=lambda count: count.ns) for line in common}


def _text(texts: Sequence[str], number: int) -> str:
    return texts[number - 1].strip()[:_TEXT] if 0 < number <= len(texts) else ""
