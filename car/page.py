"""HTML pages that are one file: templates, pictures as data URIs, highlighted source."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from car.frames import Frame, enlarged, to_png
from car.trajectory import Trajectory


@dataclass(frozen=True)
class Cell:
    """One frame of a strip.

    Args:
        time: its index in the trajectory.
        picture: a data URI.
        fired: whether the checker said done here.
        credited: whether the sub-task was credited on just this frame.
    """

    time: int
    picture: str
    fired: bool
    credited: bool


@dataclass(frozen=True)
class Strip:
    """Frames of one trajectory around a moment.

    Args:
        caption: which trajectory, and what happens.
        cells: the frames in order.
        suspect: whether the firing is known to be false.
    """

    caption: str
    cells: tuple[Cell, ...]
    suspect: bool = False


def strip(
    trajectory: Trajectory, done: Sequence[bool], moment: int, caption: str, suspect: bool = False, around: int = 3
) -> Strip:
    """The frames around a moment, and before them the first frame of the episode.

    Args:
        trajectory: the episode.
        done: what the checker said of each of its T+1 frames.
        moment: when the sub-task was credited.
        caption: what to write over it.
        suspect: whether the firing is known to be false.
        around: frames before the moment; after it, one fewer.
    """
    last = len(trajectory) - 1
    times = sorted({0, *range(max(0, moment - around), min(last, moment + around - 1) + 1)})
    cells = [Cell(time, uri(trajectory.frame(time), 128), bool(done[time]), time == moment) for time in times]
    return Strip(caption, tuple(cells), suspect)


def uri(frame: Frame, side: int = 384) -> str:
    """The frame as a data URI of a PNG, enlarged without smoothing to about `side` pixels."""
    return png_uri(to_png(enlarged(frame, side)))


def png_uri(data: bytes) -> str:
    """The bytes of a PNG file as a data URI."""
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def highlighted(source: str) -> Markup:
    """Python source as HTML with line numbers; hostile text is escaped."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return Markup(highlight(source, PythonLexer(), HtmlFormatter(linenos="inline", cssclass="code")))  # noqa: S704


def render(template: str, **values: Any) -> str:
    """A page from a template in `car/pages`; everything that is not marked as HTML is escaped."""
    from pygments.formatters import HtmlFormatter

    style = Markup(HtmlFormatter(style="friendly").get_style_defs(".code"))  # noqa: S704
    return _templates().get_template(f"{template}.html.j2").render(code_style=style, **values)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
