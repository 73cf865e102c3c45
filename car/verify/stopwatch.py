"""Measures a checker from inside its worker: the text of this file runs there, so it imports nothing of ours.

It is a program itself, with the measured one as a text. So it holds the clock before that one is loaded, its names meet
no other, and the lines of the measured program keep their numbers. What a hostile program says of its own time is
still worth nothing: nobody may be accepted for it.
"""

import sys
import time
import types
from collections.abc import Callable
from typing import Any

_NAME = "<measured>"
_MOST_LINES = 20
"""How many lines of a function are told; the facts of a frame are short."""

_now, _used, _settrace = time.perf_counter_ns, time.thread_time_ns, sys.settrace

Facts = dict[str, int | list[int] | None]


class Program:
    """The functions of a checker, made as a worker makes them.

    Args:
        source: its text.

    Raises:
        KeyError: it defines no ``check``.
        BaseException: whatever the program raises while it is loaded.
    """

    def __init__(self, source: str) -> None:
        module = types.ModuleType("checker")
        sys.modules["checker"] = module
        exec(compile(source, _NAME, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - within a worker
        names = module.__dict__
        self.check: Callable[[Any, Any], Any] = names["check"]
        self.identify: Callable[[Any], Any] | None = names.get("identify")
        self.progress: Callable[[Any, Any], Any] | None = names.get("progress")

    def judge(self, found: Any, current: Any) -> Any:
        """What a worker does with a frame: `check`, and `progress` where there is one and it is not done yet."""
        done = self.check(found, current)
        if self.progress is not None and not done:
            self.progress(found, current)
        return done


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, int]:
    """What the function returns, and how many nanoseconds it took.

    Of two clocks the lesser counts: what lasts longer than the system lets a process run at a stretch is always
    interrupted where others want the processor too, and the processor's own clock leaves that out. Where that clock is
    coarse it may say 0, and then it says nothing.
    """
    used_before, before = _used(), _now()
    returned = function(*arguments)
    lasted = _now() - before
    used = _used() - used_before
    return returned, used if 0 < used < lasted else lasted


class Clock:
    """A checker that tells how long it took: ``identify_ns``, ``check_ns`` and ``progress_ns``, None for what it lacks.

    Args:
        source: the text of the checker.
    """

    def __init__(self, source: str) -> None:
        self._program = Program(source)
        self._facts: Facts = {}

    def identify(self, initial: Any) -> tuple[Any, int | None]:
        """What the checker found, and the nanoseconds that it took."""
        look = self._program.identify
        return (initial, None) if look is None else _timed(look, initial)

    def check(self, found: tuple[Any, int | None], current: Any) -> Any:
        """What the checker said; `explain` tells how long it took."""
        known, identify_ns = found
        progress, progress_ns = self._program.progress, 0
        done, check_ns = _timed(self._program.check, known, current)
        if progress is not None and not done:
            _, progress_ns = _timed(progress, known, current)
        self._facts = {
            "identify_ns": identify_ns,
            "check_ns": check_ns,
            "progress_ns": None if progress is None else progress_ns,
        }
        return done

    def explain(self, found: object, current: object) -> Facts:
        """The figures of the frame that was asked about last."""
        return self._facts


class Tally:
    """The time of each line of a program, without what the functions of the program take that it calls."""

    def __init__(self) -> None:
        self.lines: dict[int, list[int]] = {}
        """By line: nanoseconds, how often it began, and how often the count itself held it up."""
        self._line, self._since = 0, 0

    def of(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function returns."""
        _settrace(self._on_call)
        try:
            return function(*arguments)
        finally:
            _settrace(None)

    def facts(self, name: str) -> Facts:
        """The dearest lines, their numbers and figures in columns."""
        dearest = sorted(self.lines.items(), key=lambda each: -each[1][0])[:_MOST_LINES]
        return {
            f"{name}_line": [line for line, _ in dearest],
            f"{name}_ns": [counts[0] for _, counts in dearest],
            f"{name}_hits": [counts[1] for _, counts in dearest],
            f"{name}_events": [counts[2] for _, counts in dearest],
        }

    def _charge(self, now: int) -> None:
        if self._line:
            counts = self.lines.setdefault(self._line, [0, 0, 0])
            counts[0] += now - self._since
            counts[2] += 1

    def _on_call(self, frame: types.FrameType, event: str, value: object) -> Callable[..., Any] | None:
        self._charge(_now())
        own = frame.f_code.co_filename == _NAME
        if own:
            self._line = frame.f_lineno
        # Last of all: what the count itself takes is no line's.
        self._since = _now()
        return self._on_event if own else None

    def _on_event(self, frame: types.FrameType, event: str, value: object) -> Callable[..., Any]:
        self._charge(_now())
        if event == "line":
            self._line = frame.f_lineno
            self.lines.setdefault(self._line, [0, 0, 0])[1] += 1
        elif event == "return":
            self._line = _line_below(frame)
        self._since = _now()
        return self._on_event


def _line_below(frame: types.FrameType) -> int:
    """The line of the program that goes on when the frame returns, or 0."""
    below = frame.f_back
    while below is not None and below.f_code.co_filename != _NAME:
        below = below.f_back
    return below.f_lineno if below is not None else 0


class Profile:
    """A checker that tells what each of its lines took, of `identify` and of a frame.

    Args:
        source: the text of the checker.
    """

    def __init__(self, source: str) -> None:
        self._program = Program(source)
        self._facts: Facts = {}

    def identify(self, initial: Any) -> tuple[Any, Facts]:
        """What the checker found, and the figures."""
        tally, look = Tally(), self._program.identify
        found = initial if look is None else tally.of(look, initial)
        return found, tally.facts("identify")

    def check(self, found: tuple[Any, Facts], current: Any) -> Any:
        """What the checker said; `explain` tells the figures."""
        tally = Tally()
        done = tally.of(self._program.judge, found[0], current)
        self._facts = found[1] | tally.facts("check")
        return done

    def explain(self, found: object, current: object) -> Facts:
        """The figures of the frame that was asked about last."""
        return self._facts
