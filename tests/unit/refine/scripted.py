"""A VLM that follows a script, checkers that run in this process, and the draft that the two give."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from car.checker import Checker, SubTask
from car.frames import Frames
from car.refine import Budget, Draft, Event, generate
from car.sandbox import Answers, Crashed, Limits, Refused
from car.sandbox.isolation import Isolation
from car.verify import Bar, Split
from car.vlm import Reply, Request, Usage
from tests.planted import doorkey as planted

KEY, DOOR, GOAL = (each.name for each in (planted.KEY, planted.DOOR, planted.GOAL))
Script = Mapping[tuple[str, str, int] | tuple[str, str, int, int], str | Reply]
"""Replies by stage, subject and attempt; by the sample too where it is a further one."""


def program(source: str) -> str:
    """A reply that holds a program."""
    return f"I look at the colours.\n\n```python\n{source}```\n"


def naming(*subtasks: SubTask, goal: str = "Reach the green square.") -> str:
    """A reply that names the sub-tasks."""
    entries = [{"name": each.name, "description": each.description, "after": list(each.after)} for each in subtasks]
    return f"Three steps.\n\n```json\n{json.dumps({'goal': goal, 'subtasks': entries})}\n```\n"


RIGHT: Script = {
    ("goal", "", 1): "The agent must reach the green square.",
    ("subtasks", "", 1): naming(planted.KEY, planted.DOOR, planted.GOAL),
    ("checker", KEY, 1): program(planted.RIGHT_KEY),
    ("checker", DOOR, 1): program(planted.RIGHT_DOOR),
    ("checker", GOAL, 1): program(planted.RIGHT_GOAL),
}


@dataclass
class Scripted:
    """Answers by stage, subject and attempt; the right programs where the script says nothing else."""

    script: Script = field(default_factory=dict)
    name: str = "scripted/planted"
    requests: list[Request] = field(default_factory=list)

    def ask(self, request: Request) -> Reply:
        self.requests.append(request)
        place: Any = (request.stage, request.subject, request.attempt)
        reply = {**RIGHT, **self.script}[place if request.sample == 1 else (*place, request.sample)]
        return reply if isinstance(reply, Reply) else Reply(reply, usage=Usage(100, 10), model="planted-1")

    def asked(self, stage: str, subject: str = "", attempt: int = 1) -> Request:
        """The only request of this place."""
        (found,) = [r for r in self.requests if (r.stage, r.subject, r.attempt) == (stage, subject, attempt)]
        return found

    @property
    def places(self) -> list[tuple[str, str, int]]:
        return [(each.stage, each.subject, each.attempt) for each in self.requests]

    @property
    def samples(self) -> list[int]:
        return [each.sample for each in self.requests]


class InThisProcess:
    """A sandbox that isolates nothing, for programs that the tests wrote themselves: no worker needs to start."""

    def open(self, checkers: Sequence[Checker], limits: Limits = Limits(), seed: int = 0) -> "_Session":
        return _Session(checkers)


class _Session:
    isolation = Isolation(0, ("do anything",), {})

    def __init__(self, checkers: Sequence[Checker]) -> None:
        self.checkers = checkers
        self._functions: list[dict[str, Any]] = [{} for _ in checkers]
        for each, functions in zip(checkers, self._functions, strict=True):
            exec(each.source, functions)

    def run(
        self, initial: Frames, frames: Frames, ask: NDArray[np.bool_] | None = None, explain: bool = False
    ) -> Answers:
        shape = len(frames), len(self.checkers)
        done, progress = np.full(shape, -1, np.int8), np.full(shape, np.nan)
        failures: dict[tuple[int, int], Any] = {}
        facts: dict[tuple[int, int], Mapping[str, Any]] = {}
        for column, functions in enumerate(self._functions):
            known: dict[bytes, Any] = {}
            for row in range(len(frames)):
                if ask is not None and not ask[row, column]:
                    continue
                first = initial if initial.ndim == 3 else initial[row]
                if (name := first.tobytes()) not in known:
                    known[name] = self._found(functions, first)
                if isinstance(found := known[name], Crashed):
                    done[row, column], failures[row, column] = -2, found
                    continue
                done[row, column] = self._said(functions, found, frames[row], failures, (row, column))
                if explain and "explain" in functions:
                    facts[row, column] = functions["explain"](found, frames[row])
        return Answers(done, progress, failures, facts)

    def _found(self, functions: dict[str, Any], first: Any) -> Any:
        try:
            return functions.get("identify", lambda first: first)(first)
        except ValueError as error:
            return Crashed("identify", f"ValueError: {error}", 1)

    def _said(self, functions: dict[str, Any], found: Any, frame: Any, failures: Any, place: tuple[int, int]) -> int:
        frame.setflags(write=False)
        try:
            said = functions["check"](found, frame)
        except (ZeroDivisionError, ValueError) as error:
            failures[place] = Crashed("check", f"{type(error).__name__}: {error}", 1)
            return -2
        if not isinstance(said, bool | np.bool_):
            failures[place] = Refused("check", f"{said!r} is not a bool")
            return -2
        return int(said)

    def renew(self) -> None:
        self.__init__(self.checkers)  # type: ignore[misc]

    def __enter__(self) -> "_Session":
        return self

    def __exit__(self, *args: object) -> None:
        pass


@dataclass
class Told:
    """A finished generation: what came out, what was asked, what was told."""

    draft: Draft
    vlm: Scripted
    events: list[Event]


def told(
    parts: Split,
    script: Script | None = None,
    attempts: int = 5,
    budget: Budget | None = None,
    bar: Bar = Bar(),
    parallel: int = 0,
) -> Told:
    """Generates with a script, in this process."""
    vlm, events = Scripted(script or {}), list[Event]()
    budget = budget or Budget(attempts)
    draft = generate(parts, vlm, InThisProcess(), budget, bar, listen=events.append, parallel=parallel)
    return Told(draft, vlm, events)


def text_of(request: Request) -> str:
    """All text of a request."""
    return "\n".join(part for part in request.parts if isinstance(part, str))
