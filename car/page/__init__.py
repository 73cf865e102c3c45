"""HTML pages that are one file: templates, pictures as data URIs, highlighted source."""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from car.bundle import Bundle
from car.frames import Frame, enlarged, to_png
from car.outline import percent
from car.trajectory import Trajectory

CELL = 128
"""About how wide a frame of a strip is shown, in pixels."""

_PICTURE = re.compile(r"!\[(.*)\]\(\.\./\.\./frames/([0-9a-f]{64})\.png\)")


@dataclass(frozen=True)
class Cell:
    """One frame of a strip.

    Args:
        time: its index in the trajectory.
        picture: a data URI.
        width: at which to show it, in pixels.
        fired: whether the checker said done here.
        credited: whether the sub-task was credited on just this frame.
    """

    time: int
    picture: str
    width: int
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


@dataclass(frozen=True)
class AttemptSection:
    """One question and its answer, as the bundle keeps it."""

    number: int
    title: str
    used: bool
    complaints: Sequence[str]
    pictures: Sequence[tuple[str, str]]
    reply: str


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
    # Small in the file, large on the screen: a page may hold thousands of them.
    width = trajectory.size[0] * max(1, CELL // max(trajectory.size))
    cells = [Cell(time, uri(trajectory.frame(time), 0), width, bool(done[time]), time == moment) for time in times]
    return Strip(caption, tuple(cells), suspect)


def authors(bundle: Bundle) -> str:
    """Who wrote the programs, in words."""
    named = [each for each in bundle.provenance.models if each and each != "manual"]
    return ", ".join(named) or "a model that was asked by hand"


def uri(frame: Frame, side: int = 384) -> str:
    """The frame as a data URI of a PNG, enlarged without smoothing to about `side` pixels; 0 leaves it as it is."""
    return png_uri(to_png(enlarged(frame, side)))


def png_uri(data: bytes) -> str:
    """The bytes of a PNG file as a data URI."""
    return _uri("png", data)


def gif_uri(data: bytes) -> str:
    """The bytes of a GIF file as a data URI."""
    return _uri("gif", data)


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64," + base64.b64encode(data).decode("ascii")


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
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1] / "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["percent"] = percent
    return environment


def attempt_sections(bundle: Bundle) -> list[AttemptSection]:
    """Every question and answer of a bundle, in order."""
    folders = sorted((bundle.path / "attempts").iterdir(), key=lambda each: int(each.name.partition("-")[0]))
    return [_attempt(bundle, number, folder) for number, folder in enumerate(folders, 1)]


def _attempt(bundle: Bundle, number: int, folder: Path) -> AttemptSection:
    outcome = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    title = folder.name.partition("-")[2].rpartition("-")
    return AttemptSection(
        number=number,
        title=f"{title[0]}, attempt {title[2]}",
        used=outcome["used"],
        complaints=outcome["complaints"],
        pictures=_pictures_of_next(bundle, folder, outcome["complaints"][0]) if outcome["complaints"] else [],
        reply=(folder / "reply.md").read_text(encoding="utf-8"),
    )


def _pictures_of_next(bundle: Bundle, folder: Path, complaint: str) -> list[tuple[str, str]]:
    """The pictures that went back with a complaint: those of the question that followed, without the two frames."""
    about, _, attempt = folder.name.partition("-")[2].rpartition("-")
    subject = about.partition("-")[2]
    for each in (bundle.path / "attempts").glob(f"*-refine-{subject}-{int(attempt) + 1}/prompt.md"):
        text = each.read_text("utf-8")
        # Of several programs that were asked for at once only the best went back.
        if complaint not in text:
            continue
        found = [_PICTURE.fullmatch(line) for line in text.splitlines()]
        named = [(match[1], match[2]) for match in found if match]
        return [
            (caption, uri(bundle.frames[name], 192))
            for caption, name in named
            # The prompt quotes the model, which may have written something that looks like a picture.
            if caption not in ("first frame", "goal frame") and name in bundle.frames
        ]
    return []
