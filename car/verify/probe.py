"""A probe: one more look at the checkers than the rule needs, with what it measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Probe:
    """What one probe found of one checker, or of the whole chain.

    Args:
        name: which probe, e.g. ``noise``.
        subtask: the sub-task's name; "" for the whole chain.
        strict: whether failing it rejects; else it is only reported.
        passed: None if it could not be run here.
        said: what was measured, in one sentence.
        values: the figures, JSON-serialisable: numbers, texts, or None.
    """

    name: str
    subtask: str
    strict: bool
    passed: bool | None
    said: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rejects(self) -> bool:
        """Whether it speaks against the checkers strongly enough to reject them."""
        return self.strict and self.passed is False
