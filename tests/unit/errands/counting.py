"""Errands that count, and what is heard of them."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from car.errands import Errand, run
from car.errors import CarError


def errand(folder: Path, to: int = 3, step: Path | None = None, **fields: Any) -> Errand:
    return Errand(
        "The counting",
        "tests.unit.errands.small_errand",
        {"to": to, **fields},
        folder,
        parts=("own", "log.txt"),
        reads={} if step is None else {"step": step},
        again={"resume": True},
        environment={"CAR_TEST_VARIABLE": "seen"},
    )


class Heard:
    """Takes note of all that comes."""

    def __init__(self, then: Callable[[int, Mapping[str, Any]], None] = lambda index, fields: None) -> None:
        self.counts: defaultdict[int, list[int]] = defaultdict(list)
        self.ends: dict[int, CarError | None] = {}
        self.stopped = 0
        self._then = then

    def run(self, errands: list[Errand], at_once: int = 1, on: str = "here", patience: float = 20.0) -> "Heard":
        run(errands, at_once, self._said, self._ended, on, patience, self._stopping)
        return self

    def _said(self, index: int, fields: Mapping[str, Any]) -> None:
        self.counts[index].append(fields["count"])
        self._then(index, fields)

    def _ended(self, index: int, error: CarError | None) -> None:
        self.ends[index] = error

    def _stopping(self) -> None:
        self.stopped += 1
