"""The words for the VLM: strict Jinja2 templates, each with a dataclass of its variables."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import jinja2

from car.checker import SubTask
from car.errors import CarError
from car.facts import changes, measure
from car.frames import Frame, enlarged
from car.screen import ALLOWED_MODULES
from car.vlm import Measured, Picture, Request

_MARKED = re.compile("\x02(?P<picture>.*?)\x03|\x04(?P<measured>.*?)\x05|\x06", re.DOTALL)

# Stands in a prompt where a beginning ends that other prompts of the same task have too.
_SHARED = "\x06"


@dataclass(frozen=True)
class Scene:
    """The two frames that the VLM is shown, and what was measured on them.

    Args:
        first: the first frame of an expert's episode, uint8 RGB (H, W, 3).
        goal: the last frame of the same episode.
    """

    first: Frame
    goal: Frame

    def variables(self) -> dict[str, Any]:
        """The template variables that every prompt shares."""
        return {
            "first_facts": measure(self.first),
            "goal_facts": measure(self.goal),
            "places": changes(self.first, self.goal),
            "width": self.first.shape[1],
            "height": self.first.shape[0],
            "modules": ALLOWED_MODULES,
        }


@dataclass(frozen=True)
class GoalPrompt:
    """What do you think the final goal is?

    Args:
        complaint: why the previous answer could not be used, or "".
    """

    template: ClassVar[str] = "goal"
    scene: Scene
    complaint: str = ""
    attempt: int = 1


@dataclass(frozen=True)
class SubtasksPrompt:
    """What tasks must the agent complete to achieve the goal?

    Args:
        goal_answer: the reply to the `GoalPrompt`.
        complaint: why the previous answer could not be used, or "".
        tried: sub-tasks that were named before, for which programs were written and tried.
        measured: what was found to be wrong with them as a whole.
    """

    template: ClassVar[str] = "subtasks"
    scene: Scene
    goal_answer: str
    complaint: str = ""
    attempt: int = 1
    tried: Sequence[SubTask] = ()
    measured: Sequence[str] = ()


@dataclass(frozen=True)
class CheckerPrompt:
    """How would you know that it is done, as a program? Also for the goal itself.

    Args:
        attempt: the number of the attempt that is asked for; above 1 where the sub-tasks were named anew.
        sample: which of several independent programs is asked for.
    """

    template: ClassVar[str] = "checker"
    scene: Scene
    goal: str
    subtasks: Sequence[SubTask]
    subtask: SubTask
    attempt: int = 1
    sample: int = 1


@dataclass(frozen=True)
class Complaint:
    """One measured fact that goes back to the VLM.

    Args:
        message: the fact: which trajectory and frame, what the checker said, what was required.
        kind: what kind of mistake it is, e.g. ``fires too early``, or "".
        facts: what the checker's `explain` said there, or "".
        frames: the decisive frames by caption.
    """

    message: str
    facts: str = ""
    frames: Mapping[str, Frame] = field(default_factory=dict)
    kind: str = ""

    @property
    def captions(self) -> list[str]:
        """What its pictures are called."""
        return list(self.frames)


@dataclass(frozen=True)
class RefinePrompt:
    """The program was wrong: facts and frames.

    Args:
        attempt: the number of the attempt that is asked for, from 2.
        source: the program that was wrong, or "" if there was none.
        repeated: whether the same rule was broken in the attempt before.
    """

    template: ClassVar[str] = "refine"
    scene: Scene
    goal: str
    subtasks: Sequence[SubTask]
    subtask: SubTask
    attempt: int
    source: str
    complaints: Sequence[Complaint]
    repeated: bool = False


@dataclass(frozen=True)
class FasterPrompt:
    """The program is right and too slow: where its time goes.

    Args:
        attempt: the number of the attempt that is asked for.
        source: the program.
        limit_us: what a frame may take, in microseconds.
        profile: what was measured, as text; differs from run to run.
    """

    template: ClassVar[str] = "faster"
    scene: Scene
    goal: str
    subtasks: Sequence[SubTask]
    subtask: SubTask
    attempt: int
    source: str
    limit_us: float
    profile: str


Prompt = GoalPrompt | SubtasksPrompt | CheckerPrompt | RefinePrompt | FasterPrompt


def request_for(prompt: Prompt) -> Request:
    """The request that asks a prompt: its text with the pictures, enlarged without smoothing, in their places.

    Raises:
        CarError: a template uses a variable that its dataclass does not have.
    """
    subject: SubTask | None = getattr(prompt, "subtask", None)
    parts: list[str | Picture] = []
    shared: list[int] = []
    for part in _parts(prompt):
        if part is _SHARED:
            shared.append(len(parts))
        else:
            parts.append(part)
    return Request(
        stage=prompt.template,
        subject=subject.name if subject else "",
        attempt=getattr(prompt, "attempt", 1),
        system=_render("system", {}),
        parts=tuple(parts),
        sample=getattr(prompt, "sample", 1),
        shared=tuple(shared),
    )


def _parts(prompt: Prompt) -> Iterator[str | Picture]:
    frames = {"first frame": prompt.scene.first, "goal frame": prompt.scene.goal}
    if isinstance(prompt, RefinePrompt):
        for complaint in prompt.complaints:
            frames |= complaint.frames
    values = {each.name: getattr(prompt, each.name) for each in fields(prompt) if each.name != "scene"}
    text = _render(prompt.template, prompt.scene.variables() | values)
    end = 0
    for mark in _MARKED.finditer(text):
        yield from _tidy(text[end : mark.start()])
        end, caption, measured = mark.end(), mark["picture"], mark["measured"]
        if caption is not None:
            yield Picture(enlarged(frames[caption]), caption, frames[caption])
        else:
            yield _SHARED if measured is None else Measured(measured.strip())
    yield from _tidy(text[end:])


def _tidy(text: str) -> Iterator[str]:
    if tidy := re.sub(r"\n{3,}", "\n\n", text.strip()):
        yield tidy


def _render(template: str, values: Mapping[str, Any]) -> str:
    try:
        return _templates().get_template(f"{template}.j2").render(values).strip()
    except jinja2.TemplateError as error:
        raise CarError(f"The prompt template {template}.j2 cannot be rendered: {error}.") from error


@cache
def _templates() -> jinja2.Environment:
    made = jinja2.Environment(  # noqa: S701 - the text is for a VLM, not for a browser
        loader=jinja2.FileSystemLoader(template_folder()),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=False,
        lstrip_blocks=True,
    )
    made.globals["picture"] = lambda caption: f"\x02{caption}\x03"
    made.globals["shared"] = lambda: "\x06"
    made.globals["measured"] = lambda text: f"\x04{text}\x05"
    return made


def template_folder() -> Path:
    """Where the templates are: beside this module in an installed wheel, at the top of a checkout."""
    packaged = Path(__file__).parent / "prompts"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "prompts"
