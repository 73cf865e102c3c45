"""Small charts as inline SVG: nothing is loaded and no script runs."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from car.outline import percent, span

_WIDTH = 84
_LANE, _AXIS = 216, 52


def share_bar(done: int, total: int, interval: Sequence[float], kind: str) -> Markup:
    """A share as a bar, with the interval as a line across it.

    Args:
        done: how many of them.
        total: of how many.
        interval: the lower and the upper bound of the share.
        kind: ``expert`` or ``random``, which gives the colour.
    """
    share = done / total if total else 0.0
    low, high = (round(bound * _WIDTH, 1) for bound in interval)
    said = f"{done} of {total}, between {span(interval)}"
    return _svg(
        _WIDTH,
        14,
        said,
        _rect(0, 3, _WIDTH, 8, "c-track"),
        _rect(0, 3, share * _WIDTH, 8, f"c-{kind}"),
        Markup('<path class="c-range" d="M{0} 7H{1}M{0} 3.5v7M{1} 3.5v7"/>').format(_inside(low), _inside(high)),
    )


def _inside(x: float) -> float:
    return min(max(x, 0.6), _WIDTH - 0.6)


def ratio_bar(ratio: float, most: float, line: float, tone: str, width: int = 120) -> Markup:
    """A ratio as a bar against a limit.

    Args:
        ratio: 0 or more.
        most: the ratio at the right end; what is larger ends there.
        line: the limit.
        tone: ``good``, ``bad``, ``open`` or ``soft``, which gives the colour.
        width: in pixels.
    """
    at = round(line / most * width, 1)
    return _svg(
        width,
        16,
        f"{percent(ratio)}, the limit is {percent(line)}",
        _rect(0, 4, width, 8, "c-track"),
        _rect(0, 4, min(ratio / most, 1.0) * width, 8, f"c-{tone}"),
        Markup('<path class="c-limit" d="M{} 0v16"/>').format(at),
    )


def first_times(experts: Sequence[int | None], randoms: Sequence[int | None], last: int) -> Markup:
    """When a sub-task was first done, a mark for each trajectory: experts above, random agents below.

    The axis is logarithmic, for experts take a handful of steps where random agents take hundreds.

    Args:
        experts: the frame in each of their episodes; None where never.
        randoms: the same for random agents.
        last: the frame at the right end of the axis.
    """
    # The last frame is named too, in place of a round number that would be in its way.
    ticks = [each for each in (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000) if each <= last / 1.7]
    grid = Markup("").join(_tick(each, last) for each in dict.fromkeys([*ticks, last]))
    said = f"first done: experts {_listed(experts)}; random {_listed(randoms)}"
    return _svg(
        _AXIS + _LANE + 12,
        48,
        said,
        grid,
        _lane("experts", experts, 3, last, "expert"),
        _lane("random", randoms, 19, last, "random"),
    )


def _listed(times: Sequence[int | None]) -> str:
    known = sorted(time for time in times if time is not None)
    return f"{len(known)} of {len(times)}" + (f", frames {known[0]} to {known[-1]}" if known else "")


def _tick(time: int, last: int) -> Markup:
    x = _along(time, last)
    return Markup('<path class="c-grid" d="M{0} 2v32"/><text class="c-label" x="{0}" y="45">{1}</text>').format(x, time)


def _lane(name: str, times: Sequence[int | None], top: int, last: int, kind: str) -> Markup:
    known = sorted(time for time in times if time is not None)
    marks = " ".join(f"M{_along(time, last)} {top + 1}v11" for time in known)
    middle = ""
    if known:
        x = _along(known[len(known) // 2], last)
        middle = Markup('<circle class="c-{} c-middle" cx="{}" cy="{}" r="3.6"/>').format(kind, x, top + 6.5)
    return Markup('<text class="c-name" x="0" y="{}">{}</text><path class="c-mark c-{}-mark" d="{}"/>{}').format(
        top + 10, name, kind, marks, middle
    )


def _along(time: int, last: int) -> float:
    return round(_AXIS + _LANE * math.log1p(time) / math.log1p(max(last, 1)), 1)


def _rect(x: float, y: float, width: float, height: float, style: str) -> Markup:
    return Markup('<rect class="{}" x="{:g}" y="{:g}" width="{:.1f}" height="{:g}" rx="1.5"/>').format(
        style, x, y, width, height
    )


def _svg(width: int, height: int, said: str, *parts: Markup) -> Markup:
    return Markup(
        '<svg class="chart" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" aria-label="{2}">{3}</svg>'
    ).format(width, height, said, Markup("").join(parts))
