"""The program for one sub-task: from a reply's text, through a static screen, to a Checker."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class SubTask:
    """One step towards the goal.

    Args:
        name: a slug, e.g. ``pick-up-the-key``; names the checker's file.
        description: one sentence.
        after: the names of the sub-tasks that must be done before it counts.
        goal: whether it is the goal itself, the last sub-task.
    """

    name: str
    description: str
    after: tuple[str, ...] = ()
    goal: bool = False


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
