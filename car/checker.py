"""The program for one sub-task: from a reply's text, through a static screen, to a Checker."""

import hashlib
import re
from dataclasses import dataclass

from car.errors import BadTask
from car.screen import Problem, screen

_SLUG = re.compile(r"[^a-z0-9]+")
_FENCE = re.compile(r"^```[ \t]*([A-Za-z0-9_+-]*)[^\n]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_LANGUAGES = ("", "python", "py", "python3")


@dataclass(frozen=True)
class SubTask:
    """One step towards the goal.

    Args:
        name: a slug, e.g. ``pick-up-the-key``; names the checker's file.
        description: one sentence.
        after: the names of the sub-tasks that must be done before it counts.
        goal: whether it is the goal itself, the last sub-task.

    Raises:
        BadTask: the name is not a slug.
    """

    name: str
    description: str
    after: tuple[str, ...] = ()
    goal: bool = False

    def __post_init__(self) -> None:
        if not self.name or slug(self.name) != self.name:
            raise BadTask(f"The sub-task name {self.name!r} must be lower-case words joined by '-'.")


def slug(words: str) -> str:
    """Words as a file-name-safe slug of at most 48 characters: lower case, joined by ``-``."""
    return _SLUG.sub("-", words.lower()).strip("-")[:48].rstrip("-")


@dataclass(frozen=True)
class Checker:
    """A screened program for one sub-task.

    Args:
        subtask: what it checks.
        source: Python that defines ``check(found, current)`` and perhaps ``identify(initial)``,
            ``progress(found, current)`` and ``explain(found, current)``.
    """

    subtask: SubTask
    source: str

    @property
    def sha256(self) -> str:
        """The hash of the source, as hex."""
        return hashlib.sha256(self.source.encode()).hexdigest()


@dataclass(frozen=True)
class Unusable:
    """A reply that holds no program, or one that the static screen refuses; the problems go back to the VLM.

    Args:
        source: the program as far as there is one.
        problems: what is wrong, with the line where known.
    """

    source: str
    problems: tuple[Problem, ...]

    @classmethod
    def because(cls, message: str) -> "Unusable":
        """A reply without any program, for one reason."""
        return cls("", (Problem(None, message),))


def checker_from(reply: str, subtask: SubTask) -> Checker | Unusable:
    """The checker in a reply's text, or what is wrong with it."""
    source = program_in(reply)
    if source is None:
        what = "The reply is empty." if not reply.strip() else "The reply holds no ```python block."
        return Unusable.because(f"{what} Answer with one ```python block that holds the whole program.")
    problems = screen(source)
    return Unusable(source, problems) if problems else Checker(subtask, source)


def program_in(reply: str) -> str | None:
    """The Python program in a reply: its code block, or of several the last one that defines `check`, else all joined.

    Of several blank lines one is kept, as in the prompts: the lines that an error names are then those that the VLM is
    shown. A reply without a fence is a program only if it starts like one.
    """
    source = _code_in(reply)
    return None if source is None else re.sub(r"\n{3,}", "\n\n", source) + "\n"


def _code_in(reply: str) -> str | None:
    blocks = [str(code).strip("\n") for language, code in _FENCE.findall(reply) if language.lower() in _LANGUAGES]
    whole = [block for block in blocks if _defines("check", block)]
    halves = any(_defines("identify", block) for block in blocks if block not in whole)
    if blocks and (not whole or (len(whole) == 1 and halves)):
        return "\n\n".join(blocks)
    if whole:
        return whole[-1]
    bare = reply.strip()
    return bare if re.match(r"(import|from|def) ", bare) else None


def _defines(name: str, source: str) -> bool:
    return re.search(rf"^def {name}\b", source, re.MULTILINE) is not None
